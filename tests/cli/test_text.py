"""Names that lie, and text in two languages on one terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.cli.terminal.text import display_width, human_size, printable, wrap


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("图纸/泵.dwg".encode(), "图纸/泵.dwg"),
        (b"two\nlines", "two\\nlines"),
        (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("\u202egpj.exe".encode(), "\\u202egpj.exe"),
        ("\u2066a\u2069".encode(), "\\u2066a\\u2069"),
        ("a\u0085b".encode(), "a\\x85b"),
        (b"plain name", "plain name"),
    ],
)
def test_printable(name: bytes, shown: str) -> None:
    assert printable(name) == shown


@given(st.binary(max_size=60))
def test_no_name_reaches_the_terminal_raw(name: bytes) -> None:
    text = printable(name)
    assert text.encode("utf-8").decode("utf-8") == text
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text)


@given(st.text(alphabet="ab 中文，。（）", max_size=200), st.integers(20, 80))
def test_lines_fit_and_nothing_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width, indent="  ")
    # A run that cannot be broken may stick out; Chinese and spaces always can.
    longest = max((display_width(part) for part in text.replace("（", " ").split()), default=0)
    assert all(display_width(line) <= max(width, longest + 8) for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_punctuation_does_not_begin_a_line() -> None:
    for line in wrap("一二三四五六七八九十，" * 8, 20)[1:]:
        assert not line.startswith("，")


def test_sizes() -> None:
    assert human_size(0) == "0 B"
    assert human_size(1023) == "1023 B"
    assert human_size(1536) == "1.5 KiB"
    assert human_size(5 << 40) == "5.0 TiB"
