"""Text from outside as it is set on paper: nothing invisible, nothing the fonts lack, room to break lines.

PDF/A refuses a character without a glyph, and a reader must not be shown less than there is. So each such
character, and each control character, bidi and combining mark, stands there by its code point:
`[U+202E]`. That is for reading; what the bytes are is in the record.
"""

from __future__ import annotations

import re
import unicodedata

from .fonts import covered

# Where a line may break. The templates turn it into a space of no width, so that a name copied from the page
# is the name.
BREAK = "\u200b"
# A word without a break of its own for this long gets one.
_LONGEST_WORD = 24
_AFTER = re.compile(r"([/_.\-+@=])(?=[^/_.\-+@=])")
_LONG_WORD = re.compile(rf"([!-~]{{{_LONGEST_WORD}}})(?=[!-~])")


def visible(text: object) -> str:
    """The text with everything that could not be seen, or not be shown, named by its code point."""
    known = covered()
    return "".join(char if _is_shown(char, known) else f"[U+{ord(char):04X}]" for char in str(text))


def breakable(text: object) -> str:
    """`visible`, with places to break lines: behind the marks that join file names, and in long words."""
    return _LONG_WORD.sub(rf"\1{BREAK}", _AFTER.sub(rf"\1{BREAK}", visible(text)))


def _is_shown(char: str, known: frozenset[int]) -> bool:
    if char == " ":
        return True
    # Categories: C control, format, surrogate, unassigned; Z spaces and separators; M combining marks.
    return unicodedata.category(char)[0] not in "CZM" and ord(char) in known
