"""A company's deposits and events, page by page in the order of the log, each with its state.

The state is told by the place alone: what lies below the largest final head is final. So that a page costs no
more than its rows, wherever it begins.
"""

from __future__ import annotations

from typing import Any

from mizheng.notary.certificates.kept import Kept, read_kept
from mizheng.notary.certificates.tables import certificates
from mizheng.notary.chain.covering import covered_size
from mizheng.notary.log.keys import load_spans
from mizheng.notary.models import deposits, entries
from mizheng.verifier.canonical import format_instant
from sqlalchemy import Connection, Table, select

STATES = ("deposited", "anchored", "final")


def list_entries(
    connection: Connection,
    table: Table,
    organisation_id: int,
    *,
    state: str | None,
    after: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Rows of `deposits` or `events` behind the place `after`, with the fields of EntryItem."""
    spans = load_spans(connection)
    final = covered_size(connection, ("final",), spans)
    anchored = max(final, covered_size(connection, ("mined",), spans))
    # Of each state: from this place on, and below that one.
    ranges = {"final": (0, final), "anchored": (final, anchored), "deposited": (anchored, None)}
    start, end = ranges[state] if state else (0, None)
    first = 0 if after is None else after + 1
    index = table.c.leaf_index
    query = (
        select(index, table.c.received_at, entries.c.envelope_sha256)
        .select_from(table.join(entries, index == entries.c.leaf_index))
        .where(
            table.c.organisation_id == organisation_id,
            index >= max(start, first),
        )
    )
    if end is not None:
        query = query.where(index < end)
    return [
        {
            "id": row.envelope_sha256.hex(),
            "leaf_index": row.leaf_index,
            "received_at": format_instant(row.received_at),
            "state": _state(row.leaf_index, final, anchored),
        }
        for row in connection.execute(query.order_by(index).limit(limit))
    ]


def state_at(connection: Connection, leaf_index: int) -> str:
    """How far the entry at this place has come, on the chain where it has come furthest."""
    spans = load_spans(connection)
    final = covered_size(connection, ("final",), spans)
    return _state(leaf_index, final, max(final, covered_size(connection, ("mined",), spans)))


def list_certificates(
    connection: Connection, organisation_id: int, *, after: int | None, limit: int
) -> list[tuple[str, Kept]]:
    """Certificates that a company has asked for, in the order of its deposits: with the deposit's id."""
    columns = [column for column in certificates.c if column.name != "pdf"]
    query = (
        select(*columns, entries.c.envelope_sha256)
        .select_from(
            deposits.join(certificates, certificates.c.leaf_index == deposits.c.leaf_index).join(
                entries, entries.c.leaf_index == deposits.c.leaf_index
            )
        )
        .where(
            deposits.c.organisation_id == organisation_id,
            deposits.c.leaf_index > (-1 if after is None else after),
        )
        .order_by(deposits.c.leaf_index)
        .limit(limit)
    )
    rows: list[Any] = list(connection.execute(query))
    return [(row.envelope_sha256.hex(), read_kept(row)) for row in rows]


def _state(leaf_index: int, final: int, anchored: int) -> str:
    return "final" if leaf_index < final else "anchored" if leaf_index < anchored else "deposited"
