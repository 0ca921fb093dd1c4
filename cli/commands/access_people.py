"""`mizheng access key` and `mizheng access approvers`: whose key is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command, CommandWithCommands, Lazy
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.access.people import Approver
    from mizheng.verifier.signature import PublicKey

_HERE = "mizheng.cli.commands.access_people"


@click.command(
    "key",
    cls=Command,
    help=N_(
        "Make your own signing key, if there is none, and show its public part and fingerprint. Requesters "
        "sign requests with it, approvers their approvals. It is yours, not the company's: each person has a "
        "key on a machine, or at least an account, of his own.\n\n"
        "Tell the other side the fingerprint by another way than the file: by telephone or on paper."
    ),
    epilog=N_("mizheng access key\nmizheng access key --store keyring"),
)
@click.option("--store", metavar="WHERE", help=N_("passphrase (default), keyring or file"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def key(store: str | None, as_json: bool) -> None:
    from mizheng.cli.access.people import make_personal_key, personal_entry, show_fingerprint
    from mizheng.cli.commands.init import parse_store
    from mizheng.cli.session import Session

    home = Session.load().home
    entry = personal_entry(home) or make_personal_key(home, parse_store(store or "passphrase"))
    if as_json:
        emit_json({"public_key": entry.public_key, "keyid": entry.public.keyid, "store": entry.store})
        return
    say(entry.public_key)
    note(_("fingerprint: {fingerprint}", fingerprint=show_fingerprint(entry.public)))


@click.command(
    "approvers",
    cls=CommandWithCommands,
    lazy={
        "add": Lazy(_HERE, "add", N_("let a person approve, by a key")),
        "remove": Lazy(_HERE, "remove", N_("a person may approve no longer")),
    },
    help=N_(
        "List who may approve requests in this company. While nobody is listed, the company's own key does. "
        "How many different persons have to approve, each with a key of his own, config.toml says: "
        "approvals = 2, or mizheng init --approvals 2. The names may be pseudonyms."
    ),
    epilog=N_("mizheng access approvers\nmizheng access approvers add 'head of research' key.txt"),
)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def approvers(as_json: bool) -> None:
    from mizheng.cli.access.people import load_approvers
    from mizheng.cli.session import Session

    session = Session.load()
    found, needed = load_approvers(session.home), session.config.approvals_needed
    if as_json:
        emit_json({"needed": needed, "approvers": [_describe(item) for item in found]})
        return
    for item in found:
        _say(item)
    say(_("approvals needed: {count}", count=needed))
    if not found:
        say(_("nobody is listed: the company's own key approves"))


@click.command(
    "add",
    cls=Command,
    help=N_(
        "Let a person approve. KEY is what mizheng access key printed on that person's machine, or a file "
        "with it; compare the fingerprint shown here with the one that he tells you. One key is one person's."
    ),
    epilog=N_("mizheng access approvers add 'head of research' MCowBQYDK2VwAyEA…"),
)
@click.argument("person", metavar="NAME")
@click.argument("public", metavar="KEY")
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def add(person: str, public: str, as_json: bool) -> None:
    from mizheng.cli.access.people import add_approver, read_public_key
    from mizheng.cli.session import Session

    added = add_approver(Session.load().home, person, read_public_key(public))
    if as_json:
        emit_json(_describe(added))
        return
    _say(added)


@click.command(
    "remove",
    cls=Command,
    help=N_(
        "A person may approve no longer, with none of his keys. What he approved counts no longer; what he "
        "refused or withdrew stays so, and what was shown stays in the access log."
    ),
    epilog=N_("mizheng access approvers remove 'head of research'"),
)
@click.argument("person", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def remove(person: str, as_json: bool) -> None:
    from mizheng.cli.access.people import remove_approver
    from mizheng.cli.session import Session

    gone = remove_approver(Session.load().home, person)
    if as_json:
        emit_json({"removed": [_describe(item) for item in gone]})
        return
    for item in gone:
        say(_("may approve no longer: {person}", person=printable(item.person)))


def _say(item: Approver) -> None:
    from mizheng.cli.access.people import show_fingerprint

    say(_("{person}  since {at}", person=printable(item.person), at=item.added_at))
    say(_("    fingerprint: {fingerprint}", fingerprint=show_fingerprint(_key(item))))


def _describe(item: Approver) -> dict[str, object]:
    return {
        "person": item.person,
        "public_key": item.public_key,
        "keyid": item.keyid,
        "added_at": item.added_at,
    }


def _key(item: Approver) -> PublicKey:
    from mizheng.cli.access.people import read_public_key

    return read_public_key(item.public_key)
