"""The short way to read objects of strings says what the long way says, or nothing."""

from __future__ import annotations

from types import NoneType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.plain import Plain

from tests.support.scale import scaled

TYPE = "example/v1"
INNER = Plain(name=str, role=(str, NoneType))
SHAPE = Plain(type=TYPE, text=str, more=(str, NoneType), by=INNER, to=(INNER, NoneType))
GOOD: dict[str, Any] = {
    "type": TYPE,
    "text": "文件 {a}, [b]: 😀",
    "more": None,
    "by": {"name": "甲", "role": None},
    "to": {"name": "", "role": "court"},
}
short = settings(max_examples=scaled(100, 5000), deadline=None)
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=6)


def agrees(data: bytes) -> bool:
    """Whether the short way read it; it must be what the long way reads."""
    found = SHAPE.read(data)
    if found is None:
        return False
    value: Any = parse(data)
    assert found.keys() == value.keys() - {"type"}
    assert value["type"] == TYPE
    for name in ("text", "more"):
        assert found[name] == value[name]
    for name in ("by", "to"):
        text = found[name]
        assert (text and INNER.read(text)) == value[name]
    return True


def test_what_is_plain_is_read() -> None:
    assert agrees(dump(GOOD))
    assert agrees(dump({**GOOD, "more": "\u007f/ ", "to": None}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        dump({**GOOD, "text": 'a "word"'}),
        dump({**GOOD, "text": None}),
        dump({**GOOD, "by": None}),
        dump({**GOOD, "type": "example/v2"}),
        dump({**GOOD, "type": TYPE.replace("/", "\\")}),
        dump({**GOOD, "another": "field"}),
        dump({key: value for key, value in GOOD.items() if key != "more"}),
        dump(GOOD).replace(b",", b", "),
        dump(GOOD) + b"\n",
        dump(GOOD).replace(b"null", b'"\n"'),
        dump(GOOD).replace(b"court", b"\xed\xa0\x80"),
        dump(GOOD).replace(b"court", b"\\u0063"),
    ],
)
def test_what_is_not_plain_is_left_to_the_long_way(data: bytes) -> None:
    assert SHAPE.read(data) is None


@short
@given(texts, st.none() | texts, st.integers(0, 200), st.binary(max_size=2), st.integers(0, 3))
@example("a", None, 9, b'"', 0)
def test_whatever_it_reads_is_canonical(
    text: str, more: str | None, place: int, put: bytes, taken: int
) -> None:
    data = dump({**GOOD, "text": text, "more": more})
    agrees(data)
    place %= len(data)
    agrees(data[:place] + put + data[place + taken :])
