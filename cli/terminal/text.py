"""Laying text out on a terminal: Chinese characters are two columns wide, names may hold anything."""

from __future__ import annotations

import os
import unicodedata

# Bidirectional overrides and isolates: they make a name read as another name.
_DECEPTIVE = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
# Characters that must not begin a line in Chinese typesetting (GB/T 15834 and common practice).
_NO_LINE_START = frozenset(",.;:!?)]}%，。；：！？）】》」』、…—”’")
_NO_LINE_END = frozenset("([{（【《「『“‘")


def display_width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    return sum(_columns(char) for char in text)


def pad(text: str, width: int) -> str:
    """`text` filled up with spaces to `width` columns."""
    return text + " " * max(0, width - display_width(text))


def wrap(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Break one paragraph into lines of at most `width` columns; Chinese breaks between characters."""
    lines: list[str] = []
    line = indent if first is None else first
    used = display_width(line)
    start = True
    for piece in _pieces(text):
        if start and piece == " ":
            continue
        columns = display_width(piece)
        if not start and used + columns > width and piece != " ":
            lines.append(line.rstrip())
            line, used = indent, display_width(indent)
        line += piece
        used += columns
        start = False
    lines.append(line.rstrip())
    return lines


def printable(name: bytes | str) -> str:
    """A file name made safe to show: control, deceptive and undecodable characters escaped.

    A name may hold a newline, an escape sequence that recolours the terminal, or a right-to-left
    override; none of these may shape what a person reads here.
    """
    text = name if isinstance(name, str) else os.fsdecode(name)
    return "".join(_visible(char) for char in text)


def labelled(label: str, text: str) -> str:
    """`label text`; a Chinese colon brings its own space."""
    return f"{label}{text}" if label.endswith("：") else f"{label} {text}"


def human_size(size: int) -> str:
    """`size` bytes in binary units with at most three digits before the point."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _visible(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if char == "\n":
        return "\\n"
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    if char in _DECEPTIVE or 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return char


def _pieces(text: str) -> list[str]:
    """Cut where a line may break: at spaces and around wide characters."""
    pieces: list[str] = []
    word = ""
    for char in text:
        if char == " ":
            pieces += [word, " "] if word else [" "]
            word = ""
        elif char in _NO_LINE_START and not word and pieces and pieces[-1] != " ":
            pieces[-1] += char
        elif _columns(char) == 2 and char not in _NO_LINE_END and char not in _NO_LINE_START:
            if word and word[-1] in _NO_LINE_END:
                pieces.append(word + char)
            else:
                pieces += [word, char] if word else [char]
            word = ""
        elif char in _NO_LINE_END and word and word[-1] not in _NO_LINE_END:
            pieces.append(word)
            word = char
        else:
            word += char
    if word:
        pieces.append(word)
    return pieces
