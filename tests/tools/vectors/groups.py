"""All vectors, group by group."""

from __future__ import annotations

from . import containers, sound, spelled
from .case import Case


def cases() -> list[Case]:
    return [case for group in (sound, containers, spelled) for case in group.cases()]
