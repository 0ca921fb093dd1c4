"""The trust file (formats §9): whom the reader of a report believes. It never comes from a bundle.

TOML, so that a clerk can read it on paper. Unknown keys are refused: a misspelt restriction must
not be silently dropped.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .canonical import format_instant, from_hex, parse_instant, require_fields
from .consensus.validators import ValidatorSet, parse_validators
from .errors import FormatError, LimitError, VersionError
from .note import NoteVerifier
from .policy import Policy, parse_policy
from .signature import PublicKey, require_keyid
from .timestamp.authority import Authority, authority_fields, parse_authorities, parse_retired_hashes

TRUST_FORMAT = "mizheng/trust/v1"
# A trial chain pins a block per anchor, about 100 bytes each; real trust files are a few kilobytes.
MAX_TRUST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """A log key and the tree sizes it may sign (a stolen key ends where the last anchor before was)."""

    verifier: NoteVerifier
    first_size: int
    last_size: int | None

    @property
    def origin(self) -> str:
        return self.verifier.name

    def covers(self, size: int) -> bool:
        return self.first_size <= size and (self.last_size is None or size <= self.last_size)


@dataclass(frozen=True, slots=True)
class TrustedLogId:
    """Where one log is anchored on a contract, and for which sizes."""

    origin: str
    log_id: bytes
    first_size: int
    last_size: int | None

    def covers(self, size: int) -> bool:
        return self.first_size <= size and (self.last_size is None or size <= self.last_size)


@dataclass(frozen=True, slots=True)
class TrustedChain:
    """A chain by its genesis, the contract on it, and blocks known to be canonical."""

    name: str
    kind: str
    chain_id: int
    genesis_hash: bytes
    contract: bytes
    code_hash: bytes
    log_ids: tuple[TrustedLogId, ...]
    pins: Mapping[int, bytes] = field(default_factory=dict)
    validators: tuple[ValidatorSet, ...] = ()
    """Who seals its blocks, where they are believed; by their first block."""


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key and what its holder is called."""

    name: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything a verifier believes beforehand."""

    name: str
    issued_at: str
    expires_at: str
    logs: tuple[TrustedLog, ...]
    issuers: tuple[NamedKey, ...]
    observers: tuple[NamedKey, ...]
    observer_quorum: int
    chains: tuple[TrustedChain, ...]
    require: tuple[str, ...] = ()
    revoked_keys: frozenset[str] = frozenset()
    witness_policy: Policy | None = None
    tsas: tuple[Authority, ...] = ()
    """Time-stamp authorities."""
    retired_hashes: Mapping[str, int] = field(default_factory=dict)
    """Hash name to when it stops counting, seconds since 1970."""
    sha256: str = ""
    """Hex SHA-256 of the file's bytes, printed on every report."""

    def issuer(self, key: PublicKey) -> NamedKey | None:
        return next((issuer for issuer in self.issuers if issuer.key == key), None)

    def observer(self, key: PublicKey) -> NamedKey | None:
        return next((observer for observer in self.observers if observer.key == key), None)

    def chain(self, chain_id: int, genesis_hash: bytes) -> TrustedChain | None:
        return next(
            (c for c in self.chains if (c.chain_id, c.genesis_hash) == (chain_id, genesis_hash)), None
        )


def parse_trust(data: bytes) -> Trust:
    """Read a trust file; FormatError says which part is wrong, VersionError for a later format."""
    if len(data) > MAX_TRUST_BYTES:
        raise LimitError("a trust file of {size} bytes", size=len(data))
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError("the trust file is not valid TOML") from error
    if value.get("format") != TRUST_FORMAT:
        raise VersionError("not a trust file of format {expected}", expected=TRUST_FORMAT)
    require_fields(
        value,
        {"format": str, "name": str, "issued_at": str, "expires_at": str, "logs": list, "chains": list},
        {
            "issuers": list,
            "observers": dict,
            "require": dict,
            "revoked_keys": list,
            "witness_policy": str,
            "tsas": list,
            "retired_hashes": dict,
        },
    )
    if parse_instant(value["issued_at"]) > parse_instant(value["expires_at"]):
        raise FormatError("a trust file that expires before it is issued")
    observers = require_fields(
        value.get("observers", {"quorum": 1, "keys": []}), {"quorum": int, "keys": list}
    )
    if observers["quorum"] < 1:
        raise FormatError("an observer quorum below one would believe nobody's word")
    keys = tuple(_named_key(item) for item in observers["keys"])
    if len({item.key.keyid for item in keys}) != len(keys):
        raise FormatError("an observer key that is listed twice would count twice")
    logs = tuple(_log(item) for item in value["logs"])
    require = require_fields(value.get("require", {"checks": []}), {"checks": list})
    return Trust(
        value["name"],
        value["issued_at"],
        value["expires_at"],
        logs,
        tuple(_named_key(item) for item in value.get("issuers", [])),
        keys,
        observers["quorum"],
        _chains(value["chains"]),
        tuple(_text(item) for item in require["checks"]),
        frozenset(require_keyid(item) for item in value.get("revoked_keys", [])),
        _witness_policy(value.get("witness_policy"), logs),
        parse_authorities(value.get("tsas", [])),
        parse_retired_hashes(value.get("retired_hashes", {})),
        hashlib.sha256(data).hexdigest(),
    )


def dump_trust(trust: Trust) -> bytes:
    """Write a trust file that `parse_trust` reads back to the same value (but for its digest)."""
    lines = [
        f"format = {_quote(TRUST_FORMAT)}",
        f"name = {_quote(trust.name)}",
        f"issued_at = {_quote(trust.issued_at)}",
        f"expires_at = {_quote(trust.expires_at)}",
        f"revoked_keys = [{', '.join(_quote(item) for item in sorted(trust.revoked_keys))}]",
    ]
    if trust.witness_policy:
        lines.append(f"witness_policy = {_quote(trust.witness_policy.text)}")
    # An empty list has no table to show it: it is said before the first one.
    lines += [f"{name} = []" for name in ("logs", "chains") if not getattr(trust, name)]
    for log in trust.logs:
        lines += ["", "[[logs]]", f"vkey = {_quote(log.verifier.vkey)}", *_range(log)]
    for issuer in trust.issuers:
        lines += ["", "[[issuers]]", *_key_lines(issuer)]
    lines += ["", "[observers]", f"quorum = {trust.observer_quorum}"]
    if not trust.observers:
        lines += ["keys = []"]
    for observer in trust.observers:
        lines += ["", "[[observers.keys]]", *_key_lines(observer)]
    for chain in trust.chains:
        lines += [
            "",
            "[[chains]]",
            f"name = {_quote(chain.name)}",
            f"kind = {_quote(chain.kind)}",
            f"chain_id = {chain.chain_id}",
            f"genesis_hash = {_quote(chain.genesis_hash.hex())}",
            f"contract = {_quote(chain.contract.hex())}",
            f"code_hash = {_quote(chain.code_hash.hex())}",
            "pins = [",
            *(
                f"  {{number = {number}, hash = {_quote(block.hex())}}},"
                for number, block in sorted(chain.pins.items())
            ),
            "]",
            *(() if chain.log_ids else ("log_ids = []",)),
        ]
        for log_id in chain.log_ids:
            lines += [
                "",
                "[[chains.log_ids]]",
                f"origin = {_quote(log_id.origin)}",
                f"log_id = {_quote(log_id.log_id.hex())}",
                *_range(log_id),
            ]
        for validators in chain.validators:
            lines += ["", "[[chains.validators]]", *_validator_lines(validators)]
    for authority in trust.tsas:
        lines += ["", "[[tsas]]", *_value_lines(authority_fields(authority))]
    if trust.retired_hashes:
        retired = {name: format_instant(at) for name, at in sorted(trust.retired_hashes.items())}
        lines += ["", "[retired_hashes]", *_value_lines(retired)]
    lines += ["", "[require]", f"checks = [{', '.join(_quote(item) for item in trust.require)}]"]
    return ("\n".join(lines) + "\n").encode()


def _witness_policy(text: str | None, logs: tuple[TrustedLog, ...]) -> Policy | None:
    if text is None:
        return None
    policy = parse_policy(text)
    log_keys = {log.verifier.key for log in logs}
    if any(witness.key in log_keys for witness in policy.witnesses.values()):
        raise FormatError("a witness whose key is a log's own key")
    return policy


def _log(value: object) -> TrustedLog:
    fields = require_fields(value, {"vkey": str, "first_size": int}, {"last_size": int})
    return TrustedLog(NoteVerifier.from_vkey(fields["vkey"]), fields["first_size"], fields.get("last_size"))


def _named_key(value: object) -> NamedKey:
    fields = require_fields(value, {"name": str, "public_key": str})
    return NamedKey(fields["name"], PublicKey.from_base64(fields["public_key"]))


def _chains(items: list[Any]) -> tuple[TrustedChain, ...]:
    chains = tuple(_chain(item) for item in items)
    if len({(chain.chain_id, chain.genesis_hash) for chain in chains}) != len(chains):
        raise FormatError("a chain that is listed twice: give it one table with several log_ids")
    return chains


def _chain(value: object) -> TrustedChain:
    fields = require_fields(
        value,
        {
            "name": str,
            "kind": str,
            "chain_id": int,
            "genesis_hash": str,
            "contract": str,
            "code_hash": str,
            "log_ids": list,
        },
        {"pins": list, "validators": list},
    )
    pins: dict[int, bytes] = {}
    for item in fields.get("pins", []):
        pin = require_fields(item, {"number": int, "hash": str})
        if pin["number"] in pins:
            raise FormatError("a block number that is pinned twice")
        pins[pin["number"]] = from_hex(pin["hash"], 32)
    return TrustedChain(
        fields["name"],
        fields["kind"],
        fields["chain_id"],
        from_hex(fields["genesis_hash"], 32),
        from_hex(fields["contract"], 20),
        from_hex(fields["code_hash"], 32),
        tuple(_log_id(item) for item in fields["log_ids"]),
        pins,
        parse_validators(fields.get("validators", [])),
    )


def _log_id(value: object) -> TrustedLogId:
    fields = require_fields(value, {"origin": str, "log_id": str, "first_size": int}, {"last_size": int})
    return TrustedLogId(
        fields["origin"],
        from_hex(fields["log_id"], 32),
        fields["first_size"],
        fields.get("last_size"),
    )


def _range(item: TrustedLog | TrustedLogId) -> list[str]:
    lines = [f"first_size = {item.first_size}"]
    if item.last_size is not None:
        lines.append(f"last_size = {item.last_size}")
    return lines


def _validator_lines(validators: ValidatorSet) -> list[str]:
    lines = [f"kind = {_quote(validators.kind)}", f"from_block = {validators.from_block}"]
    if validators.to_block is not None:
        lines.append(f"to_block = {validators.to_block}")
    if validators.quorum is not None:
        lines.append(f"quorum = {validators.quorum}")
    members = (
        f"  {{name = {_quote(each.name)}, address = {_quote(each.address.hex())}}},"
        for each in validators.members
    )
    return [*lines, "members = [", *members, "]"]


def _key_lines(item: NamedKey) -> list[str]:
    return [f"name = {_quote(item.name)}", f"public_key = {_quote(item.key.to_base64())}"]


def _value_lines(values: Mapping[str, str | list[str]]) -> list[str]:
    """Keys with a string or, an item a line, with a list of them."""
    lines = []
    for name, value in values.items():
        if isinstance(value, str):
            lines.append(f"{name} = {_quote(value)}")
        else:
            lines += [f"{name} = [", *(f"  {_quote(item)}," for item in value), "]"]
    return lines


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FormatError("expected a string")
    return value


def _quote(text: str) -> str:
    """A TOML basic string (TOML 1.0, "String"), over several lines where the text has them."""
    if "\n" in text:
        return '"""\n' + "\n".join(_quote(line)[1:-1] for line in text.split("\n")) + '"""'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    control = (f"\\u{ord(char):04x}" if ord(char) < 0x20 or ord(char) == 0x7F else char for char in escaped)
    return '"' + "".join(control) + '"'
