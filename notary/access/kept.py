"""Requests that were lodged, and the documents that companies show: checked, kept, found again.

The notary checks that each is signed by the key that it names and belongs to a deposit of this company. Whose
key that is, and who may approve for the company, it does not know and does not judge: both sides see the
documents themselves.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any

from mizheng.notary.access.tables import access_requests, shown_documents
from mizheng.notary.database import wait_for_turn
from mizheng.notary.errors import Problem
from mizheng.notary.models import deposits, entries
from mizheng.verifier.access import Access, Approval, Document, Refusal, Request, Withdrawal, parse_access
from mizheng.verifier.custody import Custody, read_custody
from mizheng.verifier.errors import MizhengError
from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select

DAY_SECONDS = 86_400
# More than an institute asks for in a day, and few enough that nobody fills a company's list.
MAX_REQUESTS_A_DAY = 100
# A case of some years with a look on every day.
MAX_DOCUMENTS_A_DEPOSIT = 5_000
CUSTODY = "custody"


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks for a list, lodges or shows: a company or a member. Whoever is neither has nothing."""

    organisation_id: int | None = None
    member_id: int | None = None


@dataclass(frozen=True, slots=True)
class Lodged:
    """A request as it is kept."""

    id: int
    organisation_id: int
    sha256: str
    data: bytes
    request: Request
    lodged_at: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A document that a company shows."""

    kind: str
    """Of `verifier.access`, or `custody`."""
    sha256: str
    data: bytes
    document: Document | Custody
    shown_at: int


def lodge(connection: Connection, data: bytes, by: Party) -> tuple[Lodged, bool]:
    """Keep a request for the company whose deposit it is about; whether it is new.

    Problem `access-document-wrong`, `access-request-elsewhere`, `deposit-unknown`, `access-limit`.
    """
    document = _read(data)
    if not isinstance(document, Request):
        raise Problem("access-document-wrong")
    # Sent twice at once, it is kept once.
    wait_for_turn(connection, "access")
    sha256 = hashlib.sha256(data).digest()
    found = connection.execute(select(access_requests).where(access_requests.c.sha256 == sha256)).first()
    if found is not None:
        if not _is_of(found, by):
            # What became of it is not for whoever has its bytes; that it is here, its requester should know.
            raise Problem("access-request-elsewhere")
        return read_lodged(found), False
    owner = _owner(connection, bytes.fromhex(document.envelope_sha256))
    now = int(time.time())
    recent = connection.execute(
        select(func.count()).where(of_lodger(by), access_requests.c.lodged_at > now - DAY_SECONDS)
    ).scalar_one()
    if recent >= MAX_REQUESTS_A_DAY:
        raise Problem("access-limit")
    values = {
        "organisation_id": owner,
        "envelope_sha256": bytes.fromhex(document.envelope_sha256),
        "member_id": by.member_id,
        "lodger_id": by.organisation_id if by.member_id is None else None,
        "sha256": sha256,
        "document": data,
        "lodged_at": now,
    }
    number = connection.execute(
        insert(access_requests).values(values).returning(access_requests.c.id)
    ).scalar_one()
    return Lodged(number, owner, sha256.hex(), data, document, now), True


def show_document(
    connection: Connection, organisation_id: int, data: bytes, *, request_id: int | None = None
) -> tuple[Shown, bool]:
    """Keep what a company shows of a deposit of its own; whether it is new. `request_id`: only of this one.

    Problem `access-document-wrong`, `access-request-unknown`, `deposit-unknown`, `access-limit`.
    """
    document = _read(data)
    wait_for_turn(connection, "access")
    sha256 = hashlib.sha256(data).digest()
    query = select(shown_documents).where(shown_documents.c.sha256 == sha256)
    found = connection.execute(query).first()
    if found is not None:
        if found.organisation_id != organisation_id:
            raise Problem("access-request-unknown")
        return read_shown(found), False
    found_id, envelope = _subject(connection, organisation_id, document)
    if request_id is not None and found_id != request_id:
        raise Problem("access-request-unknown")
    count = connection.execute(
        select(func.count()).where(shown_documents.c.envelope_sha256 == envelope)
    ).scalar_one()
    if count >= MAX_DOCUMENTS_A_DEPOSIT:
        raise Problem("access-limit")
    kind = CUSTODY if isinstance(document, Custody) else document.KIND
    now = int(time.time())
    connection.execute(
        insert(shown_documents).values(
            organisation_id=organisation_id,
            envelope_sha256=envelope,
            request_id=found_id,
            kind=kind,
            sha256=sha256,
            document=data,
            shown_at=now,
        )
    )
    return Shown(kind, sha256.hex(), data, document, now), True


def _subject(
    connection: Connection, organisation_id: int, document: Document | Custody
) -> tuple[int | None, bytes]:
    """The request and the deposit that a document is about; they are this company's."""
    if isinstance(document, Custody):
        envelope = bytes.fromhex(document.envelope_sha256)
        if _owner(connection, envelope) != organisation_id:
            raise Problem("deposit-unknown")
        return None, envelope
    table = access_requests
    if isinstance(document, Withdrawal):
        table = shown_documents
        named, column = document.approval_sha256, shown_documents.c.request_id
    elif isinstance(document, (Approval, Refusal, Access)):
        named, column = document.request_sha256, access_requests.c.id
    else:
        raise Problem("access-document-wrong")
    query = select(column.label("request"), table.c.envelope_sha256).where(
        table.c.organisation_id == organisation_id, table.c.sha256 == bytes.fromhex(named)
    )
    row = connection.execute(query).first()
    if row is None:
        raise Problem("access-request-unknown")
    return row.request, row.envelope_sha256


def _owner(connection: Connection, envelope: bytes) -> int:
    query = (
        select(deposits.c.organisation_id)
        .select_from(deposits.join(entries, entries.c.leaf_index == deposits.c.leaf_index))
        .where(entries.c.envelope_sha256 == envelope)
    )
    owner = connection.execute(query).scalar()
    if owner is None:
        raise Problem("deposit-unknown")
    return int(owner)


def of_lodger(party: Party) -> ColumnElement[bool]:
    """Of requests: that this party lodged them."""
    if party.member_id is not None:
        return access_requests.c.member_id == party.member_id
    return and_(access_requests.c.member_id.is_(None), access_requests.c.lodger_id == party.organisation_id)


def _is_of(row: Row[Any], party: Party) -> bool:
    """Whether this party lodged the request, or has the deposit that it is about: the same as `of_lodger`."""
    if party.member_id is not None:
        return bool(row.member_id == party.member_id)
    return party.organisation_id in (row.organisation_id, row.lodger_id)


def read_lodged(row: Row[Any]) -> Lodged:
    """A row of `access_requests`."""
    document = parse_access(row.document).document
    assert isinstance(document, Request)  # noqa: S101 - nothing else is kept there
    return Lodged(row.id, row.organisation_id, row.sha256.hex(), row.document, document, row.lodged_at)


def read_shown(row: Row[Any]) -> Shown:
    """A row of `shown_documents`."""
    return Shown(row.kind, row.sha256.hex(), row.document, _read(row.document), row.shown_at)


def _read(data: bytes) -> Document | Custody:
    try:
        if b"vnd.mizheng.custody." in data:
            return read_custody(data).verify()
        return parse_access(data).document
    except MizhengError as error:
        raise Problem("access-document-wrong") from error
