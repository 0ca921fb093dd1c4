"""What a person or a program reads: text and JSON on standard output, everything else on standard error.

Errors read `error: …`, then `hint: …` with what to do; lower case, no full stop.
"""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any

from mizheng.cli.terminal.language import N_, _, translate_with
from mizheng.cli.terminal.text import human_size, labelled, printable
from mizheng.verifier.errors import MizhengError

# Redrawing more often than this costs time and shows nothing more.
_REDRAW_SECONDS = 0.1
_BAR = 24
_FILE_COST = 20_000


# What the operating system says most often, which has no catalogue of ours.
_SYSTEM_REASONS = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Operation not permitted"),
    N_("File exists"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("No space left on device"),
    N_("Read-only file system"),
    N_("Input/output error"),
    N_("File name too long"),
    N_("Too many levels of symbolic links"),
    N_("Disk quota exceeded"),
)


def say(text: str = "") -> None:
    """One line of the result."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """One line about what is going on; not part of the result."""
    sys.stderr.write(text + "\n")


def emit_json(value: Any) -> None:
    """The result as one JSON document."""
    import json

    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def show_error(error: MizhengError) -> None:
    """`error:` and `hint:` in the language in use."""
    translate = translate_with()
    show_message(*(_filled(translate(text), error.values) for text in (error.message, error.hint)))


def show_message(message: str, hint: str = "") -> None:
    """The two lines themselves."""
    note(labelled(_("error:"), message))
    if hint:
        note(labelled(_("hint:"), hint))


def warn(text: str) -> None:
    """`warning: …`"""
    note(labelled(_("warning:"), text))


def harden_streams() -> None:
    """Never fail on a character that the terminal's encoding lacks: show its escape instead."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _filled(text: str, values: dict[str, object]) -> str:
    safe = {
        name: printable(value) if isinstance(value, (str, bytes)) else value for name, value in values.items()
    }
    if isinstance(values.get("reason"), str):
        safe["reason"] = translate_with()(str(safe["reason"]))
    return text.format(**safe)


class Progress:
    """A line on a terminal that says how far the work is; nothing in a pipe."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._things = self._size = 0
        self._all_things = self._all_size = 0
        self._drawn = 0.0
        self.is_shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def expect(self, things: int, size: int) -> None:
        """How much there is in all: without it, the line only counts."""
        self._all_things, self._all_size = things, size

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def advance(self, things: int, size: int) -> None:
        """So many more things and bytes are done."""
        self._things += things
        self._size += size
        if self.is_shown and time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._drawn = time.monotonic()
            sys.stderr.write(f"\r{self._line()}\x1b[K")
            sys.stderr.flush()

    def _line(self) -> str:
        if not self._all_things:
            return f"{self._label} {self._things}  {human_size(self._size)}"
        # A file costs about as much as 20 kB of content, so that empty files count too.
        done = self._things * _FILE_COST + self._size
        share = min(1.0, done / (self._all_things * _FILE_COST + self._all_size))
        filled = int(share * _BAR)
        return (
            f"{self._label} [{'#' * filled}{'.' * (_BAR - filled)}] {share:4.0%}  "
            f"{self._things}/{self._all_things}  {human_size(self._size)}"
        )
