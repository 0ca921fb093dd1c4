"""The table of permissions and the function that decides: 三员分立 first of all."""

from __future__ import annotations

import itertools

import pytest
from mizheng.notary.database import writing
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import Instance
from mizheng.notary.people.members import add_member, grant, revoke
from mizheng.notary.people.permissions import (
    COMPANY_ROLES,
    GRANTS,
    JUDICIAL_ROLES,
    MEMBER_ROLES,
    NOTARY_ROLES,
    PERMISSIONS,
    STRONG_ROLES,
    Action,
    Actor,
    Reach,
    Role,
    Target,
    can_be_together,
    decide,
    may_grant,
    may_invite,
)
from mizheng.notary.people.tables import member_roles
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

OWN = {Action.ACCOUNT_VIEW, Action.ACCOUNT_CHANGE, Action.SESSION_END}
COMPANYS = {Action.COMPANY_VIEW, Action.ACCESS_VIEW, Action.ACCESS_SHOW}
JUDICIAL = {Action.ACCESS_VIEW, Action.ACCESS_LODGE}
# What each role may beside its own account, written out apart from the code.
MATRIX: dict[Role, set[Action]] = {
    Role.COMPANY_ADMIN: {
        Action.MEMBERS_VIEW,
        Action.MEMBER_ADD,
        Action.MEMBER_DISABLE,
        Action.MEMBER_LOG_OUT,
        Action.ROLE_CHANGE,
        Action.API_KEYS_VIEW,
        Action.API_KEYS_CHANGE,
        *COMPANYS,
    },
    Role.COMPANY_OPERATOR: COMPANYS,
    Role.APPRAISER: JUDICIAL,
    Role.CLERK: JUDICIAL,
    Role.SYSTEM_ADMIN: {Action.MEMBERS_VIEW, Action.MEMBER_ADD, Action.MEMBER_DISABLE},
    Role.SECURITY_ADMIN: {Action.MEMBERS_VIEW, Action.MEMBER_LOG_OUT, Action.ROLE_CHANGE},
    Role.AUDIT_ADMIN: {Action.AUDIT_READ},
}
SCOPES = {
    Role.SCOPE_DEPOSIT: {Action.DEPOSIT},
    Role.SCOPE_READ: {Action.DEPOSITS_READ},
    Role.SCOPE_KEYS: {Action.KEY_ENROL},
    Role.SCOPE_WEBHOOKS: {Action.WEBHOOKS},
    Role.SCOPE_MAILBOX: {Action.MAILBOX},
    Role.SCOPE_ACCESS: {Action.ACCESS},
}


def actor(*roles: Role, company: int | None = None, strong: bool = True, member: int = 1) -> Actor:
    return Actor(frozenset(roles), company, member, strong)


@pytest.mark.parametrize("role", [*MATRIX, *SCOPES])
def test_what_a_role_may(role: Role) -> None:
    company = 1 if role in COMPANY_ROLES or role in SCOPES else None
    expected = SCOPES.get(role) or MATRIX[role] | OWN
    assert {action for action in Action if decide(actor(role, company=company), action)} == expected


def test_every_action_and_every_role_is_in_the_table() -> None:
    assert set(PERMISSIONS) == set(Action)
    assert {*MATRIX, *SCOPES, Role.MEMBER} == set(Role)


def test_a_company_ends_at_its_border() -> None:
    admin = actor(Role.COMPANY_ADMIN, company=1)
    for action in MATRIX[Role.COMPANY_ADMIN]:
        assert decide(admin, action, Target(1, 7))
        assert not decide(admin, action, Target(2, 7))
        assert not decide(admin, action, Target(None, 7))


def test_one_s_own_is_nobody_else_s() -> None:
    for role in MEMBER_ROLES:
        for action in OWN:
            assert decide(actor(role), action, Target(None, 1))
            assert not decide(actor(role), action, Target(None, 2))
            assert not decide(Actor(frozenset({role}), None, None, True), action, Target(None, None))


@pytest.mark.parametrize("role", sorted(STRONG_ROLES, key=lambda role: role.value))
def test_without_a_second_factor_little_is_left(role: Role) -> None:
    weak = {action for action in Action if decide(actor(role, strong=False), action)}
    assert weak == {Action.ACCOUNT_VIEW, Action.SESSION_END}


# 三员分立


def test_whoever_makes_accounts_gives_no_rights_and_the_other_way_round() -> None:
    makes = {role for role in NOTARY_ROLES if role in PERMISSIONS[Action.MEMBER_ADD]}
    gives = {role for role in NOTARY_ROLES if role in PERMISSIONS[Action.ROLE_CHANGE]}
    reads = set(PERMISSIONS[Action.AUDIT_READ])
    assert (makes, gives, reads) == ({Role.SYSTEM_ADMIN}, {Role.SECURITY_ADMIN}, {Role.AUDIT_ADMIN})


def test_none_of_the_three_reaches_another() -> None:
    for role, other in itertools.product(NOTARY_ROLES, NOTARY_ROLES):
        for action in MATRIX[role] - {Action.AUDIT_READ}:
            assert not decide(actor(role), action, Target(None, 2, frozenset({other})))


def test_an_invitation_gives_no_more_than_one_could() -> None:
    system, admin = actor(Role.SYSTEM_ADMIN), actor(Role.COMPANY_ADMIN, company=1)
    assert may_invite(system, Target(None, 2))
    assert may_invite(admin, Target(1, 2, COMPANY_ROLES))
    assert not may_invite(admin, Target(2, 2))
    for role in MEMBER_ROLES:
        assert not may_invite(system, Target(None, 2, frozenset({role})))


def test_the_auditor_changes_nothing() -> None:
    assert MATRIX[Role.AUDIT_ADMIN] == {Action.AUDIT_READ}


@pytest.mark.parametrize("role", sorted(MEMBER_ROLES, key=lambda role: role.value))
def test_nobody_gives_himself_a_right(role: Role) -> None:
    for wanted in MEMBER_ROLES:
        himself = actor(role, company=1 if role in COMPANY_ROLES else None)
        assert not may_grant(himself, wanted, Target(himself.organisation_id, himself.member_id))


def test_the_three_are_given_by_the_operator_alone() -> None:
    for role in MEMBER_ROLES:
        for wanted in NOTARY_ROLES:
            assert not may_grant(actor(role, company=1), wanted, Target(1, 2))
    assert not any(NOTARY_ROLES & given for given in GRANTS.values())


def test_a_company_s_administrator_gives_its_roles_in_it() -> None:
    admin = actor(Role.COMPANY_ADMIN, company=1)
    for role in COMPANY_ROLES:
        assert may_grant(admin, role, Target(1, 2))
        assert not may_grant(admin, role, Target(2, 2))
    for role in JUDICIAL_ROLES:
        assert not may_grant(admin, role, Target(1, 2))
    security = actor(Role.SECURITY_ADMIN)
    assert all(may_grant(security, role, Target(2, 2)) for role in COMPANY_ROLES | JUDICIAL_ROLES)
    assert not may_grant(actor(Role.SECURITY_ADMIN, strong=False), Role.CLERK, Target(None, 2))


def test_what_can_be_together() -> None:
    for pair in itertools.combinations(sorted(MEMBER_ROLES, key=lambda role: role.value), 2):
        together = frozenset(pair)
        in_company = can_be_together(together, has_company=True)
        assert in_company == (together <= COMPANY_ROLES)
        assert can_be_together(together, has_company=False) == (together <= JUDICIAL_ROLES)
    assert not can_be_together(frozenset({Role.COMPANY_ADMIN}), has_company=False)
    assert not can_be_together(frozenset({Role.AUDIT_ADMIN}), has_company=True)


def test_the_register_refuses_two_of_the_three(instance: Instance) -> None:
    with writing(instance.engine) as connection:
        member = add_member(connection, "乙", None, frozenset({Role.SYSTEM_ADMIN}))
    for other in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.CLERK):
        with writing(instance.engine) as connection, pytest.raises(OperatorError, match="at once"):
            grant(connection, member, other)
    with pytest.raises(OperatorError), writing(instance.engine) as connection:
        add_member(connection, "丙", None, frozenset({Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN}))


def test_the_database_refuses_two_of_the_three(instance: Instance) -> None:
    """Whatever program writes into it."""
    with writing(instance.engine) as connection:
        member = add_member(connection, "乙", None, frozenset({Role.SYSTEM_ADMIN}))
    with pytest.raises(IntegrityError), writing(instance.engine) as connection:
        row = {"member_id": member.id, "role": "audit-admin", "granted_at": 0}
        connection.execute(insert(member_roles), row)


def test_a_role_that_is_taken_away_is_gone(instance: Instance) -> None:
    with writing(instance.engine) as connection:
        member = add_member(connection, "乙", None, frozenset({Role.CLERK}))
        revoke(connection, member, Role.CLERK)
        with pytest.raises(OperatorError, match="does not have"):
            revoke(connection, member, Role.CLERK)


def test_reaches_are_named() -> None:
    assert {reach for given in PERMISSIONS.values() for reach in given.values()} == set(Reach)
