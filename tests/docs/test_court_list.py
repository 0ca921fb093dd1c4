"""The court's list in the specification and in the report are one list, and each line of it has its place."""

from __future__ import annotations

import re

import pytest
from mizheng.verifier.codes import CODES
from mizheng.verifier.custody import WHAT
from mizheng.verifier.paper.court import REQUIREMENTS, Requirement
from mizheng.verifier.record import KINDS
from mizheng.verifier.words import translator

from tests.tools.layout import ROOT

ROWS = {
    int(cells[0]): cells
    for line in (ROOT / "docs" / "spec" / "11-court-list.md").read_text("utf-8").splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")])[0].isdecimal()
}
CHINESE = translator("zh_CN")


def test_both_have_the_same_lines() -> None:
    assert list(ROWS) == [item.number for item in REQUIREMENTS] == list(range(1, 24))


@pytest.mark.parametrize("item", REQUIREMENTS, ids=lambda item: str(item.number))
def test_a_line_says_the_same_in_both(item: Requirement) -> None:
    _, what, source, home = ROWS[item.number]
    assert CHINESE(item.what) in what
    assert source == (item.source if item.source != "—" else "platforms")
    # What the report looks at for this line stands in the specification's, by code or by kind of record.
    assert not [code for code in item.codes if f"`{code}`" not in home]
    assert not [kind for kind in item.kinds if not re.search(rf"record[s]? `{kind}`", home)]
    assert not [event for event in item.events if f"`{event}`" not in home]
    assert not [fact for fact in item.facts if f"`{fact}`" not in home]
    assert item.is_self_tested == ("--self-test" in home)


def test_what_is_looked_at_exists() -> None:
    assert not {code for item in REQUIREMENTS for code in item.codes} - set(CODES)
    assert not {kind for item in REQUIREMENTS for kind in item.kinds} - set(KINDS)


def test_a_report_has_something_of_every_line() -> None:
    assert all(item.codes or item.kinds or item.events or item.is_self_tested for item in REQUIREMENTS)
    assert not {event for item in REQUIREMENTS for event in item.events} - set(WHAT)
