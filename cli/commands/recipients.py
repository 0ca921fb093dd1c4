"""`mizheng recipients`: whom this company sends to, and this person as a recipient himself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mizheng.cli.errors import InputFault, UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command, Lazy, LazyGroup
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.transfer.people import Recipient, RecipientKey

_HERE = "mizheng.cli.commands.recipients"
_CARD_SUFFIX = ".card.json"


@click.group(
    "recipients",
    cls=LazyGroup,
    lazy={
        "me": Lazy(_HERE, "me", N_("make my own key and card, to give to senders")),
        "add": Lazy(_HERE, "add", N_("add somebody to send to, or his new key")),
        "confirm": Lazy(_HERE, "confirm", N_("confirm a key by its fingerprint")),
        "revoke": Lazy(_HERE, "revoke", N_("never send to somebody's present keys again")),
        "list": Lazy(_HERE, "list_", N_("show recipients, keys and fingerprints")),
    },
    help=N_(
        "What is sent to somebody is encrypted to his age key. He gives his card, a small file that is not "
        "secret; its fingerprint, eight groups of digits, is compared by telephone or on paper before the "
        "first transfer. A key that was never confirmed, or was revoked, is not sent to."
    ),
    epilog=N_(
        "mizheng recipients me --name 'the court'     # on the recipient's machine\n"
        "mizheng recipients add court court.card.json\n"
        "mizheng recipients confirm court 12345 67890 …"
    ),
)
def recipients() -> None:
    pass


@click.command(
    "me",
    cls=Command,
    help=N_(
        "Make the key that transfers to this person are encrypted to, and one that signs acceptances where "
        "there is none, and write the card that senders need. Nothing in the card is secret. Read the "
        "fingerprint to the sender by telephone when he asks.\n\n"
        "--rotate makes a new key; whoever confirmed the old one believes the new card without asking. "
        "--lost makes both keys anew, after they were lost or stolen: the fingerprint has to be compared "
        "again. Old keys stay, to read what was sent before."
    ),
    epilog=N_("mizheng recipients me --name 'the court'\nmizheng recipients me --rotate -o new.card.json"),
)
@click.option("--name", metavar="NAME", help=N_("how I am called; else the company's name"))
@click.option("--store", metavar="WHERE", help=N_("where to keep new keys: passphrase, keyring or file"))
@click.option("--rotate", is_flag=True, help=N_("make a new key in place of the present one"))
@click.option("--lost", is_flag=True, help=N_("make both keys anew: the old ones are not to be believed"))
@click.option("-o", "--output", metavar="FILE", help=N_("where to write the card; else my.card.json"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def me(
    name: str | None,
    store: str | None,
    rotate: bool,
    lost: bool,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.commands.init import parse_store
    from mizheng.cli.files import new_file, refuse_existing
    from mizheng.cli.session import Session
    from mizheng.cli.transfer.me import make_card

    target = Path(output or "my" + _CARD_SUFFIX)
    refuse_existing(target, force=force)
    chosen = parse_store(store) if store else None
    session = Session.load()
    own, is_new = make_card(session, _now(), name=name, store=chosen, rotate=rotate, lost=lost)
    with new_file(target, force=force) as (file, _temporary):
        file.write(own.data)
    card = own.card
    if as_json:
        emit_json(
            {
                "card": str(target),
                "new": is_new,
                "name": card.name,
                "age": card.age,
                "keyid": card.public_key.keyid,
                "fingerprint": own.fingerprint,
            }
        )
        return
    say(_("card of {name}: {file}", name=printable(card.name), file=printable(str(target))))
    say(_("age key: {key}", key=card.age))
    say(_("fingerprint: {digits}", digits=own.fingerprint))
    note(_("give the card to the sender, and read him the fingerprint by telephone"))
    if session.config.organisation is None:
        note(_("it covers the key that signs your requests, too: who confirms the card compares no other"))


@click.command(
    "add",
    cls=Command,
    help=N_(
        "Add somebody to send to, by his card or by an age key alone (age1…). Somebody with an age key alone "
        "decrypts with stock age and cannot accept. A new card of somebody known is believed at once if the "
        "confirmed key signed it and it says so; else it waits to be confirmed, and the old one stays."
    ),
    epilog=N_("mizheng recipients add court court.card.json\nmizheng recipients add court --key age1…"),
)
@click.argument("name", metavar="NAME")
@click.argument("card_path", metavar="[CARD]", required=False)
@click.option("--key", "age", metavar="AGE", help=N_("an age recipient instead of a card: age1…"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def add(name: str, card_path: str | None, age: str | None, as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.keys.identities import parse_recipient
    from mizheng.cli.transfer import people
    from mizheng.cli.transfer.documents import parse_card
    from mizheng.verifier.errors import FormatError
    from mizheng.verifier.event import check_text

    if (card_path is None) == (age is None):
        raise UsageFault("name a card, or an age key with --key")
    try:
        check_text(name)
    except FormatError as error:
        raise UsageFault(str(error)) from error
    now = _now()
    if card_path is not None:
        card = parse_card(_read(Path(card_path)))
        parse_recipient(card.age)
        key, replaces = people.key_of_card(card, now), card.replaces
    else:
        parsed = str(parse_recipient(age or ""))
        key = people.RecipientKey(parsed, None, None, None, "unconfirmed", now, now)
        replaces = None
    _tell(people.add(home_directory(), name, key, replaces, now), as_json=as_json)


@click.command(
    "confirm",
    cls=Command,
    help=N_(
        "Type the fingerprint as its owner reads it out, over another channel than the one the card came by. "
        "If the digits are those of the key here, it is used from now on."
    ),
    epilog=N_("mizheng recipients confirm court 12345 67890 12345 67890 …"),
)
@click.argument("name", metavar="NAME")
@click.argument("digits", metavar="FINGERPRINT…", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def confirm(name: str, digits: tuple[str, ...], as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.transfer import people

    _tell(people.confirm(home_directory(), name, " ".join(digits), _now()), as_json=as_json)


@click.command(
    "revoke",
    cls=Command,
    help=N_(
        "Never send to any key of this recipient that is known here now, under whatever name. What was sent "
        "already can still be read with them: mizheng transfers withdraw."
    ),
    epilog=N_("mizheng recipients revoke court"),
)
@click.argument("name", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def revoke(name: str, as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.transfer import people

    _tell(people.revoke(home_directory(), name, _now()), as_json=as_json)


@click.command("list", cls=Command, help=N_("Show every recipient with his keys, oldest first."))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def list_(as_json: bool) -> None:
    from mizheng.cli.config import home_directory
    from mizheng.cli.transfer import people

    found = people.load_all(home_directory())
    if as_json:
        emit_json({"recipients": [_describe(one) for one in found]})
        return
    for one in found:
        _say(one)
    if not found:
        note(_("no recipient is known here yet: mizheng recipients add"))


def _tell(one: Recipient, *, as_json: bool) -> None:
    if as_json:
        emit_json(_describe(one))
        return
    _say(one)
    if one.waiting:
        note(
            _(
                "have {name} read his fingerprint to you by telephone, then: mizheng recipients confirm",
                name=printable(one.name),
            )
        )


def _say(one: Recipient) -> None:
    say(printable(one.name))
    for key in one.keys:
        say(f"  {key.age}  {_state(key)}")
        say(_("  fingerprint: {digits}", digits=key.fingerprint))


def _state(key: RecipientKey) -> str:
    return {
        "unconfirmed": _("not confirmed"),
        "confirmed": _("confirmed"),
        "replaced": _("replaced"),
        "revoked": _("revoked"),
    }[key.state]


def _describe(one: Recipient) -> dict[str, Any]:
    keys = [
        {
            "age": key.age,
            "public_key": key.public_key,
            "fingerprint": key.fingerprint,
            "state": key.state,
            "added_at": key.added_at,
            "changed_at": key.changed_at,
        }
        for key in one.keys
    ]
    return {"name": one.name, "keys": keys}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error


def _now() -> str:
    from mizheng.verifier.canonical import format_instant

    return format_instant(int(time.time()))
