"""Letting go of what was lodged and shown, when its purpose is over (个人信息保护法 第四十七条).

The notary needs none of it: what is evidence, the company and the requester have as files, and of those the
log has digests. So a request goes with all that its company showed of it; the audit log says that it went.
"""

from __future__ import annotations

from mizheng.notary.access.kept import read_lodged
from mizheng.notary.access.tables import access_requests, shown_documents
from mizheng.notary.auditing.recording import record
from mizheng.notary.errors import OperatorError
from mizheng.verifier.canonical import parse_instant
from sqlalchemy import Connection, delete, select


def forget(connection: Connection, sha256: str) -> int:
    """Delete a request with all that is shown of it, or one shown document; how many documents went.

    Within `writing`; OperatorError when there is none with this digest.
    """
    digest = bytes.fromhex(sha256)
    number = connection.execute(
        select(access_requests.c.id).where(access_requests.c.sha256 == digest)
    ).scalar_one_or_none()
    if number is not None:
        return _forget_request(connection, number, sha256)
    if not connection.execute(delete(shown_documents).where(shown_documents.c.sha256 == digest)).rowcount:
        raise OperatorError(
            "there is no such request and no such document", hint="see: mizheng-notary access list"
        )
    record(connection, "access.forget", f"document:{sha256[:16]}")
    return 1


def forget_ended(connection: Connection, before: int) -> int:
    """Delete every request whose term ended before this instant (unix seconds), with all that is shown of it;
    how many documents went. Within `writing`.
    """
    lodged = [read_lodged(row) for row in connection.execute(select(access_requests))]
    return sum(
        _forget_request(connection, item.id, item.sha256)
        for item in lodged
        if parse_instant(item.request.ends_at) < before
    )


def _forget_request(connection: Connection, number: int, sha256: str) -> int:
    shown = connection.execute(delete(shown_documents).where(shown_documents.c.request_id == number)).rowcount
    connection.execute(delete(access_requests).where(access_requests.c.id == number))
    record(connection, "access.forget", f"request:{sha256[:16]}", detail={"documents": shown + 1})
    return shown + 1
