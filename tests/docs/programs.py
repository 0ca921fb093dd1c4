"""The programs of docs/python.md as they stand there, and the surroundings to run them in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def program(section: str) -> str:
    """The program in the section of this heading."""
    text = PAGE.read_text("utf-8").split(f"\n## {section}\n")[1]
    found = re.search(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIZHENG_", "GIT_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "HOME": str(home), "PATH": path, "MIZHENG_HOME": str(home / "mizheng")}


def run(
    section: str, *arguments: str | Path, home: Path, cwd: Path, settings: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program where `home` is whose it is; `settings`: MIZHENG_HOME, else below `home`."""
    surroundings = environment(home) | ({"MIZHENG_HOME": str(settings)} if settings else {})
    command = [sys.executable, "-c", program(section), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True)
