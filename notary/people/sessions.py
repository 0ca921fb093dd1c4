"""Sessions: kept by the notary, known to the browser by a random token of which only the SHA-256 is stored.

A session ends after half an hour without a request, after twelve hours whatever happens, when its member is
barred, and when somebody ends it. Each login makes a new token; the one before it is dead from then on.
Nothing is written down of the browser or its address.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.people.members import Member, hash_code, is_company_barred, load_member
from mizheng.notary.people.permissions import Actor, Role
from mizheng.notary.people.tables import sessions
from sqlalchemy import Connection, Row, delete, insert, or_, select, update

IDLE_SECONDS = 30 * 60
ABSOLUTE_SECONDS = 12 * 3600
# So long after a login somebody may change what decides on who can log in, and give rights.
FRESH_SECONDS = 10 * 60
# How somebody logged in. With the last one the provider did not say that it was just now: it may have passed
# on a login of this morning, which is enough to work with, and not to change what decides on who can log in.
PASSKEY, PROVIDER, EARLIER = "passkey", "oidc", "oidc-earlier"
# Written down no oftener: a page is several requests.
_SEEN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Session:
    """A request's session."""

    id: int
    member: Member
    method: str
    is_strong: bool
    created_at: int
    seen_at: int
    logout_url: str | None
    """Where the provider's session is ended."""
    csrf: str = field(repr=False)
    """What a form of this session carries; nobody who lacks the token can know it."""

    @property
    def actor(self) -> Actor:
        member = self.member
        roles = member.roles or frozenset({Role.MEMBER})
        return Actor(roles, member.organisation_id, member.id, self.is_strong)

    @property
    def is_fresh(self) -> bool:
        return self.method != EARLIER and time.time() - self.created_at < FRESH_SECONDS


def open_session(
    connection: Connection,
    member: Member,
    method: str,
    *,
    is_strong: bool,
    replaces: str | None,
    logout_url: str | None = None,
) -> str:
    """A new session's token, after a login; `replaces` is the token that the browser had before."""
    now = int(time.time())
    old = [
        sessions.c.created_at <= now - ABSOLUTE_SECONDS,
        sessions.c.seen_at <= now - IDLE_SECONDS,
    ]
    if replaces is not None:
        old.append(sessions.c.token_sha256 == hash_code(replaces))
    connection.execute(delete(sessions).where(or_(*old)))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(sessions),
        {
            "member_id": member.id,
            "token_sha256": hash_code(token),
            "method": method,
            "is_strong": is_strong,
            "created_at": now,
            "seen_at": now,
            "logout_url": logout_url,
        },
    )
    record(connection, "login", member.actor, actor=member.actor, detail={"by": method, "strong": is_strong})
    return token


def find_session(connection: Connection, token: str | None) -> Session | None:
    """The session of this token, if it still is one."""
    if not token:
        return None
    now = int(time.time())
    row = connection.execute(
        select(sessions).where(
            sessions.c.token_sha256 == hash_code(token),
            sessions.c.created_at > now - ABSOLUTE_SECONDS,
            sessions.c.seen_at > now - IDLE_SECONDS,
        )
    ).one_or_none()
    if row is None:
        return None
    member = load_member(connection, row.member_id)
    if member.is_disabled or is_company_barred(connection, member.organisation_id):
        return None
    return Session(
        row.id,
        member,
        row.method,
        row.is_strong,
        row.created_at,
        row.seen_at,
        row.logout_url,
        csrf_token(token),
    )


def needs_touch(session: Session) -> bool:
    """Whether it should be written down that the session is in use."""
    return time.time() - session.seen_at >= _SEEN_SECONDS


def touch(connection: Connection, session: Session) -> None:
    connection.execute(update(sessions).where(sessions.c.id == session.id).values(seen_at=int(time.time())))


def list_sessions(connection: Connection, member: Member) -> Sequence[Row[Any]]:
    """The sessions that a member has now, the newest first."""
    now = int(time.time())
    query = select(sessions).where(
        sessions.c.member_id == member.id,
        sessions.c.created_at > now - ABSOLUTE_SECONDS,
        sessions.c.seen_at > now - IDLE_SECONDS,
    )
    return connection.execute(query.order_by(sessions.c.id.desc())).all()


def end_session(connection: Connection, member: Member, session_id: int, *, by: Member) -> bool:
    """End one session of this member; whether there was one."""
    query = delete(sessions).where(sessions.c.id == session_id, sessions.c.member_id == member.id)
    if not connection.execute(query).rowcount:
        return False
    record(connection, "logout", member.actor, actor=by.actor)
    return True


def end_sessions(connection: Connection, member: Member, *, by: Member, keep: int | None = None) -> None:
    """End all sessions of this member but the one with the number `keep`."""
    query = delete(sessions).where(sessions.c.member_id == member.id)
    if keep is not None:
        query = query.where(sessions.c.id != keep)
    count = connection.execute(query).rowcount
    record(connection, "logout", member.actor, actor=by.actor, detail={"sessions": count})


def csrf_token(token: str) -> str:
    """Derived from the session's token, so that nothing more is kept."""
    return hmac.new(token.encode(), b"mizheng/csrf/v1", hashlib.sha256).hexdigest()
