"""Members of a company for its administrator; all of them for the notary's system and security admins."""

from __future__ import annotations

from collections.abc import Callable

from mizheng.notary.companies.organisations import find_organisation
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import OperatorError, Problem
from mizheng.notary.models import organisations
from mizheng.notary.pages.people.guard import ROLE_NAMES, Call
from mizheng.notary.people.members import (
    Member,
    add_member,
    end_invitations,
    find_member,
    grant,
    has_joined,
    invite,
    list_members,
    revoke,
    set_member_disabled,
)
from mizheng.notary.people.permissions import Action, Role, Target, decide, may_grant, may_invite
from mizheng.notary.people.sessions import end_sessions
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.words import N_
from sqlalchemy import Connection, select
from starlette.responses import Response


def show_members(call: Call, said: str = "", status: int = 200, invitation: str = "") -> Response:
    actor = call.known.actor
    with reading(call.visit.service.engine) as connection:
        # Who sees all members has no company of his own.
        found = list_members(connection, actor.organisation_id)
        names = {row.id: row.name for row in connection.execute(select(organisations))}
    rows = [
        {
            "member": member,
            "company": names.get(member.organisation_id, "") if member.organisation_id else "",
            "can_disable": decide(actor, Action.MEMBER_DISABLE, member.target)
            and member.id != actor.member_id,
            "can_log_out": decide(actor, Action.MEMBER_LOG_OUT, member.target),
            "can_invite": may_invite(actor, member.target),
            "grantable": [
                role
                for role in ROLE_NAMES
                if role not in member.roles and may_grant(actor, role, member.target)
            ],
            "revocable": [
                role for role in ROLE_NAMES if role in member.roles and may_grant(actor, role, member.target)
            ],
        }
        for member in found
    ]
    return call.show(
        "members.html",
        status,
        place="members",
        rows=rows,
        sees_all=actor.organisation_id is None,
        invitation=invitation,
        said=said,
    )


def add(call: Call) -> Response:
    """Make an account and show its invitation, this once."""
    actor = call.known.actor
    try:
        with writing(call.visit.service.engine) as connection:
            company = actor.organisation_id
            reference = call.form.get("company", "").strip()
            if company is None and reference:
                company = find_organisation(connection, reference).number
            _require(call, Action.MEMBER_ADD, Target(company))
            by = call.known.member.actor
            member = add_member(connection, call.form.get("name", ""), company, by=by)
            code = invite(connection, member, by=by)
    except OperatorError as error:
        return _complain(call, error)
    return show_members(call, invitation=f"{call.setup.origin}{call.visit.prefix}/join#{code}")


def invite_again(call: Call) -> Response:
    try:
        with writing(call.visit.service.engine) as connection:
            member = _find(connection, call, Action.MEMBER_ADD)
            if not may_invite(call.known.actor, member.target):
                raise Problem("not-found")
            code = invite(connection, member, by=call.known.member.actor)
    except OperatorError as error:
        return _complain(call, error)
    return show_members(call, invitation=f"{call.setup.origin}{call.visit.prefix}/join#{code}")


def disable(call: Call) -> Response:
    return _set_disabled(call, disabled=True)


def enable(call: Call) -> Response:
    return _set_disabled(call, disabled=False)


def log_out_member(call: Call) -> Response:
    with writing(call.visit.service.engine) as connection:
        member = _find(connection, call, Action.MEMBER_LOG_OUT)
        end_sessions(connection, member, by=call.known.member)
    return call.go("/members")


def give_role(call: Call) -> Response:
    return _change_role(call, grant)


def take_role(call: Call) -> Response:
    return _change_role(call, revoke)


def _change_role(call: Call, change: Callable[..., None]) -> Response:
    try:
        with writing(call.visit.service.engine) as connection:
            member = _find(connection, call, Action.ROLE_CHANGE)
            role = _read_role(call)
            if not may_grant(call.known.actor, role, member.target):
                raise Problem("not-found")
            if change is grant:
                # Who made the account saw its code: it must not open what is given now.
                if not has_joined(connection, member):
                    raise OperatorError(N_("the member has not taken up the invitation yet"))
                end_invitations(connection, member)
            change(connection, member, role, by=call.known.member.actor)
    except OperatorError as error:
        return _complain(call, error)
    return call.go("/members")


def _set_disabled(call: Call, *, disabled: bool) -> Response:
    with writing(call.visit.service.engine) as connection:
        member = _find(connection, call, Action.MEMBER_DISABLE)
        # Nobody locks himself out, and nobody who was barred lets himself in.
        if member.id == call.known.member.id:
            raise Problem("not-found")
        set_member_disabled(connection, member, disabled=disabled, by=call.known.member.actor)
    return call.go("/members")


def _find(connection: Connection, call: Call, action: Action) -> Member:
    """The member in the path; of another company's and of nobody the answer is the same."""
    member = find_member(connection, call.visit.places["pseudonym"])
    if member is None or not decide(call.known.actor, action, member.target):
        raise Problem("not-found")
    return member


def _require(call: Call, action: Action, target: Target) -> None:
    if not decide(call.known.actor, action, target):
        raise Problem("not-found")


def _read_role(call: Call) -> Role:
    try:
        return Role(call.form.get("role", ""))
    except ValueError:
        raise Problem("not-found") from None


def _complain(call: Call, error: MizhengError) -> Response:
    said = call.visit.say(error.message).format(**error.values)
    return show_members(call, said, 422)
