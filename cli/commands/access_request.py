"""`mizheng access request`: ask to see records, on the machine of who asks."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import click
from mizheng.cli.errors import UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command
from mizheng.cli.terminal.text import printable


@click.command(
    "request",
    cls=Command,
    help=N_(
        "Write a signed request to see records of one deposit, for its company: a file to hand over. No "
        "notary is asked. DEPOSIT is the deposit's id, 64 hex digits, or a bundle of it. Your own key signs, "
        "made if there is none (mizheng access key); tell the company its fingerprint by another way.\n\n"
        "--until is a day in China, whose whole counts, or an instant in UTC. The name may be a pseudonym if "
        "the company knows who has the key."
    ),
    epilog=N_(
        "mizheng access request disclosed.zip --role appraiser --name 'appraiser 1' \\\n"
        "    --organisation 'an institute' --matter '(2026)01-1' --basis 'commission 7' \\\n"
        "    --point 3 --until 2026-12-31 --undertaking undertaking.txt"
    ),
)
@click.argument("deposit", metavar="DEPOSIT")
@click.option("--name", required=True, metavar="NAME", help=N_("who asks"))
@click.option(
    "--role", required=True, metavar="ROLE", help=N_("court, appraiser, authority, lawyer or other")
)
@click.option("--organisation", metavar="NAME", help=N_("of which court or institute"))
@click.option("--matter", required=True, metavar="NUMBER", help=N_("case number"))
@click.option(
    "--basis", required=True, metavar="TEXT", help=N_("legal basis: an article, an order, a commission")
)
@click.option("--scope", metavar="TEXT", help=N_("what is asked for, in words"))
@click.option(
    "--point", "points", metavar="N", type=int, multiple=True, help=N_("a secret point; repeatable")
)
@click.option("--with-originals", is_flag=True, help=N_("ask for the files as well"))
@click.option("--until", required=True, metavar="DAY", help=N_("for how long: no look after it"))
@click.option(
    "--undertaking",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=N_("text that you bind yourself to"),
)
@click.option("--store", metavar="WHERE", help=N_("of a new key: passphrase (default), keyring or file"))
@click.option(
    "-o", "--output", metavar="FILE", default="request.json", help=N_("name of the file; else request.json")
)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def request(
    deposit: str,
    name: str,
    role: str,
    organisation: str | None,
    matter: str,
    basis: str,
    scope: str | None,
    points: tuple[int, ...],
    with_originals: bool,
    until: str,
    undertaking: Path,
    store: str | None,
    output: str,
    as_json: bool,
) -> None:
    from mizheng.cli.access.deciding import sign
    from mizheng.cli.access.describing import describe_document
    from mizheng.cli.access.desk import read_bytes
    from mizheng.cli.access.people import make_personal_key, personal_entry, show_fingerprint, unlock_personal
    from mizheng.cli.access.requesting import read_deposit, read_undertaking
    from mizheng.cli.access.times import read_end
    from mizheng.cli.commands.init import parse_store
    from mizheng.cli.files import publish_bytes, refuse_existing
    from mizheng.cli.session import Session
    from mizheng.cli.transfer.me import load_cards
    from mizheng.verifier.access import ROLES, Request
    from mizheng.verifier.canonical import format_instant
    from mizheng.verifier.event import NONCE_BYTES

    target = Path(output)
    refuse_existing(target, force=False)
    if role not in ROLES:
        raise UsageFault("there is no role {role}", "one of: {roles}", role=role, roles=", ".join(ROLES))
    envelope, text, ends_at = read_deposit(deposit), read_undertaking(undertaking), read_end(until)
    if ends_at <= format_instant(int(time.time())):
        raise UsageFault("the term ended at {at} already", at=ends_at)
    home = Session.load().home
    if personal_entry(home) is None:
        make_personal_key(home, parse_store(store or "passphrase"))
    key = unlock_personal(home)
    data = sign(
        Request(
            key.public,
            format_instant(int(time.time())),
            secrets.token_bytes(NONCE_BYTES),
            envelope,
            name,
            role,
            organisation,
            matter,
            basis,
            scope,
            tuple(sorted(set(points))),
            with_originals,
            ends_at,
            text,
        ),
        key,
    )
    publish_bytes(target, data)
    if as_json:
        emit_json({"file": output, **describe_document(read_bytes(data))})
        return
    say(_("request: {name}", name=printable(output)))
    note(_("fingerprint of your key: {fingerprint}", fingerprint=show_fingerprint(key.public)))
    note(_("tell it to the company by another way than this file: by telephone or on paper"))
    if any(own.card.public_key == key.public for own in load_cards(home)):
        note(_("where your card was confirmed, this key is known already and need not be compared"))
