"""What has happened that somebody wants to be told: read from the tables, behind everything that is answered.

Nothing that takes deposits or anchors knows of webhooks. Each webhook has marks for how far it has been
looked for it; a step finds what lies between them and the present, puts it into the outbox and moves the
marks, in one transaction. Dying before its commit, the next step finds the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mizheng.notary.certificates.tables import certificates
from mizheng.notary.models import deposits, entries
from mizheng.notary.webhooks.hooks import ANCHORED, DEPOSITED, FINAL, ISSUED, Sizes
from mizheng.notary.webhooks.outbox import WAITING, put_message
from mizheng.notary.webhooks.tables import webhook_deliveries, webhooks
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.certificate_number import show_grouped
from sqlalchemy import Connection, Row, func, select, update

# So many messages of one webhook wait at most; the rest is found when these have gone.
MAX_WAITING = 1_000
# So many are found for one webhook in one step, so that no transaction is long.
_AT_ONCE = 200

_STATES = {DEPOSITED: "deposited", ANCHORED: "anchored", FINAL: "final"}


@dataclass(slots=True)
class Noticed:
    """What is new for one webhook."""

    webhook_id: int
    marks: dict[str, int]
    """How far it has been looked, by column; empty: too much waits already, and nothing was looked for."""
    messages: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    """Event, leaf index, and what is told."""
    is_all: bool = True
    """False: the next step finds more at once."""


def notice(connection: Connection, sizes: Sizes) -> list[Noticed]:
    """For every webhook that is behind: what has happened since. Within `reading`, with sizes of the same
    snapshot.
    """
    marks = webhooks.c
    behind = select(webhooks).where(
        (marks.deposited_size < sizes.deposited)
        | (marks.anchored_size < sizes.anchored)
        | (marks.final_size < sizes.final)
        | (marks.issue_order < sizes.issued)
    )
    return [_look(connection, hook, sizes) for hook in connection.execute(behind).all()]


def record(connection: Connection, noticed: Sequence[Noticed], now: int) -> None:
    """Put it into the outbox; within `writing`. What another process has put there, the index refuses."""
    for found in noticed:
        if not found.marks:
            continue
        # A webhook that was removed meanwhile is behind nothing any more.
        changed = connection.execute(
            update(webhooks).where(webhooks.c.id == found.webhook_id).values(**found.marks)
        )
        if changed.rowcount:
            for event, leaf_index, data in found.messages:
                put_message(connection, found.webhook_id, event, leaf_index, data, now)


def _look(connection: Connection, hook: Row[Any], sizes: Sizes) -> Noticed:
    wanted = set(hook.events.split())
    table = webhook_deliveries
    waiting = select(func.count()).where(table.c.webhook_id == hook.id, table.c.state == WAITING)
    room = min(_AT_ONCE, MAX_WAITING - (connection.execute(waiting).scalar() or 0))
    found = Noticed(hook.id, {})
    if room <= 0:
        return found
    # Nobody is told that a deposit is anchored before he is told of the deposit.
    end = sizes.deposited
    for event, mark, size in (
        (DEPOSITED, "deposited_size", sizes.deposited),
        (ANCHORED, "anchored_size", sizes.anchored),
        (FINAL, "final_size", sizes.final),
    ):
        start, end = getattr(hook, mark), min(end, size)
        if start < end and event in wanted:
            rows = list(_deposits(connection, hook.organisation_id, start, end, room))
            found.messages += [
                (event, index, {"id": deposit, "leaf_index": index, "state": _STATES[event]})
                for index, deposit in rows
            ]
            if len(rows) == room:
                end, found.is_all = rows[-1][0] + 1, False
        found.marks[mark] = end = max(start, end)
    _look_for_certificates(connection, hook, wanted, sizes, room, found)
    return found


def _look_for_certificates(
    connection: Connection, hook: Row[Any], wanted: set[str], sizes: Sizes, room: int, found: Noticed
) -> None:
    mark = sizes.issued
    if ISSUED in wanted and hook.issue_order < mark:
        query = (
            select(certificates, entries.c.envelope_sha256)
            .select_from(
                certificates.join(deposits, certificates.c.leaf_index == deposits.c.leaf_index).join(
                    entries, entries.c.leaf_index == certificates.c.leaf_index
                )
            )
            .with_only_columns(
                certificates.c.leaf_index,
                certificates.c.number,
                certificates.c.issued_at,
                certificates.c.issue_order,
                entries.c.envelope_sha256,
            )
            .where(
                certificates.c.issue_order > hook.issue_order,
                certificates.c.issue_order <= mark,
                deposits.c.organisation_id == hook.organisation_id,
            )
            .order_by(certificates.c.issue_order)
            .limit(room)
        )
        rows = connection.execute(query).all()
        for row in rows:
            data = {
                "id": row.envelope_sha256.hex(),
                "leaf_index": row.leaf_index,
                "number": show_grouped(row.number),
                "issued_at": format_instant(row.issued_at),
            }
            found.messages.append((ISSUED, row.leaf_index, data))
        if len(rows) == room:
            mark, found.is_all = rows[-1].issue_order, False
    found.marks["issue_order"] = mark


def _deposits(
    connection: Connection, organisation_id: int, start: int, end: int, limit: int
) -> Iterator[tuple[int, str]]:
    query = (
        select(deposits.c.leaf_index, entries.c.envelope_sha256)
        .select_from(deposits.join(entries))
        .where(
            deposits.c.organisation_id == organisation_id,
            deposits.c.leaf_index >= start,
            deposits.c.leaf_index < end,
        )
        .order_by(deposits.c.leaf_index)
        .limit(limit)
    )
    for row in connection.execute(query):
        yield row.leaf_index, row.envelope_sha256.hex()
