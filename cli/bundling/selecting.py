"""Which records to open: names, folders, patterns, on the names as they were recorded; numbers; kinds.

    drawings/pump.dwg  drawings/  'drawings/*.dwg'    path records, by name, folder or pattern
    point:3  measure:1                                one record that has a number
    point:3+locators                                  and where the point is found
    point:3+files                                     and the files that its locators name
    kind:measure                                      every record of a kind

A pattern opens no more than it says: `*` and `?` stay within one part of a path, `**` crosses parts.
A name that exists as such is taken as a name, whatever characters it holds; `./point:3` is a file.
"""

from __future__ import annotations

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence

from mizheng.cli.errors import InputFault, UsageFault
from mizheng.cli.sealing.records import PATH_KINDS
from mizheng.verifier.record import KINDS, NUMBER_KINDS

Line = Callable[[], bytes]
"""Gives the record's bytes, if they are needed."""


class Selection:
    """Patterns, and which of them have matched something."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [_choice(pattern) for pattern in patterns]

    def wants(self, kind: str, label: bytes, line: Line) -> bool:
        """Whether the record of this line, kind and label is to be opened. Ask in the order of the seal:
        points come before the files that they speak of.
        """
        found = False
        for pattern in self._patterns:
            if pattern.matches(kind, label, line):
                pattern.count += 1
                found = True
        return found

    def passes_over(self, names: bytes) -> bool:
        """Whether none of some files, links and unreadable things can be wanted, by their packed names: of a
        million few are, and to look at each takes seconds."""
        return all(pattern.passes_over(names) for pattern in self._patterns)

    def check(self) -> None:
        """InputFault for a pattern that matched nothing: a bundle without it would be a surprise."""
        for pattern in self._patterns:
            if not pattern.count:
                raise InputFault(
                    "nothing sealed is called {name}",
                    "mizheng bundle NAME.seal --list shows the names as they were recorded",
                    name=pattern.text,
                )


class _Choice(ABC):
    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0

    @abstractmethod
    def matches(self, kind: str, label: bytes, line: Line) -> bool: ...

    @abstractmethod
    def passes_over(self, names: bytes) -> bool: ...


class _Path(_Choice):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._exact = os.fsencode(text.removeprefix("./"))
        self._folder = self._exact if self._exact.endswith(b"/") else None
        self._regex = re.compile(_translate(self._exact), re.DOTALL) if _is_glob(self._exact) else None
        # What stands before the first sign of a pattern stands in every name that it matches.
        self._literal = re.split(rb"[*?[]", self._exact, maxsplit=1)[0]

    def matches(self, kind: str, label: bytes, line: Line) -> bool:
        if kind not in PATH_KINDS:
            return False
        if label == self._exact or (self._folder is not None and label.startswith(self._folder)):
            return True
        return self._regex is not None and self._regex.fullmatch(label) is not None

    def passes_over(self, names: bytes) -> bool:
        return self._literal not in names


class _Kind(_Choice):
    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self._kind = kind
        if kind not in KINDS:
            raise UsageFault(
                "{name} is not a kind of record", "one of: {kinds}", name=kind, kinds=", ".join(KINDS)
            )

    def matches(self, kind: str, label: bytes, line: Line) -> bool:
        return kind == self._kind

    def passes_over(self, names: bytes) -> bool:
        return self._kind not in PATH_KINDS


class _Number(_Choice):
    """A numbered record; of a point, also its locators and the files they name where that is asked for."""

    def __init__(self, text: str, kind: str, number: str, more: str) -> None:
        super().__init__(text)
        self._kind = kind
        self._number = number.encode()
        self._more = more
        self._files: set[bytes] = set()
        if more and kind != "point":
            raise UsageFault("{name}: only a point has locators", name=text)

    def matches(self, kind: str, label: bytes, line: Line) -> bool:
        if kind == self._kind and label == self._number:
            return True
        if self._more and kind == "locator":
            locator = json.loads(line())
            if str(locator["point"]).encode() == self._number:
                self._files.add(locator["path"].encode())
                return True
        # What a locator names may be a folder: the point is about what lies in it.
        return self._more == "files" and kind in PATH_KINDS and self._is_named(label)

    def passes_over(self, names: bytes) -> bool:
        # Locators come before all files.
        return not any(name in names for name in self._files)

    def _is_named(self, label: bytes) -> bool:
        return label in self._files or any(label.startswith(name + b"/") for name in self._files)


_NUMBERED = re.compile(rf"({'|'.join(NUMBER_KINDS)}):([1-9][0-9]*)(?:\+(locators|files))?")
_OF_KIND = re.compile(r"kind:([a-z]+)")


def _choice(text: str) -> _Choice:
    if found := _NUMBERED.fullmatch(text):
        return _Number(text, found[1], found[2], found[3] or "")
    if found := _OF_KIND.fullmatch(text):
        return _Kind(text, found[1])
    return _Path(text)


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
