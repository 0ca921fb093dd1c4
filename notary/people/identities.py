"""Accounts at OpenID providers, each of which is one member's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.people.failures import LoginError
from mizheng.notary.people.members import Member
from mizheng.notary.people.oidc import Identity
from mizheng.notary.people.tables import identities
from sqlalchemy import Connection, Row, insert, select


def link(connection: Connection, member: Member, identity: Identity) -> None:
    """From now on this account is the member's; LoginError when it is another one's."""
    owner = find_owner(connection, identity)
    if owner is not None:
        if owner != member.id:
            raise LoginError("identity-of-another")
        return
    connection.execute(
        insert(identities),
        {
            "member_id": member.id,
            "issuer": identity.issuer,
            "subject": identity.subject,
            "linked_at": int(time.time()),
        },
    )
    record(connection, "identity.link", member.actor, actor=member.actor)


def find_owner(connection: Connection, identity: Identity) -> int | None:
    """The id of the member whose account it is."""
    return connection.execute(
        select(identities.c.member_id).where(
            identities.c.issuer == identity.issuer, identities.c.subject == identity.subject
        )
    ).scalar_one_or_none()


def list_identities(connection: Connection, member: Member) -> Sequence[Row[Any]]:
    query = select(identities).where(identities.c.member_id == member.id)
    return connection.execute(query.order_by(identities.c.id)).all()
