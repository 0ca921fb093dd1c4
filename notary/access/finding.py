"""Finding requests and what companies show of them: about a company's deposits, or what one lodged."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from mizheng.notary.access.kept import Lodged, Party, Shown, of_lodger, read_lodged, read_shown
from mizheng.notary.access.tables import access_requests, shown_documents
from mizheng.notary.errors import Problem
from mizheng.verifier.access import Access, Approval, Refusal, Withdrawal
from mizheng.verifier.canonical import format_instant, parse_instant
from sqlalchemy import ColumnElement, Connection, func, or_, select

_DIGEST = re.compile("[0-9a-f]{64}")


def list_requests(
    connection: Connection,
    party: Party,
    *,
    after: str | None = None,
    limit: int = 200,
    deposit: str | None = None,
) -> list[Lodged]:
    """Requests about a company's deposits, or those that a member lodged, the oldest first; `after` one of
    them, by its SHA-256. Problem `cursor-wrong`.
    """
    query = select(access_requests).where(_visible(party))
    if after is not None:
        query = query.where(access_requests.c.id > _place(connection, party, after))
    if deposit is not None:
        query = query.where(access_requests.c.envelope_sha256 == bytes.fromhex(deposit))
    return [read_lodged(row) for row in connection.execute(query.order_by(access_requests.c.id).limit(limit))]


def _place(connection: Connection, party: Party, sha256: str) -> int:
    # By its digest: from a number in the table everybody could tell how many requests others have.
    if _DIGEST.fullmatch(sha256):
        named = access_requests.c.sha256 == bytes.fromhex(sha256)
        query = select(access_requests.c.id).where(_visible(party), named)
        found = connection.execute(query).scalar_one_or_none()
        if found is not None:
            return int(found)
    raise Problem("cursor-wrong")


def list_newest_requests(connection: Connection, party: Party, limit: int) -> list[Lodged]:
    """The last of them, the newest first."""
    query = select(access_requests).where(_visible(party)).order_by(access_requests.c.id.desc())
    return [read_lodged(row) for row in connection.execute(query.limit(limit))]


def count_requests(connection: Connection, organisation_id: int, deposits_: Sequence[str]) -> dict[str, int]:
    """How many there are about each of these deposits of a company, if there are any."""
    envelope = access_requests.c.envelope_sha256
    query = select(envelope, func.count()).where(
        access_requests.c.organisation_id == organisation_id,
        envelope.in_([bytes.fromhex(item) for item in deposits_]),
    )
    return {row[0].hex(): row[1] for row in connection.execute(query.group_by(envelope))}


def describe_all(connection: Connection) -> list[dict[str, str | int]]:
    """Every request as the operator sees it, the oldest first: digest, instants, number of documents."""
    count = select(shown_documents.c.request_id, func.count()).group_by(shown_documents.c.request_id)
    shown = {row[0]: row[1] for row in connection.execute(count)}
    return [
        {
            "sha256": item.sha256,
            "lodged_at": format_instant(item.lodged_at),
            "ends_at": item.request.ends_at,
            "documents": shown.get(item.id, 0),
        }
        for item in map(
            read_lodged, connection.execute(select(access_requests).order_by(access_requests.c.id))
        )
    ]


def find_request(connection: Connection, party: Party, sha256: str) -> Lodged:
    """One that the party lodged or that is about its deposit; Problem `access-request-unknown`."""
    if not _DIGEST.fullmatch(sha256):
        raise Problem("access-request-unknown")
    wanted = bytes.fromhex(sha256)
    seen = or_(_visible(party), of_lodger(party))
    row = connection.execute(select(access_requests).where(seen, access_requests.c.sha256 == wanted)).first()
    if row is None:
        raise Problem("access-request-unknown")
    return read_lodged(row)


def documents_of(connection: Connection, request: Lodged) -> list[Shown]:
    """What its company shows of a request, in the order in which it came."""
    query = select(shown_documents).where(shown_documents.c.request_id == request.id)
    return [read_shown(row) for row in connection.execute(query.order_by(shown_documents.c.id))]


def documents_of_deposit(connection: Connection, organisation_id: int, deposit: str) -> list[Shown]:
    """All that a company shows of one of its deposits, in the order in which it came."""
    query = select(shown_documents).where(
        shown_documents.c.organisation_id == organisation_id,
        shown_documents.c.envelope_sha256 == bytes.fromhex(deposit),
    )
    return [read_shown(row) for row in connection.execute(query.order_by(shown_documents.c.id))]


def looks_of(connection: Connection, organisation_id: int, limit: int) -> list[tuple[Shown, Lodged]]:
    """The last looks that a company shows, the newest first, each with its request."""
    query = (
        select(shown_documents)
        .where(shown_documents.c.organisation_id == organisation_id, shown_documents.c.kind == Access.KIND)
        .order_by(shown_documents.c.id.desc())
        .limit(limit)
    )
    rows = list(connection.execute(query))
    numbers = {row.request_id for row in rows}
    found = connection.execute(select(access_requests).where(access_requests.c.id.in_(numbers)))
    requests = {row.id: read_lodged(row) for row in found}
    return [(read_shown(row), requests[row.request_id]) for row in rows]


def states_of(connection: Connection, requests: Sequence[Lodged]) -> dict[int, str]:
    """How each stands by what its company shows: open, approved, refused, withdrawn or expired.

    Whether enough and the right people approved is not judged here: the company's own program does.
    """
    numbers = [item.id for item in requests]
    rows = connection.execute(
        select(shown_documents)
        .where(shown_documents.c.request_id.in_(numbers))
        .order_by(shown_documents.c.id)
    )
    shown: dict[int, list[Shown]] = {}
    for row in rows:
        shown.setdefault(row.request_id, []).append(read_shown(row))
    return {item.id: state_of(item, shown.get(item.id, [])) for item in requests}


def state_of(request: Lodged, shown: Sequence[Shown]) -> str:
    """The same for one."""
    documents = [item.document for item in shown]
    if any(isinstance(item, Refusal) for item in documents):
        return "refused"
    given = {item.sha256 for item in shown if isinstance(item.document, Approval)}
    gone = {item.approval_sha256 for item in documents if isinstance(item, Withdrawal)}
    if given and given <= gone:
        return "withdrawn"
    if time.time() >= parse_instant(request.request.ends_at):
        return "expired"
    return "approved" if given else "open"


def _visible(party: Party) -> ColumnElement[bool]:
    if party.organisation_id is not None:
        return access_requests.c.organisation_id == party.organisation_id
    return of_lodger(party)
