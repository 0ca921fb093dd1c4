"""Which chain, where its nodes are, and when a block of it counts as final: a `[chain]` or `[chains.NAME]`
table of notary.toml, or a file of its own that such a table names.

    [chain]
    name = "mainnet"
    kind = "ethereum"
    chain_id = 1
    genesis_hash = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
    rpc = ["http://127.0.0.1:8545", "https://node.example"]
    quorum = 2                          # how many of them must agree; else more than half
    finality = "finalized"              # or "instant", or "confirmations:12"
    contract = "…40 hex digits…"        # written by `mizheng-notary chain deploy`
    log_id = "…64 hex digits…"          # optional: of a log that was handed over from another publisher
    first_block = 19000000              # of the contract; the search for lost anchors starts there
    validators = [{…}]                  # optional: who seals its blocks, see mizheng.notary.chain.validators
    max_fee_gwei = 80                   # optional, like all of mizheng.notary.chain.feerule: what it may cost

Without any such table the notary makes its own embedded chain, for trying.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mizheng.notary.chain.feerule import FEE_KEYS, FeeRule, parse_fee_rule
from mizheng.notary.chain.validators import ConfiguredValidators, parse_configured
from mizheng.notary.chain.votes import majority
from mizheng.notary.errors import ConfigurationError
from mizheng.verifier import foreign
from mizheng.verifier.evm.block import KINDS, Chain

# Fixed, so that a wallet or a script written against one embedded chain signs for the next; the random
# genesis is what tells two of them apart.
EMBEDDED_CHAIN_ID = 1337000

# Twelve minutes of Ethereum are 60 blocks; a chain that needs more than this many has no finality worth
# the name.
_MAX_CONFIRMATIONS = 100_000
_KEYS = {
    "name": str,
    "kind": str,
    "chain_id": int,
    "genesis_hash": str,
    "rpc": list,
    "quorum": int,
    "finality": str,
    "contract": str,
    "log_id": str,
    "first_block": int,
    "extra_gas": int,
    "validators": list,
    **FEE_KEYS,
}
_REQUIRED = ("kind", "chain_id", "genesis_hash", "rpc", "finality")


@dataclass(frozen=True, slots=True)
class Finality:
    """When a block counts as final.

    `rule` as written in the profile and in observations: "finalized" asks the node for its finalized block,
    "instant" trusts every block (chains whose consensus never reorganises), "confirmations:N" wants N
    blocks on top.
    """

    rule: str

    @property
    def confirmations(self) -> int | None:
        """N of "confirmations:N", 0 for "instant", None for "finalized"."""
        if self.rule == "finalized":
            return None
        return 0 if self.rule == "instant" else int(self.rule.removeprefix("confirmations:"))


@dataclass(frozen=True, slots=True)
class ChainProfile:
    """One chain as the notary uses it. No rpc: the embedded chain, which fills in its genesis when opened."""

    name: str
    kind: str
    """ethereum, clique, ibft2, qbft or trial, as in the evidence."""
    chain_id: int
    genesis_hash: bytes
    """32 bytes; empty for an embedded chain that has not been opened."""
    finality: Finality
    rpc: tuple[str, ...] = ()
    """Every node is asked everything."""
    asked_quorum: int | None = None
    """How many nodes have to agree; None: more than half of them."""
    contract: bytes | None = None
    """20 bytes; None until it is deployed."""
    log_id: bytes | None = None
    """32 bytes; None: the one that follows from publisher and origin."""
    first_block: int = 0
    extra_gas: int = 0
    """On top of what a transaction needs by itself: rollups that charge Ethereum's part as gas."""
    fee_rule: FeeRule = field(default_factory=FeeRule)
    validators: ConfiguredValidators = field(default_factory=ConfiguredValidators)

    @property
    def is_embedded(self) -> bool:
        return not self.rpc

    @property
    def is_foreign(self) -> bool:
        """Whether the chain's headers are not Ethereum's, so that its evidence is a type of its own."""
        return self.kind in foreign.KINDS

    @property
    def quorum(self) -> int:
        """How many nodes have to agree."""
        return self.asked_quorum or majority(len(self.rpc))

    @property
    def identity(self) -> Chain:
        """The chain's name as evidence carries it."""
        return Chain(self.kind, self.chain_id, self.genesis_hash)


def embedded_profile(name: str = "embedded") -> ChainProfile:
    """The profile of a notary without configuration."""
    return ChainProfile(name, "trial", EMBEDDED_CHAIN_ID, b"", Finality("instant"))


def parse_profile(table: Mapping[str, object]) -> ChainProfile:
    """Read a chain's table; ConfigurationError names the key that is wrong."""
    for key, value in table.items():
        if key not in _KEYS:
            raise ConfigurationError(
                "notary.toml: unknown key {key} in a chain's table",
                hint="known keys: {known}",
                key=key,
                known=", ".join(_KEYS),
            )
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise _wrong(key, f"must be a {_WORDS[_KEYS[key]]}")
    if table.get("kind") == "trial" and "rpc" not in table:
        if set(table) - {"name", "kind"}:
            raise ConfigurationError(
                "notary.toml: the embedded chain has no settings but its name",
                hint="for a chain with nodes of its own give rpc, chain_id, genesis_hash and finality",
            )
        return embedded_profile(str(table.get("name", "embedded")))
    for key in _REQUIRED:
        if key not in table:
            raise ConfigurationError("notary.toml: {key} is missing in a chain's table", key=key)
    contract, log_id = table.get("contract"), table.get("log_id")
    _require_fit(table)
    return ChainProfile(
        name=_name(str(table.get("name", "main"))),
        kind=parse_kind(str(table["kind"])),
        chain_id=_natural("chain_id", table["chain_id"], least=1),
        genesis_hash=_hex("genesis_hash", str(table["genesis_hash"]), 32),
        rpc=_urls(table["rpc"]),
        asked_quorum=_quorum(table.get("quorum"), len(_urls(table["rpc"]))),
        finality=parse_finality(str(table["finality"])),
        contract=None if contract is None else _hex("contract", str(contract), 20),
        log_id=None if log_id is None else _hex("log_id", str(log_id), 32),
        first_block=_natural("first_block", table.get("first_block", 0)),
        extra_gas=_natural("extra_gas", table.get("extra_gas", 0)),
        fee_rule=parse_fee_rule(table),
        validators=parse_configured(_list(table.get("validators", []))),
    )


def _require_fit(table: Mapping[str, object]) -> None:
    """Refuse what a chain with foreign headers cannot keep: there every tag means the newest block."""
    if table["kind"] not in foreign.KINDS:
        return
    if table["finality"] == "finalized":
        raise _wrong("finality", "cannot be finalized here: every tag means the newest block; say instant")
    if table.get("fees", "dynamic") == "dynamic":
        raise _wrong("fees", "must be free or legacy: this chain has no base fee")


def parse_finality(rule: str) -> Finality:
    """Read a finality rule; ConfigurationError if it is none."""
    match = re.fullmatch(r"finalized|instant|confirmations:([1-9][0-9]{0,5})", rule)
    if not match or int(match[1] or 0) > _MAX_CONFIRMATIONS:
        raise ConfigurationError(
            "the finality rule {rule} is not known",
            hint="finalized, instant, or confirmations:N",
            rule=rule[:40],
        )
    return Finality(rule)


_WORDS = {str: "string", int: "whole number", list: "list of strings"}


def _wrong(key: str, why: str) -> ConfigurationError:
    return ConfigurationError("notary.toml: {key} of a chain {why}", key=key, why=why)


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text):
        raise _wrong("name", "must be lower-case letters, digits, dots and dashes, at most 64")
    return text


def parse_kind(text: str) -> str:
    """A kind of chain, as evidence names it; ConfigurationError if it is none."""
    if text not in (*KINDS, *foreign.KINDS):
        raise _wrong("kind", f"must be one of {', '.join((*KINDS, *foreign.KINDS))}")
    return text


def _natural(key: str, value: object, *, least: int = 0) -> int:
    if not isinstance(value, int) or not least <= value < 2**53:
        raise _wrong(key, f"must be a whole number from {least}")
    return value


def _hex(key: str, text: str, length: int) -> bytes:
    digits = text.removeprefix("0x").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{2 * length}}}", digits):
        raise _wrong(key, f"must be {2 * length} hex digits")
    return bytes.fromhex(digits)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _quorum(value: object, count: int) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or not 1 <= value <= count:
        raise _wrong("quorum", f"must be a number of nodes, from 1 to {count}")
    return value


def _urls(value: object) -> tuple[str, ...]:
    urls = tuple(value) if isinstance(value, list) else ()
    for url in urls:
        if (
            not isinstance(url, str)
            or urlsplit(url).scheme not in ("http", "https")
            or not urlsplit(url).hostname
        ):
            # The URL itself is not repeated: providers put their customers' keys into it.
            raise _wrong("rpc", "must be a list of http:// or https:// URLs")
    if not urls:
        raise _wrong("rpc", "must name at least one URL")
    return urls
