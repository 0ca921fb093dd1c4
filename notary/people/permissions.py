"""Who may do what: one table, and one function that decides.

A role gives an action within a reach: one's own account, one's own company, or all of the notary. The roles
of courts, appraisers and the notary's administrators count only in a session with two factors. API keys stand
in the same table: each scope is a role.

三员分立: the notary's system administrator makes accounts and gives no rights; its security administrator
gives rights and makes no accounts; its audit administrator alone reads the audit log, and does nothing else.
Nobody has two of the three, nobody changes his own roles, and the three are given at the notary's machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Role(Enum):
    """What somebody is; the values stand in the database."""

    COMPANY_ADMIN = "company-admin"
    COMPANY_OPERATOR = "company-operator"
    APPRAISER = "appraiser"
    CLERK = "clerk"
    SYSTEM_ADMIN = "system-admin"
    SECURITY_ADMIN = "security-admin"
    AUDIT_ADMIN = "audit-admin"
    # Of whom nothing was said yet.
    MEMBER = "member"
    # What an API key may be used for.
    SCOPE_DEPOSIT = "deposit"
    SCOPE_READ = "read"
    SCOPE_KEYS = "keys"
    SCOPE_WEBHOOKS = "webhooks"
    SCOPE_MAILBOX = "mailbox"
    SCOPE_ACCESS = "access"


COMPANY_ROLES = frozenset({Role.COMPANY_ADMIN, Role.COMPANY_OPERATOR})
JUDICIAL_ROLES = frozenset({Role.APPRAISER, Role.CLERK})
NOTARY_ROLES = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
MEMBER_ROLES = COMPANY_ROLES | JUDICIAL_ROLES | NOTARY_ROLES
# An API key of before there were scopes has all of them.
SCOPES = (
    Role.SCOPE_DEPOSIT,
    Role.SCOPE_READ,
    Role.SCOPE_KEYS,
    Role.SCOPE_WEBHOOKS,
    Role.SCOPE_MAILBOX,
    Role.SCOPE_ACCESS,
)
# With one factor alone these are as good as not given.
STRONG_ROLES = JUDICIAL_ROLES | NOTARY_ROLES


class Action(Enum):
    """What is asked for."""

    ACCOUNT_VIEW = "account.view"
    ACCOUNT_CHANGE = "account.change"
    SESSION_END = "session.end"
    MEMBERS_VIEW = "members.view"
    MEMBER_ADD = "member.add"
    MEMBER_DISABLE = "member.disable"
    MEMBER_LOG_OUT = "member.log-out"
    ROLE_CHANGE = "role.change"
    API_KEYS_VIEW = "api-keys.view"
    API_KEYS_CHANGE = "api-keys.change"
    AUDIT_READ = "audit-log.read"
    DEPOSIT = "deposit"
    DEPOSITS_READ = "deposits.read"
    KEY_ENROL = "key.enrol"
    WEBHOOKS = "webhooks"
    MAILBOX = "mailbox"
    COMPANY_VIEW = "company.view"
    ACCESS_VIEW = "access.view"
    ACCESS_LODGE = "access.lodge"
    ACCESS_SHOW = "access.show"
    ACCESS = "access"


class Reach(Enum):
    """Whose things a role's action reaches."""

    OWN = "own"
    COMPANY = "company"
    NOTARY = "notary"


_OWN = MappingProxyType(dict.fromkeys(MEMBER_ROLES, Reach.OWN))
# Also he who has no role yet; but what he could enrol now would count for roles that he gets later.
_COMPANY = MappingProxyType(dict.fromkeys(COMPANY_ROLES, Reach.COMPANY))
_LODGING = MappingProxyType(dict.fromkeys(JUDICIAL_ROLES, Reach.OWN))
_ANY = MappingProxyType({**_OWN, Role.MEMBER: Reach.OWN})

PERMISSIONS: Mapping[Action, Mapping[Role, Reach]] = MappingProxyType(
    {
        Action.ACCOUNT_VIEW: _ANY,
        Action.ACCOUNT_CHANGE: _OWN,
        Action.SESSION_END: _ANY,
        Action.MEMBERS_VIEW: {
            Role.COMPANY_ADMIN: Reach.COMPANY,
            Role.SYSTEM_ADMIN: Reach.NOTARY,
            Role.SECURITY_ADMIN: Reach.NOTARY,
        },
        Action.MEMBER_ADD: {Role.COMPANY_ADMIN: Reach.COMPANY, Role.SYSTEM_ADMIN: Reach.NOTARY},
        Action.MEMBER_DISABLE: {Role.COMPANY_ADMIN: Reach.COMPANY, Role.SYSTEM_ADMIN: Reach.NOTARY},
        Action.MEMBER_LOG_OUT: {Role.COMPANY_ADMIN: Reach.COMPANY, Role.SECURITY_ADMIN: Reach.NOTARY},
        Action.ROLE_CHANGE: {Role.COMPANY_ADMIN: Reach.COMPANY, Role.SECURITY_ADMIN: Reach.NOTARY},
        Action.API_KEYS_VIEW: {Role.COMPANY_ADMIN: Reach.COMPANY},
        Action.API_KEYS_CHANGE: {Role.COMPANY_ADMIN: Reach.COMPANY},
        Action.AUDIT_READ: {Role.AUDIT_ADMIN: Reach.NOTARY},
        Action.DEPOSIT: {Role.SCOPE_DEPOSIT: Reach.COMPANY},
        Action.DEPOSITS_READ: {Role.SCOPE_READ: Reach.COMPANY},
        Action.KEY_ENROL: {Role.SCOPE_KEYS: Reach.COMPANY},
        Action.WEBHOOKS: {Role.SCOPE_WEBHOOKS: Reach.COMPANY},
        Action.MAILBOX: {Role.SCOPE_MAILBOX: Reach.COMPANY},
        # What a company has at the notary: deposits, keys, disclosures that it shows.
        Action.COMPANY_VIEW: _COMPANY,
        # Requests to see records: those that one lodged, or those about one's company's deposits.
        Action.ACCESS_VIEW: {**_COMPANY, **_LODGING},
        Action.ACCESS_LODGE: _LODGING,
        Action.ACCESS_SHOW: _COMPANY,
        Action.ACCESS: {Role.SCOPE_ACCESS: Reach.COMPANY},
    }
)

# Which roles a role may give to others and take from them. The notary's own three: by its operator alone.
GRANTS: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.COMPANY_ADMIN: COMPANY_ROLES,
        Role.SECURITY_ADMIN: COMPANY_ROLES | JUDICIAL_ROLES,
    }
)

# What needs a login of a few minutes ago, so that a screen left open is not enough.
FRESH_ACTIONS = frozenset(
    {
        Action.ACCOUNT_CHANGE,
        Action.MEMBER_ADD,
        Action.MEMBER_DISABLE,
        Action.ROLE_CHANGE,
        Action.API_KEYS_CHANGE,
    }
)
# What is left to somebody of those roles who showed one factor: he sees why, and may leave.
_WEAK_ACTIONS = frozenset({Action.ACCOUNT_VIEW, Action.SESSION_END})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a member in a session, or an API key."""

    roles: frozenset[Role]
    organisation_id: int | None
    member_id: int | None = None
    is_strong: bool = False
    """Two factors were shown at login. An API key has none."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whose thing it is about."""

    organisation_id: int | None = None
    member_id: int | None = None
    roles: frozenset[Role] = frozenset()
    """Of the member that it is about, or whose thing it is."""


def decide(actor: Actor, action: Action, target: Target | None = None) -> bool:
    """Whether the actor may; without a target: whether there is anything at all on which he may."""
    given = PERMISSIONS[action]
    for role in actor.roles:
        reach = given.get(role)
        if reach is None or (role in STRONG_ROLES and not actor.is_strong and action not in _WEAK_ACTIONS):
            continue
        if target is None:
            return True
        if reach is Reach.NOTARY:
            # None of the three has power over another: that is the operator's.
            if not target.roles & NOTARY_ROLES:
                return True
            continue
        if reach is Reach.COMPANY:
            if actor.organisation_id is not None and actor.organisation_id == target.organisation_id:
                return True
        elif actor.member_id is not None and actor.member_id == target.member_id:
            return True
    return False


def may_grant(actor: Actor, role: Role, target: Target) -> bool:
    """Whether the actor may give this role to the target, or take it away: never to or from himself."""
    if actor.member_id == target.member_id or not decide(actor, Action.ROLE_CHANGE, target):
        return False
    return any(
        role in GRANTS.get(own, ()) and (own not in STRONG_ROLES or actor.is_strong) for own in actor.roles
    )


def may_invite(actor: Actor, target: Target) -> bool:
    """Whether the actor may let the member in anew. Whoever gets the invitation has the member's roles: so
    nobody may for whom they are not his to give.
    """
    if actor.member_id == target.member_id or not decide(actor, Action.MEMBER_ADD, target):
        return False
    given = {role for own in actor.roles for role in GRANTS.get(own, ())}
    return target.roles <= given


def can_be_together(roles: frozenset[Role], *, has_company: bool) -> bool:
    """Whether one member may hold all of these: of a company, of the judicial side, or one of the three."""
    if roles <= COMPANY_ROLES:
        return has_company or not roles
    if has_company:
        return False
    return roles <= JUDICIAL_ROLES or (roles <= NOTARY_ROLES and len(roles) == 1)
