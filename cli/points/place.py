"""Where a locator points: the place within a file, written once in Chinese with English beside it.

The record's `where` is read by people in court, long after this software; so it is words, not a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mizheng.cli.terminal.language import N_

_RANGE = re.compile(r"([1-9][0-9]{0,9})(?:-([1-9][0-9]{0,9}))?", re.ASCII)
_CELLS = re.compile(
    r"(?:[^!\n]{1,255}!)?\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6}(?::\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6})?"
)


def _page(value: Any) -> str | None:
    text = str(value) if type(value) is int else value
    found = _RANGE.fullmatch(text) if isinstance(text, str) else None
    return f"第 {found[0]} 页 (page {found[0]})" if found and _is_rising(found) else None


def _lines(value: Any) -> str | None:
    text = str(value) if type(value) is int else value
    found = _RANGE.fullmatch(text) if isinstance(text, str) else None
    return f"第 {found[0]} 行 (lines {found[0]})" if found and _is_rising(found) else None


def _cells(value: Any) -> str | None:
    is_range = isinstance(value, str) and _CELLS.fullmatch(value)
    return f"单元格 {value} (cells {value})" if is_range else None


def _module(value: Any) -> str | None:
    is_name = isinstance(value, str) and value.strip() and "\n" not in value
    return f"模块 {value} (module {value})" if is_name else None


def _words(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _is_rising(found: re.Match[str]) -> bool:
    return found[2] is None or int(found[1]) <= int(found[2])


# Field of a locator, what it takes (for the message), and its words.
PLACES: Mapping[str, tuple[str, Callable[[Any], str | None]]] = {
    "page": (N_('a number, or a range like "3-5"'), _page),
    "lines": (N_('a number, or a range like "10-24"'), _lines),
    "cells": (N_('a range like "Sheet1!B2:C9"'), _cells),
    "module": (N_("a name"), _module),
    "where": (N_("words"), _words),
}


def last_line(value: Any) -> int:
    """The highest line that a valid `lines` names."""
    found = _RANGE.fullmatch(str(value))
    assert found is not None  # noqa: S101 - checked by PLACES before
    return int(found[2] or found[1])
