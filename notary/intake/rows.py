"""Statements of the path every deposit takes: compiled once, and handed to the driver.

They are SQLAlchemy's statements over the same tables, on its connections and in its transactions; left out
is its work for each execution and each row, which took longer than the statement itself. A failure is its
DBAPIError as everywhere. On PostgreSQL many rows go as one array a column: one statement, one answer.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Executable, Select, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = tuple[Any, ...]


class Asked:
    """A statement on its way. In a pipeline several may be asked before the first is waited for."""

    def __init__(self, connection: Connection, text: str, values: Any, *, many: bool = False) -> None:
        self._connection = connection
        self._text = text
        self._cursor = connection.connection.cursor()
        with self._failing():
            # By the dialect, where SQLAlchemy's own statements pass as well.
            dialect = connection.dialect
            (dialect.do_executemany if many else dialect.do_execute)(self._cursor, text, values)
            # SQLite has them already, and would take a statement that is not read to its end for one at work.
            self._found = self._fetch() if dialect.name == "sqlite" and self._cursor.description else None

    def rows(self) -> list[Row]:
        """The rows of a SELECT; to be asked for once."""
        if self._found is not None:
            return self._found
        with self._failing():
            return self._fetch()

    def _fetch(self) -> list[Row]:
        found = list(self._cursor.fetchall())
        self._cursor.close()
        return found

    @contextmanager
    def _failing(self) -> Iterator[None]:
        connection = self._connection
        dialect, driver = connection.dialect, connection.connection
        try:
            yield
        except dialect.loaded_dbapi.Error as error:
            is_lost = dialect.is_disconnect(error, driver, self._cursor)
            self._cursor.close()
            if is_lost:
                connection.invalidate(error)
            raise DBAPIError.instance(
                self._text,
                None,
                error,
                dialect.loaded_dbapi.Error,
                hide_parameters=True,
                connection_invalidated=is_lost,
                dialect=dialect,
            ) from error


class Statement:
    """One whose text never changes: values are given by the names of its bind parameters."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._has_rows = isinstance(statement, Select)
        self._compiled: dict[str, tuple[str, Sequence[str] | None, dict[str, Any]]] = {}

    def run(self, connection: Connection, **values: object) -> list[Row]:
        """The rows of a SELECT; nothing of any other statement, which is not waited for in a pipeline."""
        asked = self.ask(connection, **values)
        return asked.rows() if self._has_rows else []

    def ask(self, connection: Connection, **values: object) -> Asked:
        """The same, its rows to be fetched later."""
        text, order, fixed = self._compile(connection.dialect)
        given = {**fixed, **values} if fixed else values
        return Asked(connection, text, given if order is None else tuple(given[name] for name in order))

    def _compile(self, dialect: Dialect) -> tuple[str, Sequence[str] | None, dict[str, Any]]:
        found = self._compiled.get(dialect.name)
        if found is None:
            assert isinstance(self._statement, ClauseElement)  # noqa: S101 - all Core statements are
            compiled: Any = self._statement.compile(dialect=dialect)
            fixed = {name: value for name, value in compiled.params.items() if value is not None}
            found = self._compiled[dialect.name] = str(compiled), compiled.positiontup, fixed
        return found


class Insert:
    """INSERT of rows that have these columns."""

    def __init__(self, table: Table, *columns: Column[Any]) -> None:
        names, marks = ", ".join(column.name for column in columns), ", ".join("?" for _ in columns)
        arrays = ", ".join(_array(column) for column in columns)
        self._values = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of ours
        self._arrays = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """`rows`, at least one, with their values in the order of the columns."""
        if connection.dialect.name == "postgresql":
            Asked(connection, self._arrays, tuple(list(values) for values in zip(*rows, strict=True)))
        else:
            Asked(connection, self._values, rows, many=True)


class Lookup:
    """SELECT of the rows whose `column` is one of some values."""

    def __init__(self, query: Select[Any], column: Column[Any]) -> None:
        """`query` has no WHERE."""
        self._where = f"{query} WHERE {column.table.name}.{column.name}"
        self._array = _array(column)
        self._row = namedtuple("_row", query.selected_columns.keys())  # type: ignore[misc]

    def run(self, connection: Connection, values: Iterable[object]) -> list[Any]:
        """Rows in no order, with the columns' names; nothing is found for no values."""
        return self.ask(connection, values)()

    def ask(self, connection: Connection, values: Iterable[object]) -> Callable[[], list[Any]]:
        """The same, its rows to be fetched later."""
        wanted = tuple(values)
        if connection.dialect.name == "postgresql":
            asked = Asked(connection, f"{self._where} = ANY({self._array})", (list(wanted),))
        else:
            asked = Asked(connection, f"{self._where} IN ({','.join('?' * len(wanted))})", wanted)
        return lambda: [self._row(*row) for row in asked.rows()]


def _array(column: Column[Any]) -> str:
    # %b: in binary; as text every byte of an envelope would be two.
    return f"%b::{column.type.compile(_POSTGRESQL)}[]"
