"""Write a trust file that `parse_trust` reads back to the same value (but for its digest)."""

from __future__ import annotations

from collections.abc import Mapping

from .canonical import format_instant
from .consensus.validators import ValidatorSet
from .timestamp.authority import authority_fields
from .trusted import TRUST_FORMAT, NamedKey, Trust, TrustedLog, TrustedLogId


def dump_trust(trust: Trust) -> bytes:
    """The bytes of a trust file."""
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
    for table, authorities in (("tsas", trust.tsas), ("certifiers", trust.certifiers), ("cas", trust.cas)):
        for authority in authorities:
            lines += ["", f"[[{table}]]", *_value_lines(authority_fields(authority))]
    if trust.retired_hashes:
        retired = {name: format_instant(at) for name, at in sorted(trust.retired_hashes.items())}
        lines += ["", "[retired_hashes]", *_value_lines(retired)]
    for custodian in trust.custodians:
        lines += ["", "[[custodians]]", *_key_lines(custodian)]
    for release in trust.releases:
        lines += ["", "[[releases]]", *_value_lines({"name": release.name, "sha256": release.sha256})]
    lines += ["", "[require]", f"checks = [{', '.join(_quote(item) for item in trust.require)}]"]
    return ("\n".join(lines) + "\n").encode()


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


def _quote(text: str) -> str:
    """A TOML basic string (TOML 1.0, "String"), over several lines where the text has them."""
    if "\n" in text:
        return '"""\n' + "\n".join(_quote(line)[1:-1] for line in text.split("\n")) + '"""'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    control = (f"\\u{ord(char):04x}" if ord(char) < 0x20 or ord(char) == 0x7F else char for char in escaped)
    return '"' + "".join(control) + '"'
