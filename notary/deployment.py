"""`mizheng-notary chain deploy`: contract, opened log, and the `[chain]` table of notary.toml."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mizheng.notary.chain.deploy import Deployment, bring_up
from mizheng.notary.chain.interface import RejectedError
from mizheng.notary.chain.node import NodeChain, discover_profile
from mizheng.notary.chain.profiles import ChainProfile, parse_finality, parse_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import PUBLISHER_FILE, Instance

_CHAIN_TABLE = re.compile(r"^\[chain\][ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was brought onto the chain, and where it is written down."""

    deployment: Deployment
    path: Path


def load_publisher(instance: Instance) -> Publisher:
    """The account that anchors, made if there is none."""
    return Publisher.load_or_create(instance.settings.keys_dir / PUBLISHER_FILE)


def deploy(instance: Instance, rpc: Sequence[str], name: str, finality: str) -> Deployed:
    """Deploy and open where that is still to be done, then write notary.toml; done twice, nothing changes."""
    profile = replace(discover_profile(tuple(rpc), parse_finality(finality)), name=name)
    present = _present(instance, profile)
    chain = NodeChain(present or profile)
    publisher = load_publisher(instance)
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
    path = instance.settings.config_path
    if present is None or present.contract is None:
        _write(path, _lines(profile, deployment, is_new=present is None))
    return Deployed(deployment, path)


def _present(instance: Instance, asked: ChainProfile) -> ChainProfile | None:
    """The chain that notary.toml names already; OperatorError if it is another one than asked for."""
    if instance.settings.chain is None:
        return None
    present = parse_profile(instance.settings.chain)
    if (present.chain_id, present.genesis_hash) != (asked.chain_id, asked.genesis_hash):
        raise OperatorError(
            "notary.toml names another chain, {name}",
            hint="take its [chain] table away first; anchors that are there stay evidence",
            name=present.name,
        )
    return present


def _lines(profile: ChainProfile, deployment: Deployment, *, is_new: bool) -> list[str]:
    contract = [f'contract = "{deployment.contract.hex()}"', f"first_block = {deployment.first_block}"]
    if not is_new:
        return contract
    # JSON's strings and lists of strings are TOML's.
    return [
        "[chain]",
        f"name = {json.dumps(profile.name)}",
        f'kind = "{profile.kind}"',
        f"chain_id = {profile.chain_id}",
        f'genesis_hash = "{profile.genesis_hash.hex()}"',
        f"rpc = {json.dumps(list(profile.rpc))}",
        f'finality = "{profile.finality.rule}"',
        *contract,
    ]


def _write(path: Path, lines: Sequence[str]) -> None:
    """Add the lines at the present [chain] table, or at the end; what the operator wrote stays as it is."""
    text = path.read_text("utf-8") if path.exists() else ""
    added = "\n".join(lines) + "\n"
    table = _CHAIN_TABLE.search(text)
    if table:
        text = text[: table.end()] + "\n" + added + text[table.end() :].lstrip("\n")
    else:
        text = (text.rstrip("\n") + "\n\n" if text.strip() else "") + added
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, "utf-8")
    # Dying here: the contract is found again by the publisher's account, and written down by the next run.
    draft.replace(path)
