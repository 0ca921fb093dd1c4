"""The trust file (formats §9): whom the reader of a report believes. It never comes from a bundle.

TOML, so that a clerk can read it on paper. Unknown keys are refused: a misspelt restriction must
not be silently dropped.
"""

from __future__ import annotations

import hashlib
import tomllib
from typing import Any

from .canonical import from_hex, parse_instant, require_fields
from .consensus.validators import parse_validators
from .errors import FormatError, LimitError, VersionError
from .note import NoteVerifier
from .policy import Policy, parse_policy
from .signature import PublicKey, require_keyid
from .timestamp.authority import parse_authorities, parse_certifiers, parse_retired_hashes
from .trusted import (
    TRUST_FORMAT,
    NamedKey,
    Release,
    Trust,
    TrustedChain,
    TrustedLog,
    TrustedLogId,
)
from .trustwriting import dump_trust

__all__ = [
    "TRUST_FORMAT",
    "NamedKey",
    "Release",
    "Trust",
    "TrustedChain",
    "TrustedLog",
    "TrustedLogId",
    "dump_trust",
    "parse_trust",
]

# A trial chain pins a block per anchor, about 100 bytes each; real trust files are a few kilobytes.
MAX_TRUST_BYTES = 16 * 1024 * 1024


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
            "releases": list,
            "certifiers": list,
            "cas": list,
            "custodians": list,
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
        tuple(_release(item) for item in value.get("releases", [])),
        parse_certifiers(value.get("certifiers", [])),
        parse_certifiers(value.get("cas", [])),
        tuple(_named_key(item) for item in value.get("custodians", [])),
        hashlib.sha256(data).hexdigest(),
    )


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


def _release(value: object) -> Release:
    fields = require_fields(value, {"name": str, "sha256": str})
    from_hex(fields["sha256"], 32)
    return Release(fields["name"], fields["sha256"])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FormatError("expected a string")
    return value
