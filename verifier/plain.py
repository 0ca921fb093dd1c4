"""A short way to read canonical objects of strings: one pattern, for what `canonical` parses and compares.

A string with nothing in it to escape (no quote, backslash or control character) is written in one way only
(RFC 8785 §3.2.2.2), and the keys of an object have one order. So an object of given fields whose strings are
all of this sort is what one pattern matches, and what it matches is canonical and has exactly these fields.
What it does not match may be good all the same; the long way reads that, or says what is wrong with it.
"""

from __future__ import annotations

import re
from types import NoneType
from typing import Any

_STRING = r'"[^"\\\x00-\x1f]*"'
_NAMED = r'"(?P<{name}>[^"\\\x00-\x1f]*)"'


class Plain:
    """Objects with exactly these fields, whose names are ASCII and can name a group of a pattern.

    A field is of type `str`; a `Plain`, an object in it; a tuple of one of the two and NoneType; or a string,
    which is all that it may hold.
    """

    __slots__ = ("_inner", "_pattern")

    def __init__(self, **fields: Any) -> None:
        self._inner = _object(fields, is_named=False)
        self._pattern = re.compile(_object(fields, is_named=True))

    def read(self, data: bytes | str) -> dict[str, str | None] | None:
        """Value of each field, an object's as its text; None where it is not plainly such an object."""
        try:
            text = data if isinstance(data, str) else data.decode("utf-8")
        except UnicodeDecodeError:
            return None
        match = self._pattern.fullmatch(text)
        return match and match.groupdict()

    def source(self, name: str = "") -> str:
        """The pattern of such an object within another one, a group of this name if there is one."""
        return f"(?P<{name}>{self._inner})" if name else self._inner


def _object(fields: dict[str, Any], *, is_named: bool) -> str:
    parts = (f'"{name}":{_value(fields[name], name if is_named else "")}' for name in sorted(fields))
    return r"\{" + ",".join(parts) + r"\}"


def _value(kind: Any, name: str) -> str:
    if isinstance(kind, tuple):
        (kind,) = (item for item in kind if item is not NoneType)
        return f"(?:{_value(kind, name)}|null)"
    if isinstance(kind, Plain):
        return kind.source(name)
    if isinstance(kind, str):
        return f'"{re.escape(kind)}"'
    return _NAMED.format(name=name) if name else _STRING
