"""What is kept of certificates, as the routes and the pages read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mizheng.notary.certificates.tables import certificates
from mizheng.notary.models import deposits, entries
from mizheng.verifier.paper.certificate import CertificateFacts
from sqlalchemy import Connection, Row, Select, bindparam, insert, or_, select, update

WITHHELD, MASKED, PUBLISHED = VISIBILITIES = ("withheld", "masked", "published")

# A commitment may have been deposited several times; more than this nobody needs to be shown by a digest.
_MAX_FOUND = 16

# Built once, and without the PDF: a page does not read it.
_COLUMNS = [column for column in certificates.c if column.name != "pdf"]
_BY_NUMBER = select(*_COLUMNS).where(certificates.c.number == bindparam("number"))
_BY_LEAF = select(*_COLUMNS).where(certificates.c.leaf_index == bindparam("leaf_index"))
_BY_DIGEST = (
    select(*_COLUMNS)
    .select_from(certificates.join(entries, certificates.c.leaf_index == entries.c.leaf_index))
    .where(
        certificates.c.number.is_not(None),
        or_(
            certificates.c.commitment == bindparam("digest"),
            certificates.c.pdf_sha256 == bindparam("digest"),
            entries.c.envelope_sha256 == bindparam("digest"),
        ),
    )
    .order_by(certificates.c.leaf_index)
    .limit(_MAX_FOUND)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A certificate, or the wish for one while `number` is None."""

    leaf_index: int
    requested_at: int
    visibility: str
    number: str | None
    """Without its marks."""
    code_sha256: bytes | None
    issued_at: int | None
    signer: str | None
    pdf_sha256: bytes | None
    facts: bytes | None

    def read_facts(self) -> dict[str, Any]:
        """What the PDF says, by the names of CertificateFacts; attachments as name to SHA-256."""
        found: dict[str, Any] = json.loads(self.facts or b"{}")
        return found


def ask_for(connection: Connection, leaf_index: int, now: int) -> Kept:
    """Note the wish for a certificate of this deposit, unless there is one; within `writing`."""
    found = find_of_deposit(connection, leaf_index)
    if found is None:
        values = {"leaf_index": leaf_index, "requested_at": now, "visibility": MASKED}
        connection.execute(insert(certificates).values(values))
        found = find_of_deposit(connection, leaf_index)
    assert found is not None  # noqa: S101 - it was put there
    return found


def find_of_deposit(connection: Connection, leaf_index: int) -> Kept | None:
    return _one(connection, _BY_LEAF, leaf_index=leaf_index)


def find_by_number(connection: Connection, number: str) -> Kept | None:
    """By the number without its marks."""
    return _one(connection, _BY_NUMBER, number=number)


def find_by_digest(connection: Connection, digest: bytes) -> Sequence[Kept]:
    """Issued certificates whose envelope, commitment or PDF this is the digest of; the oldest first."""
    return [read_kept(row) for row in connection.execute(_BY_DIGEST, {"digest": digest})]


def load_pdf(connection: Connection, leaf_index: int) -> bytes | None:
    """The PDF, byte for byte as it was issued."""
    query = select(certificates.c.pdf).where(certificates.c.leaf_index == leaf_index)
    found: bytes | None = connection.execute(query).scalar()
    return found


def load_deposit(connection: Connection, leaf_index: int) -> Row[Any]:
    """The row of `deposits`, with its `envelope_sha256`."""
    query = (
        select(deposits, entries.c.envelope_sha256)
        .select_from(deposits.join(entries))
        .where(deposits.c.leaf_index == leaf_index)
    )
    return connection.execute(query).one()


def set_visibility(connection: Connection, leaf_index: int, visibility: str) -> None:
    """Who sees it without the code; within `writing`."""
    connection.execute(
        update(certificates).where(certificates.c.leaf_index == leaf_index).values(visibility=visibility)
    )


def dump_facts(facts: CertificateFacts, attachments: Mapping[str, str]) -> bytes:
    """What is stored of the facts: no code, and of the attachments only their SHA-256, hex."""
    fields = {**asdict(facts), "attachments": dict(attachments), "is_trial": facts.is_trial}
    del fields["lookup_code"]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _one(connection: Connection, query: Select[Any], **values: object) -> Kept | None:
    row = connection.execute(query, values).one_or_none()
    return None if row is None else read_kept(row)


def read_kept(row: Row[Any]) -> Kept:
    """Of a row with all columns but the PDF."""
    return Kept(
        row.leaf_index,
        row.requested_at,
        row.visibility,
        row.number,
        row.code_sha256,
        row.issued_at,
        row.signer,
        row.pdf_sha256,
        row.facts,
    )
