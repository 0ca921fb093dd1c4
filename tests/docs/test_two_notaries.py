"""docs/two-notaries.md is true: its commands are run as they stand, and what it shows is what is seen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.anvil import Anvil
from tests.support.postgres import Postgres
from tests.tools.layout import ROOT

PAGE = ROOT / "docs" / "two-notaries.md"
BLOCK = re.compile(r"(<!-- not run: .+ -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Beside other tests, or the notary that somebody runs on this machine.
PORTS = re.compile(r"\b(?:8545|8480|8491|8492|847[0-2])\b")
LONGEST_SECONDS = 600


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


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        return [
            held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)
        ]


def test_the_walk_through(postgres: Postgres, anvil: Anvil, tmp_path: Path) -> None:
    # The page starts a node of its own; this one only says whether there can be one.
    del anvil
    if not Path("/usr/sbin/nginx").exists():
        if os.environ.get("CI"):
            raise RuntimeError("nginx is missing")
        pytest.skip("nginx is missing: Debian's nginx-light brings it")
    text = PAGE.read_text("utf-8")
    written = sorted(set(PORTS.findall(text)))
    ports = dict(zip(written, map(str, free_ports(len(written))), strict=True))
    steps = read_steps(PORTS.sub(lambda match: ports[match[0]], text))
    assert len(steps) > 12
    script = tmp_path / "walk.sh"
    script.write_text(
        "set -e\n" + "".join(f"{step.commands}echo '@@@ {n}' >&2\n" for n, step in enumerate(steps)), "utf-8"
    )
    programs = str(postgres.programs)
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), programs, os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "LANG": "C.UTF-8",
        # Errors and output in the order in which a terminal shows them.
        "PYTHONUNBUFFERED": "1",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGUSER": "postgres",
        **{name: value for name, value in os.environ.items() if name == "TESTS_STARTED_BY"},
    }
    bash = shutil.which("bash")
    assert bash
    with subprocess.Popen(
        [bash, str(script)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as walk:
        try:
            output, _ = walk.communicate(timeout=LONGEST_SECONDS)
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
