"""JSON, hex, Base64, instants and envelopes in another spelling than the one that counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mizheng.verifier import dsse
from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE
from mizheng.verifier.canonical import dump
from mizheng.verifier.enrolment import KEY_STATUS_PAYLOAD_TYPE

from tests.verifier.attacks.spellings import BASE64, HEX, INSTANTS, ODDITIES

from .case import Case, Cases, slug
from .setting import BEACON, DOCUMENT, STATUS, Members, Setting

# Each would make a file of a hundred kilobytes or a megabyte; the tests of the verifier have them.
_TOO_LARGE = ("million", "100,000", "open brackets")
# Tried once more where the signer himself spells so: what is signed is no better for it.
_SIGNED = (
    "newline at the end",
    "space after a comma",
    "duplicate key",
    "duplicate key, escaped",
    "unknown key",
    "keys in another order",
    "escaped letter",
    "lone surrogate as value",
    "fraction",
    "2^53",
    "array",
    "byte order mark",
)


def cases() -> list[Case]:
    return [*_plain(), *_signed(), *_bytes(), *_envelopes(), *_instants()]


def _plain() -> list[Case]:
    found = Cases("json")
    for name, spell in ODDITIES.items():
        if not any(part in name for part in _TOO_LARGE):
            found.fails(
                slug(name),
                f"JSON that is not in its one canonical form: {name}",
                "beacon.block",
                lambda s, spell=spell: {**s.small, BEACON: spell(s.small[BEACON])},
            )
    return found.all


def _signed() -> list[Case]:
    found = Cases("json-signed")
    for name in _SIGNED:
        found.fails(
            slug(name),
            f"the same in a payload that its signer signed so: {name}",
            "depositor.key-status",
            lambda s, name=name: status(s, ODDITIES[name](payload(s))),
        )
    return found.all


def payload(s: Setting) -> bytes:
    """Of the base bundle's key status."""
    return dsse.parse(s.small[STATUS], KEY_STATUS_PAYLOAD_TYPE).payload


def status(s: Setting, signed: bytes) -> Members:
    """With a key status of this payload, signed by the issuer."""
    return {**s.small, STATUS: dsse.sign(signed, KEY_STATUS_PAYLOAD_TYPE, s.world.issuer)}


def _bytes() -> list[Case]:
    """Bytes within JSON, spelled otherwise and signed again in due form."""
    found = Cases("bytes")
    for kind, field, spellings in (("hex", "keyid", HEX), ("base64", "signer", BASE64)):
        for name, spell in spellings.items():
            found.fails(
                f"{kind}-{slug(name)}",
                f"{field} in another spelling of the same bytes: {name}",
                "depositor.key-status",
                lambda s, field=field, spell=spell: status(s, _respelled(s, field, spell)),
            )
    return found.all


def _respelled(s: Setting, field: str, spell: Callable[[str], str]) -> bytes:
    value = json.loads(payload(s))
    changed = {**value, field: spell(value[field])}
    assert changed != value
    return dump(changed)


_ENVELOPES: dict[str, tuple[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]]] = {
    "no-signature": ("an envelope that nobody signed", lambda o, _: {**o, "signatures": []}),
    "two-signatures": ("the same signature twice", lambda o, s: {**o, "signatures": [s, s]}),
    "no-keyid": ("a signature without its keyid", lambda o, s: {**o, "signatures": [{"sig": s["sig"]}]}),
    "algorithm-none": (
        "a field that names the algorithm: it is the key's, never a field",
        lambda o, s: {**o, "signatures": [{**s, "alg": "none"}]},
    ),
    "other-keyid": (
        "the keyid of another key",
        lambda o, s: {**o, "signatures": [{**s, "keyid": "00" * 32}]},
    ),
    "empty-signature": ("a signature of no bytes", lambda o, s: {**o, "signatures": [{**s, "sig": ""}]}),
    "signatures-not-a-list": ("one signature in the place of the list", lambda o, s: {**o, "signatures": s}),
    "other-payload-type": ("another payload type", lambda o, _: {**o, "payloadType": "application/json"}),
    "unknown-field": ("a field too many", lambda o, _: {**o, "comment": "trust me"}),
    "payload-unpadded": (
        "the payload's Base64 without its padding, or with too much",
        lambda o, _: {**o, "payload": o["payload"].rstrip("=") + "=" * (4 - o["payload"].count("="))},
    ),
}  # fmt: skip


def _envelopes() -> list[Case]:
    found = Cases("envelope")
    for name, (why, change) in _ENVELOPES.items():
        found.fails(name, why, "depositor.key-status", lambda s, change=change: _enveloped(s, change))
    return found.all


def _enveloped(s: Setting, change: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> Members:
    outer = json.loads(s.small[STATUS])
    return {**s.small, STATUS: dump(change(outer, outer["signatures"][0]))}


def _instants() -> list[Case]:
    found = Cases("instant")
    for number, text in enumerate(INSTANTS):
        found.fails(
            f"{number:02}-{slug(ascii(text)) or 'empty'}",
            f"an instant in another spelling than the one that counts: {text!a}",
            "bundle.signature",
            lambda s, text=text: _created_at(s, text),
        )
    return found.all


def _created_at(s: Setting, text: str) -> Members:
    value = json.loads(dsse.parse(s.small[DOCUMENT], BUNDLE_PAYLOAD_TYPE).payload)
    data = dump({**value, "created_at": text})
    return {**s.small, DOCUMENT: dsse.sign(data, BUNDLE_PAYLOAD_TYPE, s.acme.key)}
