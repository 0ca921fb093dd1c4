"""docs/chains/walk-*.md are true: their commands are run as they stand, and what they show is seen."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_two_notaries import free_ports, missing, read_steps
from tests.support.anvil import Anvil
from tests.tools.layout import ROOT

PAGES = sorted((ROOT / "docs" / "chains").glob("walk-*.md"))
# Beside other tests, or the notary that somebody runs on this machine.
PORTS = re.compile(r"\b(?:854[5-8]|8480|8470)\b")
LONGEST_SECONDS = 300


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_walk(page: Path, anvil: Anvil, tmp_path: Path) -> None:
    del anvil
    text = page.read_text("utf-8")
    written = sorted(set(PORTS.findall(text)))
    ports = dict(zip(written, map(str, free_ports(len(written))), strict=True))
    steps = read_steps(PORTS.sub(lambda match: ports[match[0]], text))
    assert len(steps) >= 4
    script = tmp_path / "walk.sh"
    script.write_text(
        "set -e\n" + "".join(f"{step.commands}echo '@@@ {n}' >&2\n" for n, step in enumerate(steps)), "utf-8"
    )
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
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


def test_there_are_three_walks() -> None:
    assert [page.stem for page in PAGES] == ["walk-ethereum", "walk-nodes", "walk-private"]
