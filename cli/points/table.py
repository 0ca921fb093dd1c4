"""One table of points.toml: each field is taken once and checked; what is left over is unknown."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.cli.points.model import LEVELS
from mizheng.cli.sealing.hashing import UnreadableError, digest_file
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.text import printable

_MAX_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: both message ids with their values."""

    where: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self) -> str:
        """In the language of the process."""
        return f"{self.where}: {_(self.message, **self.values)}"


class Table:
    """One table of the file; what is not taken from it is unknown, and said so."""

    def __init__(self, folder: Path, problems: list[Problem], where: str, value: Mapping[str, Any]) -> None:
        self._folder = folder
        self._problems = problems
        self._rest = dict(value)
        self.where = where

    def say(self, message: str, /, **values: object) -> None:
        self._problems.append(Problem(self.where, message, values))

    def take(self, name: str) -> Any:
        return self._rest.pop(name, None)

    def finish(self) -> None:
        for name in self._rest:
            self.say(N_("{field} is not known here"), field=printable(name))

    def words(self, name: str, *, required: bool = True) -> str:
        value = self.take(name)
        if isinstance(value, str) and (value.strip() or not required):
            return value.strip()
        if value is not None or required:
            self.say(N_("{field} is missing") if value is None else N_("{field} has no words"), field=name)
        return ""

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        value = self.take(name)
        if value in allowed:
            return str(value)
        self.say(N_("{field} is not one of: {allowed}"), field=name, allowed=", ".join(allowed))
        return allowed[0]

    def number(self, seen: set[int]) -> int:
        value = self.take("number")
        if type(value) is not int or not 1 <= value <= _MAX_NUMBER:
            self.say(N_("{field} takes {what}"), field="number", what="1, 2, 3, …")
            return 0
        if value in seen:
            self.say(N_("there are two points of number {number}"), number=value)
        seen.add(value)
        return value

    def level(self) -> str:
        names = {**LEVELS, **{word: word for word in LEVELS.values()}}
        return names[self.choice("level", tuple(names))]

    def date(self, name: str) -> str:
        value = self.take(name)
        if isinstance(value, str):
            try:
                value = datetime.date.fromisoformat(value)
            except ValueError:
                value = None
        # A time of day would claim more than such a paper says.
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return value.isoformat()
        self.say(N_("{field} takes {what}"), field=name, what="2026-01-31")
        return "2026-01-31"

    def term(self) -> str:
        value = self._rest.get("term")
        return self.date("term") if isinstance(value, datetime.date) else self.words("term")

    def evidence(self, *, required: bool = False) -> str | None:
        """SHA-256 of the file that `evidence` names."""
        path = self.words("evidence", required=required) if required or "evidence" in self._rest else ""
        if not path:
            return None
        try:
            return digest_file(os.fsencode(self._folder / path)).sha256
        except UnreadableError as error:
            self.say(
                N_("the evidence {path} cannot be read: {reason}"), path=printable(path), reason=_(str(error))
            )
            return None
