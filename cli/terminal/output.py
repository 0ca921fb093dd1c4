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
# Before this the time left is a guess from nothing.
_GUESS_SECONDS = 1.0


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
        self._began = time.monotonic()
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
        now = time.monotonic()
        if self.is_shown and now - self._drawn >= _REDRAW_SECONDS:
            self._drawn = now
            sys.stderr.write(f"\r{self._line(now - self._began)}\x1b[K")
            sys.stderr.flush()

    def _line(self, seconds: float) -> str:
        """What there is to see after so many seconds: how far, how fast, how long still."""
        rate = f"{human_size(int(self._size / seconds))}/s" if self._size and seconds > 0 else ""
        if not self._all_things:
            return f"{self._label} {self._things}  {human_size(self._size)}  {rate}".rstrip()
        # A file costs about as much as 20 kB of content, so that empty files count too.
        done = self._things * _FILE_COST + self._size
        share = min(1.0, done / (self._all_things * _FILE_COST + self._all_size))
        filled = int(share * _BAR)
        line = (
            f"{self._label} [{'#' * filled}{'.' * (_BAR - filled)}] {share:4.0%}  "
            f"{self._things}/{self._all_things}  {human_size(self._size)}  {rate}"
        )
        if share <= 0 or seconds < _GUESS_SECONDS:
            return line.rstrip()
        left = round(seconds / share - seconds)
        minutes, second = divmod(left, 60)
        hours, minute = divmod(minutes, 60)
        clock = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
        return _("{line}  {time} left", line=line.rstrip(), time=clock)
