"""`mizheng init`: make the signing key, enrol it. Run again, it goes on where it stopped."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.errors import InputFault, PermissionFault, UsageFault
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, note, say
from mizheng.cli.terminal.screens import Command

if TYPE_CHECKING:
    from mizheng.cli.config import Config, Organisation
    from mizheng.cli.keys.signing import KeyEntry, Store
    from mizheng.verifier.signature import PrivateKey
    from mizheng.verifier.trust import Trust


@click.command(
    "init",
    cls=Command,
    help=N_(
        "Make the company's signing key on this machine and enrol its public part with a notary, then "
        "check what the notary answers. The private key never leaves this machine. Running it again is "
        "harmless: a key that exists is kept.\n\n"
        "The API key comes from MIZHENG_API_KEY, the private file of last time, or standard input."
    ),
    epilog=N_(
        "mizheng init --notary https://notary.example\n"
        "mizheng init --store file --operator 张三 < api-key.txt"
    ),
)
@click.option(
    "--notary", metavar="ADDRESS", help=N_("the notary's address; else MIZHENG_NOTARY, else this machine")
)
@click.option(
    "--store",
    metavar="WHERE",
    help=N_(
        "passphrase (default), keyring (the platform's), or file (0600, not encrypted, for unattended use)"
    ),
)
@click.option(
    "--seal-store",
    metavar="WHERE",
    help=N_("where the key of the seals is kept: keyring, file, or passphrase (a second each time)"),
)
@click.option("--operator", metavar="NAME", help=N_("the person who deposits, named in every statement"))
@click.option(
    "--approvals", metavar="N", help=N_("how many persons must approve a request for access; else one")
)
@click.option(
    "--trust", metavar="FILE", help=N_("a trust file from another channel: the notary's keys must be in it")
)
@click.option("--new-api-key", is_flag=True, help=N_("read a new API key although one is kept"))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def init(
    notary: str | None,
    store: str | None,
    seal_store: str | None,
    operator: str | None,
    approvals: str | None,
    trust: str | None,
    new_api_key: bool,
    as_json: bool,
) -> None:
    from mizheng.cli.config import home_directory, load_config, notary_address, save_config
    from mizheng.cli.depositing.client import NotaryClient
    from mizheng.cli.depositing.enrolling import enrol, pin_organisation
    from mizheng.cli.keys.signing import save_entry, unlock

    if approvals is not None and approvals not in set("123456789"):
        raise UsageFault("--approvals takes a number from 1 to 9")
    home = home_directory()
    config = load_config(home)
    chosen = _store(store, config)
    address = notary_address(notary, config)
    api_key = _api_key(home, is_new=new_api_key)
    # Built first: an address that cannot be one must not leave a key behind.
    with NotaryClient(address, api_key) as client:
        config = replace(
            config,
            notary=address,
            key_store=chosen,
            seal_store=parse_store(seal_store) if seal_store else config.seal_store,
            operator=_or(operator, config.operator),
            approvals=_or(approvals, config.approvals),
        )
        save_config(home, config)
        entry, key = _key(home, config, chosen)
        config = replace(config, active_key=entry.public.keyid)
        save_config(home, config)
        # Whatever happens from here on, the key stays, and init can be run again.
        believed = None if trust is None else read_trust(Path(trust))
        organisation = pin_organisation(home, config.organisation, client, believed)
        if entry.enrolment is None:
            entry = enrol(client, organisation, entry, key or unlock(home, entry))
            save_entry(home, entry)
        save_config(home, replace(config, organisation=organisation))
    _tell(home, entry, organisation, has_trust=trust is not None, as_json=as_json)


def read_trust(path: Path) -> Trust:
    """A trust file that came by another channel."""
    from mizheng.verifier.trust import parse_trust

    try:
        return parse_trust(path.read_bytes())
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error


def warn_of_file_store(path: Path) -> None:
    """Said aloud: whoever reads this file can sign as the company."""
    note(
        _(
            "the private key lies unencrypted in {name}: whoever can read it signs as the company",
            name=str(path),
        )
    )


def parse_store(text: str) -> Store:
    """A name of STORES; UsageFault otherwise."""
    from mizheng.cli.keys.signing import STORES

    for store in STORES:
        if text == store:
            return store
    raise UsageFault("{value} is no place to keep a key", "one of: passphrase, keyring, file", value=text)


def _store(asked: str | None, config: Config) -> Store:
    return parse_store(asked or config.key_store or "passphrase")


def _key(home: Path, config: Config, store: Store) -> tuple[KeyEntry, PrivateKey | None]:
    """The key there is, or a new one with its private part."""
    from mizheng.cli.keys.signing import create_key, load_entry
    from mizheng.verifier.canonical import format_instant

    if config.active_key:
        return load_entry(home, config.active_key), None
    entry, key = create_key(home, store, format_instant(int(time.time())), None)
    if store == "file":
        warn_of_file_store(home / "keys")
    return entry, key


def _api_key(home: Path, *, is_new: bool) -> str:
    """From the environment, the file, the pipe, or the person; kept in the file."""
    from mizheng.cli.config import load_api_key, save_api_key

    found = None if is_new else load_api_key(home)
    if not found and sys.stdin.isatty():
        from getpass import getpass

        found = getpass(_("API key of the notary: ")).strip()
    elif not found:
        found = sys.stdin.readline().strip()
    if not found:
        raise PermissionFault(
            "there is no API key for the notary", "the notary's operator makes one: mizheng-notary org add"
        )
    save_api_key(home, found)
    return found


def _tell(home: Path, entry: KeyEntry, organisation: Organisation, *, has_trust: bool, as_json: bool) -> None:
    assert entry.enrolment is not None  # noqa: S101 - just enrolled
    if as_json:
        emit_json(
            {
                "keyid": entry.public.keyid,
                "store": entry.store,
                "depositor": {
                    "name": organisation.name,
                    "id_scheme": organisation.id_scheme,
                    "id": organisation.id,
                },
                "origin": organisation.origin,
                "log_vkey": organisation.log_vkey,
                "enrolment_index": entry.enrolment["leaf_index"],
                "home": str(home),
            }
        )
        return
    say(
        _(
            "company: {name} ({scheme} {id})",
            name=organisation.name,
            scheme=organisation.id_scheme,
            id=organisation.id,
        )
    )
    say(_("signing key: {keyid}, kept as: {store}", keyid=entry.public.keyid, store=entry.store))
    say(
        _(
            "enrolled at {origin}, entry {index}; checked",
            origin=organisation.origin,
            index=entry.enrolment["leaf_index"],
        )
    )
    if not has_trust:
        say(_("log key, pinned from now on: {vkey}", vkey=organisation.log_vkey))
    say(_("keep a copy of {home}: without its keys no seal can be opened and no bundle made", home=str(home)))
    say(_("better: mizheng escrow add age1…, so that somebody else can open the seals too"))


def _or(asked: str | None, before: str) -> str:
    return before if asked is None else asked
