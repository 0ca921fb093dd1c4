"""`mizheng-notary org …` and `mizheng-notary key …`: companies, their API keys and their signing keys."""

import json
import os
from typing import Any

import click
from mizheng.notary.commands.console import data_dir_option, open_here, say, speaks
from mizheng.verifier.words import N_


@click.group()
def org() -> None:
    """Companies that may deposit."""


@org.command("add")
@click.argument("name")
@click.argument("identifier")
@click.option("--id-scheme", default="CN-USCC", show_default=True, help="register of the identifier")
@click.option("--key-days", type=click.IntRange(1, 3650), help="days until the API key expires")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@data_dir_option
@speaks
def org_add(
    name: str, identifier: str, id_scheme: str, key_days: int | None, as_json: bool, data_dir: str | None
) -> None:
    """Register a company by its legal NAME and IDENTIFIER (统一社会信用代码); shows its API key once."""
    from mizheng.notary.companies.organisations import add_organisation

    organisation, key = add_organisation(
        open_here(data_dir).engine, name, id_scheme, identifier, key_days=key_days
    )
    if as_json:
        click.echo(
            json.dumps({**organisation.depositor.to_json(), "api_key": key.secret}, ensure_ascii=False)
        )
        return
    say(
        "registered {name} ({scheme} {number})",
        name=organisation.depositor.name,
        scheme=organisation.depositor.id_scheme,
        number=organisation.depositor.id,
    )
    _show_key(key.secret)


@org.command("list")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@data_dir_option
@speaks
def org_list(as_json: bool, data_dir: str | None) -> None:
    """List registered companies."""
    from mizheng.notary.companies.organisations import list_organisations

    found = list_organisations(open_here(data_dir).engine)
    if as_json:
        rows: list[dict[str, Any]] = [
            {
                **organisation.depositor.to_json(),
                "number": organisation.number,
                "is_disabled": organisation.is_disabled,
                "active_keyid": organisation.active_keyid,
            }
            for organisation in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for organisation in found:
        depositor = organisation.depositor
        state = "disabled" if organisation.is_disabled else (organisation.active_keyid or "-")[:16]
        click.echo(
            f"{organisation.number:>4}  {depositor.id_scheme}  {depositor.id}  {state:<16}  {depositor.name}"
        )


@org.command("rename")
@click.argument("organisation")
@click.argument("name")
@data_dir_option
@speaks
def org_rename(organisation: str, name: str, data_dir: str | None) -> None:
    """Give ORGANISATION (identifier or number) its new legal NAME; its key is revoked, the next names it."""
    from mizheng.notary.companies.enrolments import KeyRegister

    instance = open_here(data_dir)
    KeyRegister(instance.engine, instance.keys, instance.signer, instance.guard).rename(organisation, name)
    say("renamed; before the company deposits again it runs: mizheng key rotate")


@org.command("disable")
@click.argument("organisation")
@data_dir_option
@speaks
def org_disable(organisation: str, data_dir: str | None) -> None:
    """Bar ORGANISATION (identifier or number); its evidence stays what it is."""
    from mizheng.notary.companies.organisations import set_disabled

    found = set_disabled(open_here(data_dir).engine, organisation, disabled=True)
    say("{name} is disabled", name=found.depositor.name)


@org.command("enable")
@click.argument("organisation")
@data_dir_option
@speaks
def org_enable(organisation: str, data_dir: str | None) -> None:
    """Let ORGANISATION (identifier or number) in again."""
    from mizheng.notary.companies.organisations import set_disabled

    found = set_disabled(open_here(data_dir).engine, organisation, disabled=False)
    say("{name} is enabled", name=found.depositor.name)


@org.command("new-api-key")
@click.argument("organisation")
@click.option("--keep", is_flag=True, help="leave the present API keys valid")
@click.option("--key-days", type=click.IntRange(1, 3650), help="days until the API key expires")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["deposit", "read", "keys", "webhooks"]),
    help=N_("what the key may be used for; can be repeated [everything]"),
)
@data_dir_option
@speaks
def org_new_api_key(
    organisation: str, keep: bool, key_days: int | None, scopes: tuple[str, ...], data_dir: str | None
) -> None:
    """Issue a new API key for ORGANISATION (identifier or number), shown once; the old ones stop working."""
    from mizheng.notary.companies.organisations import new_api_key

    _, key = new_api_key(
        open_here(data_dir).engine, organisation, keep_others=keep, key_days=key_days, scopes=scopes
    )
    _show_key(key.secret)


@org.command("limit")
@click.argument("organisation")
@click.option("--per-day", type=click.IntRange(0, 10**9), help=N_("new entries in a UTC day"))
@click.option("--in-all", type=click.IntRange(0, 10**12), help=N_("new entries, ever"))
@click.option("--per-minute", type=click.IntRange(1, 10**6), help=N_("requests in a minute"))
@data_dir_option
@speaks
def org_limit(
    organisation: str, per_day: int | None, in_all: int | None, per_minute: int | None, data_dir: str | None
) -> None:
    """Say how much ORGANISATION may ask for, in the place of what was said before; without options: as much
    as there is room for.
    """
    from mizheng.notary.companies.organisations import find_organisation
    from mizheng.notary.companies.quotas import set_quota
    from mizheng.notary.log.guard import writing_log

    instance = open_here(data_dir)
    with writing_log(instance.engine, instance.guard) as turn:
        found = find_organisation(turn.connection, organisation)
        quota = set_quota(
            turn.connection, found.number, per_day=per_day, in_all=in_all, per_minute=per_minute
        )
    if quota is None:
        say("{name} has no limits", name=found.depositor.name)
    else:
        say(
            "{name} is limited; used today: {today}, in all: {used}",
            name=found.depositor.name,
            today=quota.used_today,
            used=quota.used,
        )


@click.group()
def key() -> None:
    """Signing keys of companies."""


@key.command("list")
@data_dir_option
@speaks
def key_list(data_dir: str | None) -> None:
    """List all keys ever enrolled."""
    from mizheng.notary.companies.enrolments import list_keys

    for row in list_keys(open_here(data_dir).engine):
        state = "active" if row.revocation_index is None else f"revoked at {row.revocation_index}"
        click.echo(f"{row.keyid}  enrolled at {row.enrolment_index}  {state}  {row.depositor.name}")


@key.command("revoke")
@click.argument("keyid")
@click.option("--reason", default="revoked by the operator", show_default=True)
@data_dir_option
@speaks
def key_revoke(keyid: str, reason: str, data_dir: str | None) -> None:
    """Revoke KEYID: what it signs from now on does not count; what it signed before stays valid."""
    from mizheng.notary.companies.enrolments import KeyRegister

    instance = open_here(data_dir)
    index = KeyRegister(instance.engine, instance.keys, instance.signer, instance.guard).revoke(keyid, reason)
    say("the key is revoked from leaf index {index} on", index=index)


@key.command("reenrol")
@click.argument("organisation")
@data_dir_option
@speaks
def key_reenrol(organisation: str, data_dir: str | None) -> None:
    """After ORGANISATION lost its key: let its next one replace it, once. Make sure who is asking."""
    from mizheng.notary.companies.organisations import allow_reenrolment

    found = allow_reenrolment(open_here(data_dir).engine, organisation)
    say("{name} may enrol a new key in place of the lost one, once", name=found.depositor.name)


@key.command("rotate-issuer")
@click.option("--lost", is_flag=True, help=N_("the present issuer key is gone"))
@data_dir_option
@speaks
def key_rotate_issuer(lost: bool, data_dir: str | None) -> None:
    """Make a new key for enrolments, revocations and key statuses; the notary must not be serving."""
    from mizheng.notary.config import load_settings
    from mizheng.notary.keys.rotation import rotate_issuer

    made = rotate_issuer(load_settings(os.environ, {"data_dir": data_dir}), is_lost=lost)
    say("issuer key: {key}", key=made.to_base64())
    say("export the trust file anew: companies need it for mizheng init --trust, courts for new bundles")


@key.command("rotate-log")
@click.option("--stolen", is_flag=True, help=N_("somebody else has the present key"))
@click.option("--lost", is_flag=True, help=N_("the present key is gone; the issuer signs in its place"))
@click.option(
    "--last-size",
    type=click.IntRange(min=0),
    help=N_(
        "with --stolen: entries up to which the old key is believed [the last that are final on a chain]"
    ),
)
@data_dir_option
@speaks
def key_rotate_log(stolen: bool, lost: bool, last_size: int | None, data_dir: str | None) -> None:
    """Make a new key for the log, and announce it in the log; the notary must not be serving."""
    from mizheng.notary.config import load_settings
    from mizheng.notary.errors import OperatorError
    from mizheng.notary.keys.rotation import Occasion, rotate_log

    if last_size is not None and not stolen:
        raise OperatorError("--last-size goes with --stolen")
    settings = load_settings(os.environ, {"data_dir": data_dir})
    change = rotate_log(settings, Occasion(stolen, lost, last_size)).change
    say("log key: {vkey}", vkey=change.new.vkey)
    say(
        "it signs from {count} entries on; the old one is believed up to {last}",
        count=change.size + 1,
        last=change.last_size,
    )
    if change.reason == "scheduled":
        say("depositors' software follows by itself; give witnesses the new key, courts a new trust file")
    else:
        say("depositors need the new trust file: mizheng init --trust FILE; so do courts. Tell the witnesses")
    say("now make a backup, and a new file of the keys: mizheng-notary backup DIR --keys FILE")


def _show_key(secret: str) -> None:
    say("API key, shown this once and not kept:")
    click.echo(secret)
