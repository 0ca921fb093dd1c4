"""`mizheng trust`: read a trust file before believing it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from mizheng.cli.terminal.language import N_, _
from mizheng.cli.terminal.output import emit_json, say, warn
from mizheng.cli.terminal.screens import Command, Lazy, LazyGroup
from mizheng.cli.terminal.text import printable

if TYPE_CHECKING:
    from mizheng.verifier.consensus.validators import ValidatorSet
    from mizheng.verifier.trust import Trust, TrustedLog, TrustedLogId


@click.group(
    "trust",
    cls=LazyGroup,
    lazy={"show": Lazy("mizheng.cli.commands.trust", "show", N_("print fingerprint, expiry and parties"))},
    help=N_(
        "A trust file says whom a verification believes: logs, issuers, observers, chains. It has to reach "
        "you by another channel than the bundle; compare its fingerprint with whoever issued it."
    ),
    epilog=N_("mizheng trust show trust.toml"),
)
def trust() -> None:
    pass


@click.command(
    "show",
    cls=Command,
    help=N_(
        "Print a trust file's fingerprint, expiry and parties. Read the short fingerprint out over the "
        "telephone; the full SHA-256 is what reports print."
    ),
    epilog=N_("mizheng trust show trust.toml"),
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=N_("print the result as JSON"))
def show(path: Path, as_json: bool) -> None:
    from mizheng.cli.commands.verify import load_trust
    from mizheng.verifier.canonical import format_instant, parse_instant

    found = load_trust(path)
    is_expired = time.time() >= parse_instant(found.expires_at)
    if as_json:
        emit_json(_describe(found, is_expired=is_expired))
        return
    # First, so that whoever reads no further has seen it.
    if any(chain.kind == "trial" for chain in found.chains):
        warn(_("TRIAL: a chain here is for trying only; nothing verified with it is evidence"))
    if is_expired:
        warn(_("this trust file has expired; nothing verified with it is valid"))
    say(_("trust file: {name}", name=printable(found.name)))
    say(_("fingerprint: {short}", short=short_fingerprint(found.sha256)))
    say(_("SHA-256: {digest}", digest=found.sha256))
    say(_("issued at {issued}, expires at {expires}", issued=found.issued_at, expires=found.expires_at))
    for log in found.logs:
        say(_("log: {origin}, sizes {range}", origin=printable(log.origin), range=_range(log)))
        say(f"  {log.verifier.vkey}")
    for issuer in found.issuers:
        say(_("issuer: {name}, key {keyid}", name=printable(issuer.name), keyid=issuer.key.keyid))
    if found.observers:
        quorum, count = found.observer_quorum, len(found.observers)
        say(_("observers: {quorum} of {count} must agree", quorum=quorum, count=count))
    else:
        say(_("observers: none"))
    for observer in found.observers:
        say(_("observer: {name}, key {keyid}", name=printable(observer.name), keyid=observer.key.keyid))
    if found.witness_policy:
        say(_("witnesses: the quorum is {quorum}", quorum=printable(found.witness_policy.quorum)))
        for name, witness in found.witness_policy.witnesses.items():
            say(_("witness: {name}, {vkey}", name=printable(name), vkey=printable(witness.vkey)))
        for name, group in found.witness_policy.groups.items():
            members = printable(", ".join(group.members))
            say(
                _(
                    "  group {name}: {threshold} of {members}",
                    name=printable(name),
                    threshold=group.threshold,
                    members=members,
                )
            )
    for chain in found.chains:
        say(
            _(
                "chain: {name}, {kind}, id {chain_id}, contract {contract}, pinned blocks: {pins}",
                name=printable(chain.name),
                kind=printable(chain.kind),
                chain_id=chain.chain_id,
                contract=chain.contract.hex(),
                pins=len(chain.pins),
            )
        )
        for validators in chain.validators:
            _say_validators(validators)
        for log_id in chain.log_ids:
            say(_("  anchors {origin}, sizes {range}", origin=printable(log_id.origin), range=_range(log_id)))
    for authority in found.tsas:
        say(_("time-stamp authority: {name}", name=printable(authority.name)))
        for root in authority.roots:
            say(_("  root {name}, SHA-256 {digest}", name=printable(root.name), digest=root.sha256))
        if authority.policies:
            say(_("  policies: {policies}", policies=", ".join(authority.policies)))
        if authority.certificates:
            say(_("  certificates: {digests}", digests=", ".join(sorted(authority.certificates))))
        if authority.last_time is not None:
            say(_("  believed up to {at}", at=format_instant(authority.last_time)))
    for name, at in sorted(found.retired_hashes.items()):
        say(_("hash {name}: counts until {at}", name=name, at=format_instant(at)))
    if found.require:
        say(_("required checks: {codes}", codes=printable(", ".join(found.require))))
    if found.revoked_keys:
        say(_("revoked keys: {keys}", keys=", ".join(sorted(found.revoked_keys))))


def short_fingerprint(digest: str) -> str:
    """80 bits of a hex SHA-256 in groups that can be read aloud."""
    return "-".join(digest[start : start + 4] for start in range(0, 20, 4))


def _say_validators(validators: ValidatorSet) -> None:
    last = "" if validators.to_block is None else validators.to_block
    say(
        _(
            "  validators of blocks {range}: {kind}, {needed} of {count} must seal",
            range=f"{validators.from_block}–{last}",
            kind=validators.kind,
            needed=validators.needed,
            count=len(validators.members),
        )
    )
    for member in validators.members:
        say(f"    {member.address.hex()}  {printable(member.name)}")


def _range(item: TrustedLog | TrustedLogId) -> str:
    return f"{item.first_size}–{'' if item.last_size is None else item.last_size}"


def _describe(found: Trust, *, is_expired: bool) -> dict[str, object]:
    from mizheng.verifier.canonical import format_instant

    return {
        "name": found.name,
        "fingerprint": short_fingerprint(found.sha256),
        "sha256": found.sha256,
        "issued_at": found.issued_at,
        "expires_at": found.expires_at,
        "expired": is_expired,
        "logs": [
            {"vkey": log.verifier.vkey, "first_size": log.first_size, "last_size": log.last_size}
            for log in found.logs
        ],
        "issuers": [{"name": item.name, "keyid": item.key.keyid} for item in found.issuers],
        "observers": {
            "quorum": found.observer_quorum,
            "keys": [{"name": item.name, "keyid": item.key.keyid} for item in found.observers],
        },
        "witness_policy": None if found.witness_policy is None else found.witness_policy.text,
        "chains": [
            {
                "name": chain.name,
                "kind": chain.kind,
                "chain_id": chain.chain_id,
                "genesis_hash": chain.genesis_hash.hex(),
                "contract": chain.contract.hex(),
                "pins": len(chain.pins),
                "validators": [
                    {
                        "kind": each.kind,
                        "from_block": each.from_block,
                        "to_block": each.to_block,
                        "needed": each.needed,
                        "members": [
                            {"name": member.name, "address": member.address.hex()} for member in each.members
                        ],
                    }
                    for each in chain.validators
                ],
            }
            for chain in found.chains
        ],
        "tsas": [
            {
                "name": authority.name,
                "roots": [root.sha256 for root in authority.roots],
                "policies": list(authority.policies),
                "certificates": sorted(authority.certificates),
                "last_time": None if authority.last_time is None else format_instant(authority.last_time),
            }
            for authority in found.tsas
        ],
        "retired_hashes": {name: format_instant(at) for name, at in sorted(found.retired_hashes.items())},
        "require": list(found.require),
        "revoked_keys": sorted(found.revoked_keys),
    }
