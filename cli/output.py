"""What a person or a program reads: text and JSON on standard output, everything else on standard error.

Errors read `error: …`, then `hint: …` with what to do; lower case, no full stop.
"""

from __future__ import annotations

import json
import os
import sys
import time
from types import TracebackType
from typing import Any

from mizheng.verifier.errors import MizhengError

from .language import _, translate_with
from .text import display_width, human_size, printable

# Redrawing more often than this costs time and shows nothing more.
_REDRAW_SECONDS = 0.1


def say(text: str = "") -> None:
    """One line of the result."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """One line about what is going on; not part of the result."""
    sys.stderr.write(text + "\n")


def emit_json(value: Any) -> None:
    """The result as one JSON document."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def show_error(error: MizhengError) -> None:
    """`error:` and `hint:` in the language in use."""
    translate = translate_with()
    show_message(*(_filled(translate(text), error.values) for text in (error.message, error.hint)))


def show_message(message: str, hint: str = "") -> None:
    """The two lines themselves."""
    note(f"{_('error:')} {message}")
    if hint:
        note(f"{_('hint:')} {hint}")


def warn(text: str) -> None:
    """`warning: …`"""
    note(f"{_('warning:')} {text}")


def harden_streams() -> None:
    """Never fail on a character that the terminal's encoding lacks: show its escape instead."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _filled(text: str, values: dict[str, object]) -> str:
    if not values:
        return text
    safe = {
        name: printable(value) if isinstance(value, (str, bytes)) else value for name, value in values.items()
    }
    return text.format(**safe)


class Progress:
    """A line on a terminal that says how far the work is; nothing in a pipe."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._done = 0
        self._bytes = 0
        self._drawn = 0.0
        self._active = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Progress:
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def advance(self, items: int, size: int = 0) -> None:
        """So many more items and bytes are done."""
        self._done += items
        self._bytes += size
        if self._active and time.monotonic() - self._drawn >= _REDRAW_SECONDS:
            self._draw()

    def _draw(self) -> None:
        if not self._active:
            return
        self._drawn = time.monotonic()
        share = self._done / self._total if self._total else 1.0
        filled = int(share * 24)
        line = f"{self._label} [{'#' * filled}{'.' * (24 - filled)}] {self._done}/{self._total}  "
        line += human_size(self._bytes)
        if display_width(line) < 200:
            sys.stderr.write(f"\r{line}\x1b[K")
            sys.stderr.flush()
