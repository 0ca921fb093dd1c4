"""Writing into the audit log: in the transaction of the act itself, so that neither is there alone."""

from __future__ import annotations

import time

from mizheng.notary.auditing.rows import NOTHING, OPERATOR, AuditRow, Detail
from mizheng.notary.auditing.tables import audit_log
from mizheng.notary.database import wait_for_turn
from mizheng.verifier.canonical import dump
from sqlalchemy import Connection, insert, select


def record(
    connection: Connection,
    action: str,
    subject: str,
    *,
    actor: str = OPERATOR,
    detail: Detail | None = None,
) -> AuditRow:
    """Append one act, in a `writing` transaction. Call it last: from here on others wait for the commit.

    `subject` and `detail` hold no names and no secrets: numbers, public prefixes, roles.
    """
    # The log's head is always locked before this, never behind it: so no two can wait for each other.
    wait_for_turn(connection, "audit")
    last = connection.execute(
        select(audit_log.c.number, audit_log.c.row_sha256).order_by(audit_log.c.number.desc()).limit(1)
    ).first()
    number, previous = (1, NOTHING) if last is None else (last.number + 1, last.row_sha256)
    row = AuditRow(number, int(time.time()), actor, action, subject, detail or {}, previous)
    connection.execute(
        insert(audit_log),
        {
            "number": row.number,
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "detail": dump(dict(row.detail)).decode(),
            "previous": row.previous,
            "row_sha256": row.sha256,
        },
    )
    return row
