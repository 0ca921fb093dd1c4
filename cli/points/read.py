"""Reading points.toml: TOML in, checked items out, or every problem with its place.

Paths in it are relative to the file itself, as a person sees them on the disk; in the records they become
the names under which the seal has them. Evidence files (a signed undertaking, a deed) need not be sealed:
their SHA-256 goes into the record, read when the points are read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mizheng.cli.errors import DataFault, InputFault
from mizheng.cli.points.model import Item, Label, Points
from mizheng.cli.points.place import PLACES, last_line
from mizheng.cli.points.table import Problem, Table
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.text import printable
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.record import CORROBORATION_TYPES, MANIFEST_KEY_BYTES, MEASURE_TYPES

POINTS_FORMAT = "mizheng/points/v1"
MAX_POINTS_BYTES = 8 << 20
# Counting lines of more than this would make checking slower than sealing.
_COUNTED_BYTES = 64 << 20


class PointsFault(DataFault):
    """points.toml is not what it should be; `problems` has all of it."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        first, more = problems[0], len(problems) - 1
        super().__init__(
            "{name}: {problem}",
            N_("mizheng points check {name} shows all {count} problems") if more else "",
            name=printable(str(path)),
            problem=first.text(),
            count=len(problems),
        )
        self.problems = tuple(problems)


def read_points(path: Path, label: Label) -> Points:
    """The checked content; PointsFault with every problem, InputFault when the file cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    if len(data) > MAX_POINTS_BYTES:
        raise DataFault("{name} is larger than {size} bytes", name=str(path), size=MAX_POINTS_BYTES)
    try:
        value = tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise PointsFault(path, [Problem(_("the file"), N_("it is not UTF-8 text"))]) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problem = Problem(_("the file"), N_("it is not TOML: {reason}"), {"reason": str(error)})
        raise PointsFault(path, [problem]) from error
    reader = _Reader(path.parent, label)
    items = tuple(reader.items(value))
    if reader.problems:
        raise PointsFault(path, reader.problems)
    return Points(path, items)


class _Reader:
    """Goes through the tables once and collects what is wrong instead of stopping at it."""

    def __init__(self, folder: Path, label: Label) -> None:
        self._folder = folder
        self._label = label
        self.problems: list[Problem] = []

    def items(self, value: Mapping[str, Any]) -> Iterator[Item]:
        if value.get("format") != POINTS_FORMAT:
            self._say(_("the file"), N_('it does not begin with format = "{format}"'), format=POINTS_FORMAT)
            return
        top = Table(self._folder, self.problems, _("the file"), value)
        top.take("format")
        tables = {name: self._tables(top, name) for name in ("points", *_NUMBERED)}
        authority = top.take("authority")
        top.finish()
        yield from self._points(tables["points"])
        for name, (kind, fields) in _NUMBERED.items():
            for number, (where, table) in enumerate(tables[name], 1):
                yield from self._item(
                    kind, number, fields(Table(self._folder, self.problems, where, table)), where
                )
        if authority is not None:
            yield from self._authority(authority)

    def _authority(self, value: Any) -> Iterator[Item]:
        if not isinstance(value, dict):
            self._say("[authority]", N_("it is not a table"))
            return
        table = Table(self._folder, self.problems, "[authority]", value)
        digest = table.evidence(required=True)
        table.finish()
        if digest:
            yield from self._item("authority", 0, {"sha256": digest}, "[authority]")

    def _points(self, tables: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Item]:
        seen: set[int] = set()
        locators: list[tuple[str, int, Mapping[str, Any]]] = []
        for where, value in tables:
            table = Table(self._folder, self.problems, where, value)
            number = table.number(seen)
            fields = {
                "title": table.words("title"),
                "statement": table.words("secret"),
                "distinction": table.words("differs"),
                "level": table.level(),
                "term": table.term(),
            }
            locators += [(place, number, item) for place, item in self._tables(table, "locators")]
            table.finish()
            yield from self._item("point", number, fields, where)
        for number, (where, point, value) in enumerate(locators, 1):
            found: dict[str, Any] = {
                "point": point,
                **self._locator(Table(self._folder, self.problems, where, value)),
            }
            yield from self._item("locator", number, found, where)

    def _locator(self, table: Table) -> dict[str, Any]:
        path = table.words("path")
        given = {name: table.take(name) for name in PLACES}
        given = {name: value for name, value in given.items() if value is not None}
        words = []
        for name, value in given.items():
            takes, convert = PLACES[name]
            text = convert(value)
            if text is None:
                table.say(N_("{field} takes {what}"), field=name, what=_(takes))
            else:
                words.append(text)
        if not given:
            table.say(N_("it says in which file, not where: give one of {fields}"), fields=", ".join(PLACES))
        table.finish()
        label = self._sealed(table, path) if path else b""
        if label and "lines" in given and len(words) == len(given):
            self._count_lines(table, path, last_line(given["lines"]))
        return {"path": label.decode(), "where": "; ".join(words)}

    def _sealed(self, table: Table, path: str) -> bytes:
        target = self._folder / path
        if not target.exists():
            table.say(N_("there is no file {path} beside points.toml"), path=printable(path))
            return b""
        label = self._label(target)
        if label is None:
            table.say(N_("{path} is not among what is sealed"), path=printable(path))
            return b""
        try:
            label.decode()
        except UnicodeDecodeError:
            table.say(N_("{path} has a name that is not UTF-8 in the seal"), path=printable(path))
            return b""
        return label

    def _count_lines(self, table: Table, path: str, last: int) -> None:
        target = self._folder / path
        try:
            if not target.is_file() or target.stat().st_size > _COUNTED_BYTES:
                return
            data = target.read_bytes()
        except OSError:
            # Sealing will say why; a line number is not worth a second complaint.
            return
        count = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        if last > count:
            table.say(N_("{path} has only {count} lines"), path=printable(path), count=count)

    def _tables(self, table: Table, name: str) -> list[tuple[str, Mapping[str, Any]]]:
        """(place, table) of an array of tables; the place as a person would find it in the file."""
        value = table.take(name)
        prefix = f"{table.where}, " if name == "locators" else ""
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            table.say(N_("{field} is not an array of tables: write [[{field}]]"), field=name)
            return []
        return [(f"{prefix}{name} {place}", item) for place, item in enumerate(value, 1)]

    def _item(self, kind: str, number: int, fields: Mapping[str, Any], where: str) -> Iterator[Item]:
        item = Item(kind, number, fields)
        if any(problem.where == where for problem in self.problems):
            return
        try:
            item.record(bytes(MANIFEST_KEY_BYTES))
        except MizhengError as error:
            self._say(where, N_("it cannot be a record: {reason}"), reason=_(error.message, **error.values))
            return
        yield item

    def _say(self, where: str, message: str, /, **values: object) -> None:
        self.problems.append(Problem(where, message, values))


def _measure(table: Table) -> dict[str, Any]:
    fields = {
        "type": table.choice("type", MEASURE_TYPES),
        "scope": table.words("scope"),
        "effective_from": table.date("effective_from"),
        "proof_sha256": table.evidence(),
    }
    table.finish()
    return fields


def _carrier(table: Table) -> dict[str, Any]:
    fields = {
        "type": table.words("type"),
        **{name: table.words(name, required=False) for name in ("serial", "place", "custodian")},
    }
    table.finish()
    return fields


def _source(table: Table) -> dict[str, Any]:
    fields = {name: table.words(name) for name in ("who", "system", "how")}
    table.finish()
    return fields


def _corroboration(table: Table) -> dict[str, Any]:
    fields = {
        "type": table.choice("type", CORROBORATION_TYPES),
        "detail": table.words("detail", required=False),
        "sha256": table.evidence(),
    }
    table.finish()
    return fields


# Arrays of the file, in the order of their records.
_NUMBERED: Mapping[str, tuple[str, Callable[[Table], dict[str, Any]]]] = {
    "measures": ("measure", _measure),
    "carriers": ("carrier", _carrier),
    "sources": ("source", _source),
    "corroborations": ("corroboration", _corroboration),
}
