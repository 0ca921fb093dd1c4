"""docs/tutorial.md is true: its commands are run as they stand, and what they show is seen."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.walks import play
from tests.tools.layout import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
PORTS = re.compile(r"\b8470\b")
LONGEST_SECONDS = 300


def test_the_year(tmp_path: Path) -> None:
    play(PAGE.read_text("utf-8"), PORTS, tmp_path, seconds=LONGEST_SECONDS, least=20)
