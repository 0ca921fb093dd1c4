"""Putting the audit log on record: its last row's digest becomes an event in the notary's own log.

The document says how many rows there are and what the last one's digest is, with a nonce, so that its digest
tells nothing; the event, signed by the issuer's key, names that digest, and its entry is anchored with all
others. Whoever rewrites a row that is on record contradicts the log, and its anchors.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

from mizheng.notary.auditing.tables import audit_heads, audit_log
from mizheng.notary.database import reading
from mizheng.notary.instance import Instance
from mizheng.notary.keys.settled import load_issuers
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.guard import writing_log
from mizheng.verifier.canonical import dump, format_instant, from_hex, parse_typed
from mizheng.verifier.event import NONCE_BYTES, Event
from sqlalchemy import Connection, func, insert, select

HEAD_TYPE = "mizheng/audit-head/v1"
ENTRY_KIND = "audit-head"


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The audit log at one length."""

    rows: int
    row_sha256: bytes
    """Of row number `rows`."""

    def dump(self, origin: str, now: int) -> bytes:
        return dump(
            {
                "type": HEAD_TYPE,
                "origin": origin,
                "rows": self.rows,
                "row_sha256": self.row_sha256.hex(),
                "recorded_at": format_instant(now),
                "nonce": secrets.token_bytes(NONCE_BYTES).hex(),
            }
        )


def parse_head(data: bytes) -> AuditHead:
    """Read a head's document; FormatError when it is none."""
    fields = {"origin": str, "rows": int, "row_sha256": str, "recorded_at": str, "nonce": str}
    value = parse_typed(data, HEAD_TYPE, fields)
    return AuditHead(value["rows"], from_hex(value["row_sha256"], 32))


class HeadRecorder:
    """`step` from one thread of one process."""

    def __init__(self, instance: Instance, interval: float) -> None:
        """`interval`: seconds that a row waits at most."""
        self._instance = instance
        self._interval = interval

    def step(self) -> bool:
        """Put the audit log on record if a row has waited for so long."""
        with reading(self._instance.engine) as connection:
            waiting_since = connection.execute(
                select(func.min(audit_log.c.at)).where(audit_log.c.number > _recorded(connection))
            ).scalar()
        if waiting_since is not None and time.time() - waiting_since >= self._interval:
            self.record()
        return False

    def record(self) -> int | None:
        """Put the audit log on record as it stands; its leaf index in the log, None if it is there already.

        LogBehindError and its like when nothing may be signed.
        """
        instance = self._instance
        issuer = instance.keys.issuer
        with writing_log(instance.engine, instance.guard) as turn:
            connection = turn.connection
            # A process that slept while the issuer's key was changed signs nothing with the old one.
            last = _last_row(connection)
            if last is None or last.number <= _recorded(connection):
                return None
            if load_issuers(connection)[-1:] != [issuer.public]:
                return None
            head = AuditHead(last.number, last.row_sha256)
            document = head.dump(instance.origin, int(time.time()))
            event = Event(issuer.public, hashlib.sha256(document).digest()).sign(issuer)
            entry = NewEntry(hashlib.sha256(event).digest(), ENTRY_KIND)
            place = turn.head.tree_size
            turn.head = append(connection, instance.signer, turn.head, [entry]).head
            number = connection.execute(select(func.max(audit_heads.c.number))).scalar() or 0
            connection.execute(
                insert(audit_heads),
                {
                    "number": number + 1,
                    "rows": head.rows,
                    "document": document,
                    "event": event,
                    "leaf_index": place,
                },
            )
        return place


def _recorded(connection: Connection) -> int:
    """How many rows are on record."""
    return connection.execute(select(func.max(audit_heads.c.rows))).scalar() or 0


def _last_row(connection: Connection) -> Any:
    query = select(audit_log.c.number, audit_log.c.row_sha256).order_by(audit_log.c.number.desc()).limit(1)
    return connection.execute(query).first()
