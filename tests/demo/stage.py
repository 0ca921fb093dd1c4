"""What the demo is played on: a folder of its own, commands as a person types them, servers that stop."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

# A server that has not answered by then will not: both start in a few seconds on a small machine.
START_SECONDS = 40.0
STOP_SECONDS = 15.0
# No single command of the demo takes longer, waiting for a final block included.
COMMAND_SECONDS = 120.0

# What programs keep for themselves while they run.
SCRATCH = (".lock", "-wal", "-shm")


class DemoError(Exception):
    """A command did not do what the demo is there to show."""


class Stage:
    """One run of the demo in one folder; commands run there, so what is printed can be typed again."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self._step = 0
        self._seen = self._list_files()
        commands = Path(sys.executable).parent
        # Nothing of the person who runs this: no configuration, no keyring, no proxy.
        self.environment = {
            "PATH": f"{commands}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            **settings,
        }

    def step(self, chinese: str, english: str) -> None:
        """Begin a step and say what it is for."""
        self._step += 1
        print(f"\n{self._step}. {chinese}\n   {english}\n", flush=True)

    def say(self, chinese: str, english: str) -> None:
        """A remark between two commands."""
        print(f"     （{chinese} {english}）", flush=True)

    def export(self, name: str, value: str) -> None:
        """Set a variable for the commands that follow."""
        print(f"   $ export {quote(f'{name}={value}')}", flush=True)
        self.environment[name] = value

    def run(self, *command: str, expected: int = 0, prefix: tuple[str, ...] = (), then: str = "") -> str:
        """Show a command, run it as shown, show what it prints; answers its standard output.

        `prefix` is a program that runs it (one that cuts the network), `then` the rest of the line as the
        shell has it, such as "> file". Raises DemoError if it ends with another exit code than expected.
        """
        line = " ".join([*(quote(word) for word in (*prefix, *command)), *([then] if then else [])])
        print(f"   $ {line}", flush=True)
        result = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=COMMAND_SECONDS,
            check=False,
        )
        self._show(result.stdout)
        self._show(result.stderr)
        if result.returncode != expected:
            raise DemoError(f"{line}: exit code {result.returncode}, not {expected}")
        if expected:
            print(f"     (退出码 exit code {expected})", flush=True)
        self._show_new_files()
        return result.stdout

    @contextlib.contextmanager
    def server(
        self, *command: str, output: str, ready: re.Pattern[str], is_shown: bool = True
    ) -> Iterator[str]:
        """Run a command in the background, from the first match in its output, which is answered, to the end.

        What it prints goes to a file and, where it is for people, up to there onto the screen.
        """
        line = " ".join(quote(word) for word in command)
        print(f"   $ {line} > {quote(output)} 2>&1 &", flush=True)
        path = self.folder / output
        with path.open("wb") as sink:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {line}"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal goes to the demo, which then stops its servers in order.
                start_new_session=True,
            )
        try:
            found = self._await(process, path, ready)
            if is_shown:
                self._show(path.read_text("utf-8"))
            self._show_new_files()
            yield found
        finally:
            stop(process)

    def _await(self, process: subprocess.Popen[bytes], path: Path, ready: re.Pattern[str]) -> str:
        deadline = time.monotonic() + START_SECONDS
        while True:
            text = path.read_text("utf-8", errors="replace")
            if found := ready.search(text):
                return found[0]
            if process.poll() is not None:
                raise DemoError(f"the server ended:\n{text}")
            if time.monotonic() > deadline:
                raise DemoError(f"no answer after {START_SECONDS:.0f} s:\n{text}")
            time.sleep(0.05)

    def _show(self, text: str) -> None:
        if text.strip():
            print(textwrap.indent(text.rstrip("\n"), "     "), flush=True)

    def _show_new_files(self) -> None:
        """Name what a command made, in the people's folders; folders that are new themselves as one."""
        for path in sorted(self._list_files() - self._seen):
            print(f"     → {path.relative_to(self.folder)} ({path.stat().st_size:,} B)", flush=True)
        self._seen = self._list_files()

    def _list_files(self) -> set[Path]:
        """Files of the people; those that a program keeps for itself aside."""
        found = set()
        for folder, names, files in os.walk(self.folder):
            names[:] = [name for name in names if not name.startswith(".")]
            found |= {Path(folder, name) for name in files if not name.startswith(".")}
        return {path for path in found if not path.name.endswith(SCRATCH)}


def quote(word: str) -> str:
    """A word as a person types it: in quotes only where a shell needs them."""
    plain = all(letter.isalnum() or letter in "-_./:=@,+%" for letter in word)
    return word if word and plain else "'" + word.replace("'", "'\\''") + "'"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started, kindly first."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
