"""What the demo is played on: a folder of its own, commands as a person types them, servers that stop."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

# A server that has not answered by then will not: both start in a few seconds on a small machine.
START_SECONDS = 40.0
STOP_SECONDS = 15.0
# No single command of the demo takes longer, waiting for a final block included.
COMMAND_SECONDS = 120.0


class DemoError(Exception):
    """A command did not do what the demo is there to show."""


class Stage:
    """One run of the demo in one folder; commands run there, so what is printed can be typed again."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self._step = 0
        self._seen: set[Path] = set()
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
        print(f"   {chinese}\n   {english}", flush=True)

    def run(
        self, *command: str, expected: int = 0, prefix: tuple[str, ...] = (), secret: str | None = None
    ) -> str:
        """Show a command, run it, show what it prints; answers its standard output.

        `prefix` is a program that runs it (one that cuts the network). `secret`: what the command prints is
        kept in the file of that name, not shown. DemoError if it ends with another exit code than expected.
        """
        shown = " ".join(quote(word) for word in (*prefix, *command))
        print(f"   $ {shown}{f' > {secret}' if secret else ''}", flush=True)
        result = subprocess.run(
            [*prefix, *command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if secret:
            target = self.folder / secret
            target.touch(mode=0o600)
            target.write_text(result.stdout, "utf-8")
        else:
            self._show(result.stdout)
        self._show(result.stderr)
        if result.returncode != expected:
            raise DemoError(f"{shown}: exit code {result.returncode}, not {expected}")
        if expected:
            print(f"   (退出码 exit code {expected})", flush=True)
        self._show_new_files()
        return result.stdout

    @contextlib.contextmanager
    def server(self, *command: str, output: str, ready: Callable[[str], bool]) -> Iterator[None]:
        """Run a command in the background, its output in a file, from its first answer to the block's end."""
        print(f"   $ {' '.join(quote(word) for word in command)} > {output} 2>&1 &", flush=True)
        path = self.folder / output
        with path.open("wb") as sink:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal goes to the demo, which then stops its servers in order.
                start_new_session=True,
            )
        try:
            self._await(process, path, ready)
            self._show(path.read_text("utf-8"))
            self._show_new_files()
            yield
        finally:
            stop(process)

    def _await(self, process: subprocess.Popen[bytes], path: Path, ready: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready(path.read_text("utf-8", errors="replace")):
            if process.poll() is not None:
                raise DemoError(f"the server ended:\n{path.read_text('utf-8', errors='replace')}")
            if time.monotonic() > deadline:
                raise DemoError(f"no answer after {START_SECONDS:.0f} s:\n{path.read_text('utf-8')}")
            time.sleep(0.05)

    def _show(self, text: str) -> None:
        if text.strip():
            print(textwrap.indent(text.rstrip("\n"), "     "), flush=True)

    def _show_new_files(self) -> None:
        """Name what a command made: files at the top, folders as one."""
        new = sorted(path for path in self.folder.iterdir() if path not in self._seen)
        self._seen.update(new)
        for path in new:
            if not path.name.startswith("."):
                size = f"{path.stat().st_size:,} B" if path.is_file() else "文件夹 folder"
                print(f"   → {path.name} ({size})", flush=True)


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
