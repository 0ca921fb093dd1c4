"""Which records to open: exact names, folders, patterns, on the names as they were recorded.

A pattern opens no more than it says: `*` and `?` stay within one part of a path, `**` crosses parts.
A name that exists as such is taken as a name, whatever characters it holds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from .errors import InputFault


class Selection:
    """Patterns, and which of them have matched something."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [_Pattern(pattern) for pattern in patterns]

    def wants(self, label: bytes) -> bool:
        """Whether a record of this label is to be opened."""
        found = False
        for pattern in self._patterns:
            if pattern.matches(label):
                pattern.count += 1
                found = True
        return found

    def check(self) -> None:
        """InputFault for a pattern that matched nothing: a bundle without it would be a surprise."""
        for pattern in self._patterns:
            if not pattern.count:
                raise InputFault(
                    "nothing sealed is called {name}",
                    "mizheng bundle NAME.seal --list shows the names as they were recorded",
                    name=pattern.text,
                )


class _Pattern:
    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0
        self._exact = os.fsencode(text.removeprefix("./"))
        self._folder = self._exact if self._exact.endswith(b"/") else None
        self._regex = re.compile(_translate(self._exact), re.DOTALL) if _is_glob(self._exact) else None

    def matches(self, label: bytes) -> bool:
        if label == self._exact or (self._folder is not None and label.startswith(self._folder)):
            return True
        return self._regex is not None and self._regex.fullmatch(label) is not None


def _is_glob(pattern: bytes) -> bool:
    return any(char in pattern for char in (b"*", b"?", b"["))


def _translate(pattern: bytes) -> bytes:
    return b"".join(_pieces(pattern))


def _pieces(pattern: bytes) -> Iterable[bytes]:
    position = 0
    while position < len(pattern):
        char = pattern[position : position + 1]
        if pattern[position : position + 2] == b"**":
            yield rb".*"
            position += 2
            continue
        if char == b"[" and (end := pattern.find(b"]", position + 2)) > 0:
            inner = pattern[position + 1 : end].replace(b"\\", rb"\\").replace(b"[", rb"\[")
            yield b"[" + (b"^/" + inner[1:] if inner[:1] in (b"!", b"^") else inner) + b"]"
            position = end + 1
            continue
        yield {b"*": rb"[^/]*", b"?": rb"[^/]"}.get(char, re.escape(char))
        position += 1
