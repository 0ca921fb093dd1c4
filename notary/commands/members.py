"""`mizheng-notary members …`: accounts for people. The first ones are made here, and all administrators."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks
from mizheng.verifier.words import N_

if TYPE_CHECKING:
    from mizheng.notary.people.members import Member
    from sqlalchemy import Connection

_ROLES = (
    "company-admin",
    "company-operator",
    "appraiser",
    "clerk",
    "system-admin",
    "security-admin",
    "audit-admin",
)
_role_argument = click.argument("role", type=click.Choice(_ROLES))


@click.group()
def members() -> None:
    """People who log in: of companies, of the judicial side, and the notary's three administrators."""


@members.command("add")
@click.argument("name")
@click.option("--org", "organisation", help=N_("company that the member is of (identifier or number)"))
@click.option("--role", "roles", multiple=True, type=click.Choice(_ROLES), help=N_("can be repeated"))
@data_dir_option
@speaks
def members_add(name: str, organisation: str | None, roles: tuple[str, ...], data_dir: str | None) -> None:
    """Make an account for NAME, which may be a pseudonym; prints an invitation, to be used once."""
    from mizheng.notary.companies.organisations import find_organisation
    from mizheng.notary.database import writing
    from mizheng.notary.people.members import add_member, invite
    from mizheng.notary.people.permissions import Role

    instance = open_here(data_dir)
    with writing(instance.engine) as connection:
        company = None if organisation is None else find_organisation(connection, organisation).number
        member = add_member(connection, name, company, frozenset(Role(role) for role in roles))
        code = invite(connection, member)
    say("member: {pseudonym}", pseudonym=member.pseudonym)
    _show_invitation(instance.settings.people, code)


@members.command("list")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@data_dir_option
@speaks
def members_list(as_json: bool, data_dir: str | None) -> None:
    """List all members."""
    from mizheng.notary.database import reading
    from mizheng.notary.people.members import list_members

    with reading(open_here(data_dir).engine) as connection:
        found = list_members(connection)
    rows = [
        {
            "member": member.pseudonym,
            "organisation": member.organisation_id,
            "roles": sorted(role.value for role in member.roles),
            "is_disabled": member.is_disabled,
            "name": member.name,
        }
        for member in found
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for member, row in zip(found, rows, strict=True):
        roles = ",".join(sorted(role.value for role in member.roles)) or "-"
        state = "disabled" if member.is_disabled else roles
        click.echo(f"{member.pseudonym}  {row['organisation'] or '-':>4}  {state:<32}  {member.name}")


@members.command("invite")
@click.argument("member")
@data_dir_option
@speaks
def members_invite(member: str, data_dir: str | None) -> None:
    """Print a new invitation for MEMBER, who lost his passkey or the first one. Make sure who asks."""
    from mizheng.notary.database import writing
    from mizheng.notary.people.members import invite

    instance = open_here(data_dir)
    with writing(instance.engine) as connection:
        code = invite(connection, _find(connection, member))
    _show_invitation(instance.settings.people, code)


@members.command("grant")
@click.argument("member")
@_role_argument
@data_dir_option
@speaks
def members_grant(member: str, role: str, data_dir: str | None) -> None:
    """Give MEMBER a ROLE."""
    from mizheng.notary.database import writing
    from mizheng.notary.people.members import grant
    from mizheng.notary.people.permissions import Role

    with writing(open_here(data_dir).engine) as connection:
        grant(connection, _find(connection, member), Role(role))
    say("{member} is {role} now", member=member, role=role)


@members.command("revoke")
@click.argument("member")
@_role_argument
@data_dir_option
@speaks
def members_revoke(member: str, role: str, data_dir: str | None) -> None:
    """Take a ROLE from MEMBER."""
    from mizheng.notary.database import writing
    from mizheng.notary.people.members import revoke
    from mizheng.notary.people.permissions import Role

    with writing(open_here(data_dir).engine) as connection:
        revoke(connection, _find(connection, member), Role(role))
    say("{member} is not {role} any more", member=member, role=role)


@members.command("disable")
@click.argument("member")
@data_dir_option
@speaks
def members_disable(member: str, data_dir: str | None) -> None:
    """Bar MEMBER; his sessions end at once."""
    _set_disabled(member, data_dir, disabled=True)
    say("{member} is disabled", member=member)


@members.command("enable")
@click.argument("member")
@data_dir_option
@speaks
def members_enable(member: str, data_dir: str | None) -> None:
    """Let MEMBER in again."""
    _set_disabled(member, data_dir, disabled=False)
    say("{member} is enabled", member=member)


@members.command("erase")
@click.argument("member")
@data_dir_option
@speaks
def members_erase(member: str, data_dir: str | None) -> None:
    """Take MEMBER's name, passkeys and identities away for good; the pseudonym stays, and says nothing."""
    from mizheng.notary.database import writing
    from mizheng.notary.people.members import erase_member

    with writing(open_here(data_dir).engine) as connection:
        erase_member(connection, _find(connection, member))
    say("{member} is erased", member=member)


def _set_disabled(pseudonym: str, data_dir: str | None, *, disabled: bool) -> None:
    from mizheng.notary.database import writing
    from mizheng.notary.people.members import set_member_disabled

    with writing(open_here(data_dir).engine) as connection:
        set_member_disabled(connection, _find(connection, pseudonym), disabled=disabled)


def _find(connection: "Connection", pseudonym: str) -> "Member":
    from mizheng.notary.errors import OperatorError
    from mizheng.notary.people.members import find_member

    found = find_member(connection, pseudonym)
    if found is None:
        raise OperatorError("there is no such member", hint="see: mizheng-notary members list")
    return found


def _show_invitation(table: Mapping[str, Any], code: str) -> None:
    from mizheng.notary.people.setup import parse_people

    setup = parse_people(table)
    say("invitation, shown this once and good for seven days:")
    click.echo(code if setup is None else f"{setup.origin}/join#{code}")
    if setup is None:
        say("nobody can log in before notary.toml has [people] with the notary's url")
