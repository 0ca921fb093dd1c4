"""Members: made, invited, given rights, barred. Every function belongs into one `writing` transaction.

Whether somebody may do this is decided before (`permissions`); `by` is who did it, for the audit log.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.auditing.rows import OPERATOR
from mizheng.notary.errors import OperatorError
from mizheng.notary.models import organisations
from mizheng.notary.people.permissions import Role, Target, can_be_together
from mizheng.notary.people.tables import (
    identities,
    invitations,
    member_roles,
    members,
    passkeys,
    sessions,
)
from sqlalchemy import Connection, delete, func, insert, select, update

# A week: long enough for a letter, short enough for one that was lost.
INVITATION_SECONDS = 7 * 86400
_MAX_NAME = 100
# Of one company, or of none, for whom an administrator makes accounts: nobody fills the list without end.
MAX_MEMBERS = 1_000
# Letters and digits that are not mistaken for each other; 12 of them are 59 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_PSEUDONYM = re.compile(f"[{_ALPHABET}]{{12}}")


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with an account. The name may be a pseudonym of his own choice, and goes nowhere else."""

    id: int
    pseudonym: str
    organisation_id: int | None
    name: str
    roles: frozenset[Role]
    is_disabled: bool

    @property
    def target(self) -> Target:
        return Target(self.organisation_id, self.id, self.roles)

    @property
    def actor(self) -> str:
        """As the audit log names him."""
        return f"member:{self.pseudonym}"


def add_member(
    connection: Connection,
    name: str,
    organisation_id: int | None,
    roles: frozenset[Role] = frozenset(),
    *,
    by: str = OPERATOR,
) -> Member:
    """Make an account that nobody can log in to yet; OperatorError when it cannot be."""
    name = name.strip()
    if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
        raise OperatorError("the name is empty, too long or has characters that cannot be printed")
    _require_compatible(roles, organisation_id)
    if by != OPERATOR:
        mine = select(func.count()).where(members.c.organisation_id == organisation_id)
        if connection.execute(mine).scalar_one() >= MAX_MEMBERS:
            raise OperatorError("there are as many members as there may be", hint="ask the notary's operator")
    now = int(time.time())
    pseudonym = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    number = connection.execute(
        insert(members)
        .values(pseudonym=pseudonym, organisation_id=organisation_id, name=name, created_at=now)
        .returning(members.c.id)
    ).scalar_one()
    for role in roles:
        connection.execute(insert(member_roles), {"member_id": number, "role": role.value, "granted_at": now})
    detail: dict[str, str | int] = {"roles": _spell(roles)}
    if organisation_id is not None:
        detail["organisation"] = organisation_id
    record(connection, "member.add", f"member:{pseudonym}", actor=by, detail=detail)
    return load_member(connection, number)


def invite(connection: Connection, member: Member, *, by: str = OPERATOR) -> str:
    """A code that makes its holder this member, once; earlier ones that were not used end."""
    if member.is_disabled:
        raise OperatorError("the member is disabled")
    now = int(time.time())
    end_invitations(connection, member)
    code = secrets.token_urlsafe(24)
    connection.execute(
        insert(invitations),
        {
            "member_id": member.id,
            "code_sha256": hash_code(code),
            "created_at": now,
            "expires_at": now + INVITATION_SECONDS,
        },
    )
    record(connection, "member.invite", f"member:{member.pseudonym}", actor=by)
    return code


def find_invitation(connection: Connection, code: str) -> int | None:
    """The number of an invitation that can still be used."""
    return connection.execute(
        select(invitations.c.id).where(
            invitations.c.code_sha256 == hash_code(code),
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > int(time.time()),
        )
    ).scalar_one_or_none()


def load_invited(connection: Connection, invitation: int) -> Member | None:
    """Whom the invitation is for, if it can still be used."""
    number = connection.execute(
        select(invitations.c.member_id).where(
            invitations.c.id == invitation,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > int(time.time()),
        )
    ).scalar_one_or_none()
    return None if number is None else load_member(connection, number)


def use_invitation(connection: Connection, invitation: int) -> Member | None:
    """Whom the invitation was for; None if it was used, ended or expired. Of two at once one gets it."""
    now = int(time.time())
    number = connection.execute(
        update(invitations)
        .where(
            invitations.c.id == invitation,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(invitations.c.member_id)
    ).scalar_one_or_none()
    member = None if number is None else load_member(connection, number)
    return None if member is None or member.is_disabled else member


def grant(connection: Connection, member: Member, role: Role, *, by: str = OPERATOR) -> None:
    """Give a role; OperatorError when it cannot stand beside those that the member has."""
    if role in member.roles:
        raise OperatorError("the member has this role already", hint="nothing was changed")
    _require_compatible(member.roles | {role}, member.organisation_id)
    values = {"member_id": member.id, "role": role.value, "granted_at": int(time.time())}
    connection.execute(insert(member_roles), values)
    record(connection, "role.grant", f"member:{member.pseudonym}", actor=by, detail={"role": role.value})


def end_invitations(connection: Connection, member: Member) -> None:
    """Codes that were handed out and not used are worth nothing from now on."""
    connection.execute(
        delete(invitations).where(invitations.c.member_id == member.id, invitations.c.used_at.is_(None))
    )


def has_joined(connection: Connection, member: Member) -> bool:
    """Whether the member has a way in."""
    return any(
        connection.execute(select(table.c.id).where(table.c.member_id == member.id).limit(1)).first()
        for table in (passkeys, identities)
    )


def revoke(connection: Connection, member: Member, role: Role, *, by: str = OPERATOR) -> None:
    """Take a role away; it ends with the next request."""
    found = connection.execute(
        delete(member_roles).where(member_roles.c.member_id == member.id, member_roles.c.role == role.value)
    )
    if not found.rowcount:
        raise OperatorError("the member does not have this role", hint="nothing was changed")
    record(connection, "role.revoke", f"member:{member.pseudonym}", actor=by, detail={"role": role.value})


def set_member_disabled(
    connection: Connection, member: Member, *, disabled: bool, by: str = OPERATOR
) -> None:
    """Bar a member, ending his sessions and invitations, or let him in again."""
    connection.execute(
        update(members)
        .where(members.c.id == member.id)
        .values(disabled_at=int(time.time()) if disabled else None)
    )
    if disabled:
        connection.execute(delete(sessions).where(sessions.c.member_id == member.id))
        end_invitations(connection, member)
    action = "member.disable" if disabled else "member.enable"
    record(connection, action, f"member:{member.pseudonym}", actor=by)


def erase_member(connection: Connection, member: Member, *, by: str = OPERATOR) -> None:
    """Take away all that says who the member is: from then on the pseudonym stands for nobody.

    The row stays, because the audit log speaks of it; so does the fact that there was such a member.
    """
    set_member_disabled(connection, member, disabled=True, by=by)
    for table in (passkeys, identities, member_roles, invitations):
        connection.execute(delete(table).where(table.c.member_id == member.id))
    connection.execute(update(members).where(members.c.id == member.id).values(name="-"))
    record(connection, "member.erase", f"member:{member.pseudonym}", actor=by)


def load_member(connection: Connection, number: int) -> Member:
    row = connection.execute(select(members).where(members.c.id == number)).one()
    return _read(row, _load_roles(connection, [number]).get(number, frozenset()))


def find_member(connection: Connection, pseudonym: str) -> Member | None:
    # What else somebody puts into a path is not asked for: PostgreSQL takes no NUL in a text.
    if not _PSEUDONYM.fullmatch(pseudonym):
        return None
    number = connection.execute(
        select(members.c.id).where(members.c.pseudonym == pseudonym)
    ).scalar_one_or_none()
    return None if number is None else load_member(connection, number)


def list_members(connection: Connection, organisation_id: int | None = None) -> Sequence[Member]:
    """All members, or those of one company, in the order in which they were made."""
    query = select(members).order_by(members.c.id)
    if organisation_id is not None:
        query = query.where(members.c.organisation_id == organisation_id)
    rows = connection.execute(query).all()
    roles = _load_roles(connection, None if organisation_id is None else [row.id for row in rows])
    return [_read(row, roles.get(row.id, frozenset())) for row in rows]


def is_company_barred(connection: Connection, organisation_id: int | None) -> bool:
    """Whether the member's company is disabled: then so is he."""
    if organisation_id is None:
        return False
    disabled_at = select(organisations.c.disabled_at).where(organisations.c.id == organisation_id)
    return connection.execute(disabled_at).scalar_one() is not None


def hash_code(code: str) -> bytes:
    """What is kept of a code or a token. They have 192 random bits and more, so plain SHA-256 is enough."""
    return hashlib.sha256(code.encode()).digest()


def _require_compatible(roles: frozenset[Role], organisation_id: int | None) -> None:
    if not can_be_together(roles, has_company=organisation_id is not None):
        raise OperatorError(
            "nobody can have these roles at once: {roles}",
            hint="a company's roles are for its members; the notary's three administrators are three persons",
            roles=_spell(roles),
        )


def _load_roles(connection: Connection, numbers: Sequence[int] | None) -> dict[int, frozenset[Role]]:
    query = select(member_roles.c.member_id, member_roles.c.role)
    if numbers is not None:
        query = query.where(member_roles.c.member_id.in_(numbers))
    found: dict[int, set[Role]] = {}
    for row in connection.execute(query):
        found.setdefault(row.member_id, set()).add(Role(row.role))
    return {number: frozenset(roles) for number, roles in found.items()}


def _read(row: Any, roles: frozenset[Role]) -> Member:
    return Member(row.id, row.pseudonym, row.organisation_id, row.name, roles, row.disabled_at is not None)


def _spell(roles: frozenset[Role]) -> str:
    return " ".join(sorted(role.value for role in roles))
