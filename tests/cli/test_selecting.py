"""`--open` opens what it says and not one record more."""

from __future__ import annotations

import pytest
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.errors import InputFault

LABELS = (
    b"drawings/pump.dwg",
    b"drawings/valve.dwg",
    b"drawings/old/pump.dwg",
    b"drawings/notes.txt",
    b"drawings-2/pump.dwg",
    "图纸/泵 [1].dwg".encode(),
    b"odd/\xff\xfe",
    b"odd/*",
)


def no_line() -> bytes:
    raise AssertionError("a path is known by its name")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("drawings/pump.dwg", [0]),
        ("./drawings/pump.dwg", [0]),
        ("drawings/*.dwg", [0, 1]),
        ("drawings/**", [0, 1, 2, 3]),
        ("drawings/**.dwg", [0, 1, 2]),
        ("drawings/", [0, 1, 2, 3]),
        ("drawings", []),
        ("*", []),
        ("*/*", [0, 1, 3, 4, 5, 6, 7]),
        ("drawings/????.dwg", [0]),
        ("drawings/[pv]*.dwg", [0, 1]),
        ("drawings/[!p]*.dwg", [1]),
        ("drawings/pump[.]dwg", [0]),
        ("图纸/泵 [1].dwg", [5]),
        ("odd/*", [6, 7]),
        ("odd/\udcff\udcfe", [6]),
        ("drawings/pump", []),
        ("pump.dwg", []),
        ("drawings[/]pump.dwg", [0]),
        ("drawings/[", []),
        ("drawings/(pump|valve).dwg", []),
    ],
)
def test_patterns(pattern: str, expected: list[int]) -> None:
    selection = Selection([pattern])
    assert [
        place for place, label in enumerate(LABELS) if selection.wants("file", label, lambda: b"")
    ] == expected
    if expected:
        selection.check()
    else:
        with pytest.raises(InputFault, match="nothing sealed is called"):
            selection.check()


def test_every_pattern_must_match_something() -> None:
    selection = Selection(["drawings/pump.dwg", "drawings/pmup.dwg"])
    assert [label for label in LABELS if selection.wants("file", label, no_line)] == [LABELS[0]]
    with pytest.raises(InputFault, match="pmup"):
        selection.check()
