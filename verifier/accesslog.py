"""The access log of one deposit: rows that name the row before them, each on record in the notary's log.

A row's bytes are what an event puts on record (`event`), not the document itself: so its place among the
others is on record with it. Take a row out, swap two or change one, and a row no longer names the one before
it; write all of them anew, and none of the new ones is on record when the old ones were. Rows taken off the
end alone are not seen in what is left: who keeps the log also keeps how far it had come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from .canonical import dump, from_hex, parse_instant, parse_typed
from .errors import ProofError
from .event import NONCE_BYTES

ROW_TYPE = "mizheng/access-log/v1"


@dataclass(frozen=True, slots=True)
class Row:
    """One row."""

    envelope_sha256: str
    """The deposit whose log this is, hex."""
    number: int
    """From 1."""
    previous: str | None
    """SHA-256 of the bytes of the row before, hex; None in the first."""
    document_sha256: str
    added_at: str
    nonce: bytes
    """32 random bytes."""

    def dump(self) -> bytes:
        return dump(
            {
                "type": ROW_TYPE,
                "envelope_sha256": self.envelope_sha256,
                "number": self.number,
                "previous": self.previous,
                "document_sha256": self.document_sha256,
                "added_at": self.added_at,
                "nonce": self.nonce.hex(),
            }
        )


def parse_row(data: bytes) -> Row:
    """Read a row; FormatError when it is none."""
    fields = {
        **dict.fromkeys(("envelope_sha256", "document_sha256", "added_at", "nonce"), str),
        "number": int,
        "previous": (str, type(None)),
    }
    value = parse_typed(data, ROW_TYPE, fields)
    for name in ("envelope_sha256", "document_sha256"):
        from_hex(value[name], 32)
    if value["previous"] is not None:
        from_hex(value["previous"], 32)
    parse_instant(value["added_at"])
    return Row(
        value["envelope_sha256"],
        value["number"],
        value["previous"],
        value["document_sha256"],
        value["added_at"],
        from_hex(value["nonce"], NONCE_BYTES),
    )


def verify_rows(rows: Iterable[tuple[bytes, bytes]], envelope_sha256: str) -> str | None:
    """Follow (row, document) pairs; the SHA-256 of the last row. ProofError names the first that is wrong."""
    previous: str | None = None
    number = 0
    for number, (data, document) in enumerate(rows, 1):
        row = parse_row(data)
        if row.envelope_sha256 != envelope_sha256:
            raise ProofError("row {number} of the access log is another deposit's", number=number)
        if row.number != number or row.previous != previous:
            raise ProofError("row {number} of the access log does not follow the one before", number=number)
        if row.document_sha256 != hashlib.sha256(document).hexdigest():
            raise ProofError("row {number} of the access log is of another document", number=number)
        previous = hashlib.sha256(data).hexdigest()
    return previous
