"""Instants as people type them: RFC 3339 in UTC, or a day in China, whose whole it means."""

from __future__ import annotations

import datetime
import re

from mizheng.cli.errors import UsageFault
from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.errors import FormatError

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# China has one time zone and no summer time.
_CHINA = datetime.timezone(datetime.timedelta(hours=8))


def read_start(text: str) -> str:
    """From then on: a day begins with its first second."""
    return _read(text, 0)


def read_end(text: str) -> str:
    """Until then: a day ends with the next one's first second."""
    return _read(text, 1)


def _read(text: str, days: int) -> str:
    try:
        if not _DAY.fullmatch(text):
            return format_instant(parse_instant(text))
        first = datetime.datetime.fromisoformat(text).replace(tzinfo=_CHINA)
        return format_instant(int((first + datetime.timedelta(days=days)).timestamp()))
    except (FormatError, ValueError, OverflowError) as error:
        raise UsageFault(
            "{value} is no day and no instant",
            "a day in China such as 2026-12-31, or an instant such as 2026-12-31T16:00:00Z",
            value=text[:40],
        ) from error
