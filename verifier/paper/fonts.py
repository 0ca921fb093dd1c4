"""The two Chinese fonts, and which characters they can show.

Noto Serif SC for what is read, Noto Sans SC for headings: 宋体 and 黑体, as in Chinese official papers.
Both are whole, not cut down: names use rare characters. They come with the extra `pdf`.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

from .missing import need


@cache
def font_folder() -> Path:
    """The folder that holds both fonts; PaperError when they are not installed."""
    path: Path = need("pylopdf_fonts_zh_cn").serif_path()
    return path.parent


@cache
def covered() -> frozenset[int]:
    """Every code point that at least one of the two fonts has a glyph for."""
    paths = sorted(font_folder().glob("*.otf"))
    return frozenset().union(*(_code_points(path.read_bytes()) for path in paths))


def _code_points(font: bytes) -> set[int]:
    """The code points of an OpenType font: its character map of format 12 (OpenType 1.9, `cmap`)."""
    (tables,) = struct.unpack_from(">H", font, 4)
    for entry in range(tables):
        tag, _, start, _ = struct.unpack_from(">4sIII", font, 12 + 16 * entry)
        if tag == b"cmap":
            break
    else:
        raise ValueError("a font without a character map")
    (maps,) = struct.unpack_from(">H", font, start + 2)
    points: set[int] = set()
    for entry in range(maps):
        _, _, offset = struct.unpack_from(">HHI", font, start + 4 + 8 * entry)
        (form,) = struct.unpack_from(">H", font, start + offset)
        if form == 12:
            (groups,) = struct.unpack_from(">I", font, start + offset + 12)
            for group in range(groups):
                first, last, _ = struct.unpack_from(">III", font, start + offset + 16 + 12 * group)
                points.update(range(first, last + 1))
    return points
