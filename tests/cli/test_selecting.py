"""`--open` opens what it says and not one record more."""

from __future__ import annotations

import pytest
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.errors import InputFault
from mizheng.cli.sealfile.labels import pack_entry

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
    # A name alone, or among others: it is looked at.
    assert not any(selection.passes_over(pack_entry("file", LABELS[place])) for place in expected)
    assert not expected or not selection.passes_over(b"".join(pack_entry("file", name) for name in LABELS))
    if expected:
        selection.check()
    else:
        with pytest.raises(InputFault, match="nothing sealed is called"):
            selection.check()


@pytest.mark.parametrize(
    "pattern", ["drawings/pump.dwg", "./drawings/", "drawings/*.dwg", "point:1", "kind:measure"]
)
def test_files_that_cannot_be_wanted_are_passed_over(pattern: str) -> None:
    others = pack_entry("file", b"drawing/pump.dwg") + pack_entry("link", b"drawings")
    selection = Selection([pattern])
    assert selection.passes_over(others)
    assert Selection([pattern, "kind:link"]).passes_over(others) is False
    assert Selection([pattern, "**"]).passes_over(others) is False


def test_files_of_a_point_are_looked_at_once_its_locator_is_known() -> None:
    selection, names = Selection(["point:1+files"]), pack_entry("file", b"drawings/pump.dwg")
    assert selection.passes_over(names)
    assert selection.wants("locator", b"1", lambda: b'{"path":"drawings","point":1}')
    assert not selection.passes_over(names)


def test_every_pattern_must_match_something() -> None:
    selection = Selection(["drawings/pump.dwg", "drawings/pmup.dwg"])
    assert [label for label in LABELS if selection.wants("file", label, no_line)] == [LABELS[0]]
    with pytest.raises(InputFault, match="pmup"):
        selection.check()
