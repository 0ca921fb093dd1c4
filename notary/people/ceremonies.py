"""What a login or an enrolment waits for between two requests: bound to a browser, for minutes, used once."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping

from mizheng.notary.people.members import hash_code
from mizheng.notary.people.tables import ceremonies
from sqlalchemy import Connection, delete, insert

SECONDS = 10 * 60
Data = Mapping[str, str | int]


def begin(connection: Connection, kind: str, data: Data) -> str:
    """A token for the browser's cookie; belongs into a `writing` transaction."""
    now = int(time.time())
    connection.execute(delete(ceremonies).where(ceremonies.c.expires_at <= now))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(ceremonies),
        {
            "token_sha256": hash_code(token),
            "kind": kind,
            "data": json.dumps(dict(data)),
            "expires_at": now + SECONDS,
        },
    )
    return token


def take(connection: Connection, kind: str, token: str | None) -> Data | None:
    """What was kept under this token, which is used up now; None if there is nothing of this kind."""
    if not token:
        return None
    row = connection.execute(
        delete(ceremonies)
        .where(ceremonies.c.token_sha256 == hash_code(token))
        .returning(ceremonies.c.kind, ceremonies.c.data, ceremonies.c.expires_at)
    ).one_or_none()
    if row is None or row.kind != kind or row.expires_at <= time.time():
        return None
    data: Data = json.loads(row.data)
    return data
