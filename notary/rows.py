"""Many rows in one statement of the driver's own, where SQLAlchemy's work for a row costs more than the row.

The statements are made from the same tables; errors, events and the transaction stay SQLAlchemy's. On
PostgreSQL the rows go as one array a column, so that a hundred of them are one statement and one answer.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, Select, Table
from sqlalchemy.dialects import postgresql

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


class Insert:
    """INSERT of rows that have these columns."""

    def __init__(self, table: Table, *columns: Column[Any]) -> None:
        names, marks = ", ".join(column.name for column in columns), ", ".join("?" for _ in columns)
        arrays = ", ".join(_array(column) for column in columns)
        self._values = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of ours
        self._arrays = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608

    def run(self, connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """`rows`, at least one, with their values in the order of the columns."""
        if connection.dialect.name == "postgresql":
            columns = tuple(list(values) for values in zip(*rows, strict=True))
            connection.exec_driver_sql(self._arrays, columns)
        else:
            connection.exec_driver_sql(self._values, list(rows))


class Lookup:
    """SELECT of the rows whose `column` is one of some values."""

    def __init__(self, query: Select[Any], column: Column[Any]) -> None:
        """`query` has no WHERE."""
        self._where = f"{query} WHERE {column.table.name}.{column.name}"
        self._array = _array(column)

    def run(self, connection: Connection, values: Iterable[object]) -> CursorResult[Any]:
        """Rows in no order; nothing is found for no values."""
        wanted = tuple(values)
        if connection.dialect.name == "postgresql":
            return connection.exec_driver_sql(f"{self._where} = ANY({self._array})", (list(wanted),))
        marks = ",".join("?" * len(wanted))
        return connection.exec_driver_sql(f"{self._where} IN ({marks})", wanted)


def _array(column: Column[Any]) -> str:
    # %b: in binary; as text every byte of an envelope would be two.
    return f"%b::{column.type.compile(_POSTGRESQL)}[]"
