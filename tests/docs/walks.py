"""Pages that are played: their commands are run as they stand, and what they show is what is seen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import take_port
from tests.tools.layout import ROOT

BLOCK = re.compile(r"(<!-- not run: .+ -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass
class Step:
    """Commands, and lines of what they print, in this order; `…` stands for anything."""

    commands: str
    shown: list[str]


def read_steps(text: str) -> list[Step]:
    steps: list[Step] = []
    for skipped, language, content in BLOCK.findall(text):
        if language == "sh" and not skipped:
            steps.append(Step(content, []))
        elif language == "text":
            assert not steps[-1].shown, "two pictures of one step"
            steps[-1].shown = content.splitlines()
        else:
            assert skipped, f"a block that nobody looks at: {content[:50]}"
    return steps


def pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("…"))


def missing(shown: list[str], printed: str) -> str | None:
    """The first line of the picture that was not printed behind the others."""
    lines = iter(printed.splitlines())
    for line in shown:
        wanted = re.compile(pattern(line))
        if not any(wanted.fullmatch(printed_line) for printed_line in lines):
            return line
    return None


def play(
    text: str,
    ports: re.Pattern[str],
    folder: Path,
    *,
    seconds: float,
    least: int,
    environment: Mapping[str, str] | None = None,
    programs: tuple[str, ...] = (),
) -> None:
    """Run the page's commands in one shell and compare; at least so many steps.

    `ports`: those that the page writes; each is replaced by one that nobody else takes, beside other tests or
    the notary that somebody runs on this machine.
    """
    free = {written: str(take_port()) for written in sorted(set(ports.findall(text)))}
    steps = read_steps(ports.sub(lambda match: free[match[0]], text))
    assert len(steps) >= least
    script = folder / "walk.sh"
    script.write_text(
        "set -e\n" + "".join(f"{step.commands}echo '@@@ {n}' >&2\n" for n, step in enumerate(steps)), "utf-8"
    )
    variables = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), *programs, os.environ["PATH"]]),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        # Errors and output in the order in which a terminal shows them.
        "PYTHONUNBUFFERED": "1",
        **(environment or {}),
        **{name: value for name, value in os.environ.items() if name == "TESTS_STARTED_BY"},
    }
    bash = shutil.which("bash")
    assert bash
    with subprocess.Popen(
        [bash, str(script)],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as walk:
        try:
            output, _ = walk.communicate(timeout=seconds)
        finally:
            # Whatever was started and not stopped; nothing is left where the walk ended well.
            try:
                os.killpg(walk.pid, signal.SIGKILL)
                was_stopped = False
            except ProcessLookupError:
                was_stopped = True
    assert walk.returncode == 0, output[-5000:]
    assert was_stopped, "the page leaves processes behind"
    printed = re.split(r"@@@ \d+\n", output)
    wrong = [
        f"the page shows {line!r}; what is seen:\n{found}"
        for step, found in zip(steps, printed, strict=False)
        if (line := missing(step.shown, found)) is not None
    ]
    assert not wrong, "\n\n".join(wrong)
