"""The audit log as a file: one canonical JSON document a line (docs/spec/audit-log.md).

First the rows, whose SHA-256 are those of their lines, then every head that is on record, with its event and
its proof against the log's present checkpoint: whoever has the file needs nothing of the notary to check it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from mizheng.notary.auditing.checking import load_rows
from mizheng.notary.auditing.rows import NOTHING, parse_row
from mizheng.notary.auditing.tables import audit_heads
from mizheng.notary.errors import OperatorError
from mizheng.notary.log.head import load_head
from mizheng.notary.log.proofs import tlog_proof
from mizheng.notary.log.tiles import TileReader
from mizheng.verifier.canonical import dump, to_base64
from mizheng.verifier.errors import MizhengError
from sqlalchemy import Connection, select

RECORD_TYPE = "mizheng/audit-record/v1"


def export_lines(connection: Connection) -> Iterator[bytes]:
    """Every line, each ended by LF."""
    for row, _stored in load_rows(connection):
        yield row.dump() + b"\n"
    head, reader = load_head(connection), TileReader(connection)
    for found in connection.execute(select(audit_heads).order_by(audit_heads.c.number)):
        record = {
            "type": RECORD_TYPE,
            "document": to_base64(found.document),
            "event": to_base64(found.event),
            "tlog_proof": tlog_proof(reader, found.leaf_index, head).decode(),
        }
        yield dump(record) + b"\n"


def read_digests(data: bytes) -> list[bytes]:
    """The digests of the rows of an earlier export; OperatorError when their own links do not hold."""
    digests: list[bytes] = []
    previous = NOTHING
    for line in data.splitlines():
        if RECORD_TYPE.encode() in line:
            break
        try:
            row = parse_row(line)
        except MizhengError:
            raise OperatorError("line {number} of the export is malformed", number=len(digests) + 1) from None
        if row["number"] != len(digests) + 1 or row["previous"] != previous.hex():
            raise OperatorError("line {number} of the export does not follow", number=len(digests) + 1)
        previous = hashlib.sha256(line).digest()
        digests.append(previous)
    return digests
