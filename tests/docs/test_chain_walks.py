"""docs/chains/walk-*.md are true: their commands are run as they stand, and what they show is seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.walks import play
from tests.support.anvil import Anvil
from tests.tools.layout import ROOT

PAGES = sorted((ROOT / "docs" / "chains").glob("walk-*.md"))
PORTS = re.compile(r"\b(?:854[5-8]|8480|8470)\b")
LONGEST_SECONDS = 300


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_walk(page: Path, anvil: Anvil, tmp_path: Path) -> None:
    # The page starts a node of its own; this one only says whether there can be one.
    del anvil
    play(page.read_text("utf-8"), PORTS, tmp_path, seconds=LONGEST_SECONDS, least=4)


def test_there_are_three_walks() -> None:
    assert [page.stem for page in PAGES] == ["walk-ethereum", "walk-nodes", "walk-private"]
