"""`mizheng key`: the signing keys of this machine."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from mizheng.cli.commands.init import parse_store, warn_of_file_store
from mizheng.cli.errors import ConfigurationFault
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say
from mizheng.cli.terminal.screens import Command, Lazy, LazyGroup
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.cli.keys.signing import KeyEntry
    from mizheng.verifier.signature import PrivateKey

_HERE = "mizheng.cli.commands.key"
_STORE_HELP = N_("where to keep the new key: passphrase, keyring or file; else as the old one")


@click.group(
    "key",
    cls=LazyGroup,
    lazy={
        "show": Lazy(_HERE, "show", N_("list the keys of this machine")),
        "request": Lazy(_HERE, "request", N_("write what a certification authority asks for")),
        "rotate": Lazy(_HERE, "rotate", N_("make a new key, signed over by the old one, which is revoked")),
        "replace": Lazy(_HERE, "replace_lost", N_("make a new key after a loss; the notary must allow it")),
    },
    help=N_(
        "The company's signing keys. What an old key signed before it was revoked stays valid, and only that "
        "key can sign bundles of it: old keys are kept."
    ),
    epilog=N_(
        "mizheng key show\nmizheng key request -o company.csr\nmizheng key rotate\n"
        "mizheng key replace --store passphrase"
    ),
)
def key() -> None:
    pass


@click.command(
    "show", cls=Command, help=N_("List the keys of this machine, oldest first. Nothing secret is shown.")
)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def show(as_json: bool) -> None:
    from mizheng.cli.keys.signing import list_entries

    session = Session.load()
    entries = list_entries(session.home)
    active = session.config.active_key
    if as_json:
        emit_json([_describe(entry, active) for entry in entries])
        return
    if not entries:
        raise ConfigurationFault("there is no signing key yet", "make one: mizheng init --notary ADDRESS")
    for entry in entries:
        keyid = entry.public.keyid
        say(f"{keyid}  {entry.store}  {entry.created_at}  {_state(entry, active)}")


@click.command(
    "request",
    cls=Command,
    help=N_(
        "Write a PKCS#10 request for the signing key, with the company's name, for a certification "
        "authority. Its certificate is no part of signing: put it, its chain and a revocation list into a "
        "bundle with mizheng bundle --x509."
    ),
    epilog=N_("mizheng key request -o company.csr\nopenssl req -in company.csr -noout -text -verify"),
)
@click.option("-o", "--output", metavar="FILE.csr", required=True, help=N_("name of the request"))
@click.option("--force", is_flag=True, help=N_("replace a file that exists"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def request(output: str, force: bool, as_json: bool) -> None:
    from pathlib import Path

    from mizheng.cli.files import new_file
    from mizheng.cli.keys.request import make_request
    from mizheng.cli.keys.signing import unlock

    session = Session.load()
    key = unlock(session.home, session.active_key)
    with new_file(Path(output), force=force) as (file, _temporary):
        file.write(make_request(key, session.organisation.name))
    if as_json:
        emit_json({"request": output, "keyid": key.public.keyid})
        return
    say(_("request: {name}", name=printable(output)))


@click.command(
    "rotate",
    cls=Command,
    help=N_(
        "Make a new signing key and have it enrolled in place of the present one, which signs for it and is "
        "then revoked. Seals that were not yet deposited are bound to the new key when they are."
    ),
    epilog=N_("mizheng key rotate\nmizheng key rotate --store keyring"),
)
@click.option("--store", metavar="WHERE", help=_STORE_HELP)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def rotate(store: str | None, as_json: bool) -> None:
    _succeed(store, is_lost=False, as_json=as_json)


@click.command(
    "replace",
    cls=Command,
    help=N_(
        "Make a new signing key after the present one was lost. The notary's operator must have allowed it "
        "(mizheng-notary key reenrol): the lost key cannot speak for its successor. Seals deposited under "
        "the lost key stay evidence, but new bundles of them cannot be signed any more."
    ),
    epilog=N_("mizheng key replace"),
)
@click.option("--store", metavar="WHERE", help=_STORE_HELP)
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def replace_lost(store: str | None, as_json: bool) -> None:
    _succeed(store, is_lost=True, as_json=as_json)


def _succeed(store: str | None, *, is_lost: bool, as_json: bool) -> None:
    """Enrol a successor. A successor that could not be enrolled last time is used, not made again."""
    from mizheng.cli.depositing.enrolling import enrol, pin_organisation
    from mizheng.cli.keys.signing import save_entry, unlock

    session = Session.load()
    present = session.active_key
    with session.notary() as client:
        organisation = pin_organisation(session.home, session.organisation, client)
        old = None if is_lost else unlock(session.home, present)
        entry, key = _successor(session, present, store)
        entry = enrol(client, organisation, entry, key or unlock(session.home, entry), old)
    save_entry(session.home, entry)
    # Between these two lines the notary knows the new key and we still sign with the old one: the
    # next rotate finds the successor, is given the same enrolment again, and gets here.
    from mizheng.cli.config import save_config

    save_config(
        session.home, replace(session.config, active_key=entry.public.keyid, organisation=organisation)
    )
    if as_json:
        emit_json(_describe(entry, entry.public.keyid))
        return
    say(_("signing key: {keyid}, kept as: {store}", keyid=entry.public.keyid, store=entry.store))
    say(_("replaces {keyid}, which is revoked", keyid=present.public.keyid))


def _successor(session: Session, present: KeyEntry, store: str | None) -> tuple[KeyEntry, PrivateKey | None]:
    from mizheng.cli.keys.signing import create_key, list_entries
    from mizheng.verifier.canonical import format_instant

    for entry in list_entries(session.home):
        if entry.replaces == present.public.keyid:
            return entry, None
    chosen = parse_store(store or present.store)
    created = create_key(session.home, chosen, format_instant(int(time.time())), present.public.keyid)
    if chosen == "file":
        warn_of_file_store(session.home / "keys")
    return created


def _describe(entry: KeyEntry, active: str) -> dict[str, object]:
    return {
        "keyid": entry.public.keyid,
        "public_key": entry.public_key,
        "store": entry.store,
        "created_at": entry.created_at,
        "replaces": entry.replaces,
        "enrolment_index": entry.enrolment["leaf_index"] if entry.enrolment else None,
        "active": entry.public.keyid == active,
    }


def _state(entry: KeyEntry, active: str) -> str:
    if entry.enrolment is None:
        return _("not enrolled yet")
    return _("active") if entry.public.keyid == active else _("replaced")
