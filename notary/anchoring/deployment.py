"""`mizheng-notary chain deploy`: contract, opened log, and the chain's table of notary.toml."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizheng.notary.anchoring.publisher_key import load_publisher
from mizheng.notary.auditing.recording import record
from mizheng.notary.chain.configured import load_profiles
from mizheng.notary.chain.deploy import Deployment, bring_up
from mizheng.notary.chain.interface import RejectedError
from mizheng.notary.chain.node import discover_profile
from mizheng.notary.chain.nodes import open_nodes
from mizheng.notary.chain.profiles import ChainProfile, parse_finality, parse_profile
from mizheng.notary.database import writing
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import Instance


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was brought onto the chain, and where it is written down."""

    deployment: Deployment
    path: Path


def deploy(
    instance: Instance,
    rpc: Sequence[str],
    name: str | None,
    finality: str,
    *,
    kind: str = "ethereum",
    fees: str = "dynamic",
) -> Deployed:
    """Deploy and open where that is still to be done, then write notary.toml; done twice, nothing changes.

    Without a name it is the one chain of this notary; with one it may be a further one.
    """
    found = discover_profile(tuple(rpc), parse_finality(finality))
    profile = parse_profile(
        {
            "name": name or "main",
            "kind": kind,
            "chain_id": found.chain_id,
            "genesis_hash": found.genesis_hash.hex(),
            "rpc": list(rpc),
            "finality": finality,
            "fees": fees,
        }
    )
    present = _present(instance, profile, is_named=name is not None)
    chain = open_nodes(present or profile)
    publisher = load_publisher(instance.settings)
    try:
        deployment = bring_up(chain, publisher, instance.origin)
    except RejectedError as error:
        if error.code != "insufficient-funds":
            raise
        raise OperatorError(
            "the publisher's account 0x{address} cannot pay",
            hint="send it some of the chain's currency, then run the command again",
            address=publisher.address.hex(),
        ) from None
    finally:
        chain.close()
    with writing(instance.engine) as connection:
        contract = deployment.contract.hex()
        record(connection, "chain.deploy", f"chain:{profile.name}", detail={"contract": contract})
    path = instance.settings.config_path
    if present is None or present.contract is None:
        header = _header(instance, present or profile)
        _write(path, header, _lines(header, profile, deployment, is_new=present is None))
    return Deployed(deployment, path)


def _present(instance: Instance, asked: ChainProfile, *, is_named: bool) -> ChainProfile | None:
    """What notary.toml says of this chain already; OperatorError if another one has its place or name."""
    others = [profile for profile in load_profiles(instance.settings) if not profile.is_embedded]
    for profile in others:
        if (profile.chain_id, profile.genesis_hash) == (asked.chain_id, asked.genesis_hash):
            return profile
    for profile in others:
        if profile.name == asked.name or not is_named:
            raise OperatorError(
                "notary.toml names another chain, {name}",
                hint="to anchor on both, give this one a name of its own: --name NAME; to leave the other "
                "one, take its table away first: anchors that are there stay evidence",
                name=profile.name,
            )
    return None


def _header(instance: Instance, profile: ChainProfile) -> str:
    """The table of notary.toml in which the chain stands, or is to stand."""
    settings = instance.settings
    if profile.name in settings.chains:
        return f"chains.{profile.name}"
    is_first = settings.chain is None and not settings.chains
    return "chain" if is_first or _is_first(settings.chain, profile) else f'chains."{profile.name}"'


def _is_first(table: Mapping[str, Any] | None, profile: ChainProfile) -> bool:
    return table is not None and table.get("name", "main") == profile.name


def _lines(header: str, profile: ChainProfile, deployment: Deployment, *, is_new: bool) -> list[str]:
    contract = [f'contract = "{deployment.contract.hex()}"', f"first_block = {deployment.first_block}"]
    if not is_new:
        return contract
    # JSON's strings and lists of strings are TOML's.
    return [
        f"[{header}]",
        *([f"name = {json.dumps(profile.name)}"] if header == "chain" else []),
        f'kind = "{profile.kind}"',
        f"chain_id = {profile.chain_id}",
        f'genesis_hash = "{profile.genesis_hash.hex()}"',
        f"rpc = {json.dumps(list(profile.rpc))}",
        f'finality = "{profile.finality.rule}"',
        *([] if profile.fee_rule.kind == "dynamic" else [f'fees = "{profile.fee_rule.kind}"']),
        *contract,
    ]


def _write(path: Path, header: str, lines: Sequence[str]) -> None:
    """Add the lines at the chain's present table, or at the end; what the operator wrote stays as it is."""
    text = path.read_text("utf-8") if path.exists() else ""
    added = "\n".join(lines) + "\n"
    name = header.removeprefix("chains.").strip('"')
    place = "chain" if header == "chain" else rf'chains[ \t]*\.[ \t]*"?{re.escape(name)}"?'
    table = re.search(rf"^\[{place}\][ \t]*(?:#.*)?$", text, re.MULTILINE)
    if table:
        text = text[: table.end()] + "\n" + added + text[table.end() :].lstrip("\n")
    else:
        text = (text.rstrip("\n") + "\n\n" if text.strip() else "") + added
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, "utf-8")
    # Dying here: the contract is found again by the publisher's account, and written down by the next run.
    draft.replace(path)
