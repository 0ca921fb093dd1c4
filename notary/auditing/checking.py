"""Checking the audit log: its links, and what the notary's own log says of it.

1. each row, from the first: its number follows, it names the digest of the row before, its own digest holds
2. each head on record: the event is signed by a key of the issuer, names the document, and the digest of the
   last row that the document has is that row's
3. the event stands in the log: the entry at its place is the event's, and leads to the log's signed head
4. no entry that the log has of an audit head is without its head here
5. with an earlier export: every row of it is still there, unchanged

The log itself is checked by whoever follows it (`mizheng audit`): who has the database and all keys could put
another log into its place, but not into that of its anchors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.auditing.heads import ENTRY_KIND, parse_head
from mizheng.notary.auditing.rows import NOTHING, AuditRow
from mizheng.notary.auditing.tables import audit_heads, audit_log
from mizheng.notary.chain.tables import anchors
from mizheng.notary.keys.settled import load_issuers
from mizheng.notary.log.head import Head, load_head
from mizheng.notary.log.proofs import tlog_proof
from mizheng.notary.log.tiles import LogCorruptError, TileReader, read_entries
from mizheng.notary.models import entries
from mizheng.verifier import dsse
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.event import EVENT_PAYLOAD_TYPE, parse_event, verify_recorded
from mizheng.verifier.signature import PublicKey
from sqlalchemy import Connection, Row, func, select


class AuditError(MizhengError):
    """The audit log is not what it was; `row` is the first one of which that is known."""

    def __init__(self, message: str, row: int, **values: object) -> None:
        super().__init__(message, "", row=row, **values)
        self.row = row


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """An audit log in order."""

    rows: int
    recorded: int
    """So many of them are on record in the log."""
    final: int
    """So many are covered by an anchor that is final on some chain."""
    last_sha256: bytes
    """Digest of the last row: compare it with one that somebody kept."""


def load_rows(connection: Connection) -> Iterator[tuple[AuditRow, bytes]]:
    """Each row and the digest stored with it, the first one first; AuditError where one is malformed."""
    for row in connection.execute(select(audit_log).order_by(audit_log.c.number)):
        try:
            detail = json.loads(row.detail)
            made = AuditRow(row.number, row.at, row.actor, row.action, row.subject, detail, row.previous)
            made.dump()
        except (ValueError, TypeError, MizhengError):
            raise AuditError("row {row} of the audit log is malformed", row.number) from None
        yield made, row.row_sha256


def check_audit_log(connection: Connection, earlier: Sequence[bytes] = ()) -> AuditFinding:
    """Steps 1 to 5 on one snapshot; AuditError names the first row that is not what it was.

    `earlier`: the digests of the rows of an earlier export, the first one first.
    """
    digests = _check_links(connection)
    _check_earlier(digests, earlier)
    head, issuers = load_head(connection), load_issuers(connection)
    good, leaves = 0, []
    for row in connection.execute(select(audit_heads).order_by(audit_heads.c.number)):
        good = _check_head(connection, row, head, issuers, digests, good)
        leaves.append(row.leaf_index)
    known = select(entries.c.leaf_index).where(entries.c.kind == ENTRY_KIND).order_by(entries.c.leaf_index)
    if sorted(leaves) != list(connection.execute(known).scalars()):
        raise AuditError(
            "the log has a head of the audit log, from row {row} on, that is missing here", good + 1
        )
    final = connection.execute(
        select(func.max(anchors.c.tree_size)).where(anchors.c.state == "final")
    ).scalar()
    covered = select(func.max(audit_heads.c.rows)).where(audit_heads.c.leaf_index < (final or 0))
    return AuditFinding(
        len(digests),
        good,
        connection.execute(covered).scalar() or 0,
        digests[-1] if digests else NOTHING,
    )


def _check_links(connection: Connection) -> list[bytes]:
    digests: list[bytes] = []
    previous = NOTHING
    for row, stored in load_rows(connection):
        expected = len(digests) + 1
        if row.number != expected:
            raise AuditError("row {row} of the audit log is missing", expected)
        if row.previous != previous:
            raise AuditError("row {row} of the audit log does not follow the one before it", expected)
        if row.sha256 != stored:
            raise AuditError("row {row} of the audit log was changed", expected)
        digests.append(stored)
        previous = stored
    return digests


def _check_earlier(digests: Sequence[bytes], earlier: Sequence[bytes]) -> None:
    for number, digest in enumerate(earlier, start=1):
        if number > len(digests):
            raise AuditError("row {row} of the audit log, which the export has, is missing", number)
        if digests[number - 1] != digest:
            raise AuditError("row {row} of the audit log is not the one in the export", number)


def _check_head(
    connection: Connection,
    row: Row[Any],
    head: Head,
    issuers: Sequence[PublicKey],
    digests: Sequence[bytes],
    good: int,
) -> int:
    """The number of rows that this head covers; `good` were covered by the one before."""
    try:
        found = parse_head(row.document)
        if parse_event(dsse.parse(row.event, EVENT_PAYLOAD_TYPE).payload).public_key not in issuers:
            raise AuditError("the record of the audit log after row {row} is not signed by the issuer", good)
        stored = read_entries(connection, row.leaf_index, row.leaf_index + 1)
        if stored != [dump_entry(hashlib.sha256(row.event).digest())]:
            raise AuditError("the record of the audit log after row {row} does not stand in the log", good)
        proof = tlog_proof(TileReader(connection), row.leaf_index, head)
        checkpoint = verify_recorded(row.document, row.event, proof).checkpoint
    except (LogCorruptError, IndexError, ValueError):
        raise AuditError(
            "the record of the audit log after row {row} does not stand in the log", good
        ) from None
    except AuditError:
        raise
    except MizhengError:
        raise AuditError("the record of the audit log after row {row} does not check", good) from None
    if (checkpoint.size, checkpoint.root) != (head.tree_size, head.root_hash):
        raise AuditError("the record of the audit log after row {row} does not stand in the log", good)
    if found.rows > len(digests):
        raise AuditError("row {row} of the audit log, which is on record, is missing", len(digests) + 1)
    if digests[found.rows - 1] != found.row_sha256:
        # The links hold, so all of them were written anew: from which one on, an export tells.
        raise AuditError(
            "the audit log was written anew: row {row} or one up to {last} is not what is on record",
            good + 1,
            last=found.rows,
        )
    return found.rows
