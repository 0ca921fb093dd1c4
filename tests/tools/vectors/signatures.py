"""Keys and signatures: what some library or other takes, and what two verifiers must say alike.

Each stands under an observation, which the bundle does not need: the rest of it is sound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from mizheng.verifier.observation import Observation
from mizheng.verifier.signature import PublicKey
from mizheng.verifier.trust import NamedKey, Trust

from tests.support import ed25519
from tests.support.signatures import (
    NOT_STRICT,
    P256_ORDER,
    compressed_spki,
    der_sequence,
    not_strict,
    small_order_encodings,
)
from tests.support.world import AT

from .case import Bundle, Case, Cases, slug
from .keys import DeterministicKey, Ed25519Key, OddKey
from .setting import Members, Setting, ordered, p256

OBSERVATION = "observations/0001.dsse.json"
_ED = Ed25519Key(int.from_bytes(b"mizheng vector, a known secret!!", "little") % ed25519.L)
_EIGHT = next(point for point in ed25519.torsion() if ed25519.multiply(4, point) != ed25519.IDENTITY)
_MIXED = Ed25519Key(_ED.secret, _EIGHT)


def cases() -> list[Case]:
    return [*_ed25519(), *_keys(), *_p256()]


def observed(s: Setting, key: Any) -> Members:
    """The small bundle with an observation of its not-before block, signed by this key."""
    block = s.scene.first.statement.not_before
    assert block is not None
    return ordered({**s.small, OBSERVATION: Observation(block, "instant", AT).sign(key)})


def by(spki: bytes, sign: Callable[[bytes], bytes]) -> Callable[[Setting], Bundle]:
    return lambda s: observed(s, OddKey(spki, sign))


def trusting(spki: bytes) -> Callable[[Setting], Trust]:
    return lambda s: s.trust(observers=(NamedKey("observer", PublicKey(spki)),), observer_quorum=1)


def _ed25519() -> list[Case]:
    good = Cases("ed25519", trust=trusting(_ED.spki))
    good.passes("honest", "a signature made by the definition", by(_ED.spki, _ED.sign))
    neutral = ed25519.encode(ed25519.IDENTITY)
    good.passes(
        "r-neutral",
        "R is the neutral point in its canonical form: the equation holds",
        by(_ED.spki, lambda message: _ED.sign_with(neutral, 0, message)),
    )
    code = "observation.signature"
    for name, why, sign in (
        ("s-plus-order", "S is not below the group order", lambda m: _plus_order(_ED.sign(m), 1)),
        ("s-plus-many-orders", "S is far above the group order", lambda m: _plus_order(_ED.sign(m), 14)),
        ("r-mixed-order", "R has a part of small order: good only to who multiplies by the cofactor",
         lambda m: _ED.sign(m, torsion=_EIGHT)),
        ("length-63", "a signature of 63 bytes", lambda m: _ED.sign(m)[:63]),
        ("length-65", "a signature of 65 bytes", lambda m: _ED.sign(m) + b"\0"),
        ("zeros", "a signature of 64 zeros", lambda _: bytes(64)),
        ("payload-alone", "the payload is signed, not its pre-authentication encoding",
         lambda m: _ED.sign(m.split(b" ", 4)[4])),
        ("prehash", "SHA-512 of the message is signed", lambda m: _ED.sign(_sha512(m))),
    ):  # fmt: skip
        good.fails(name, why, code, by(_ED.spki, sign))
    for number, raw in enumerate(raw for raw in small_order_encodings() if raw != neutral):
        why = f"R is a point of small order, or not in its canonical form: {raw.hex()}"
        good.fails(
            f"r-small-order-{number:02}",
            why,
            code,
            by(_ED.spki, lambda m, raw=raw: _ED.sign_with(raw, 0, m)),
        )
    mixed = Cases("ed25519", trust=trusting(_MIXED.spki))
    mixed.passes(
        "key-mixed-order-holds",
        "the key has a part of small order, and the equation on bytes holds",
        by(_MIXED.spki, lambda m: _MIXED.sign_until(m, is_good=True)),
    )
    mixed.fails(
        "key-mixed-order-cofactor",
        "the same key, and the equation holds only times the cofactor",
        code,
        by(_MIXED.spki, lambda m: _MIXED.sign_until(m, is_good=False)),
    )
    return [*good.all, *mixed.all]


def _plus_order(made: bytes, times: int) -> bytes:
    s = int.from_bytes(made[32:], "little") + times * ed25519.L
    return made[:32] + s.to_bytes(32, "little")


def _sha512(message: bytes) -> bytes:
    return hashlib.sha512(message).digest()


def _keys() -> list[Case]:
    found = Cases("key")

    def refused(name: str, why: str, spki: bytes) -> None:
        found.fails(name, why, "observation.signature", by(spki, _ED.sign))

    for number, raw in enumerate(small_order_encodings()):
        refused(
            f"small-order-{number:02}",
            f"a key of small order takes signatures that nobody made: {raw.hex()}",
            ed25519.spki(raw),
        )
    for y in (3, 4, 18):
        raw = (ed25519.P + y).to_bytes(32, "little")
        refused(f"not-canonical-{y}", f"a key whose y is p + {y}", ed25519.spki(raw))
    honest = _ED.spki
    refused("trailing-byte", "a byte after the key's DER", honest + b"\0")
    refused("cut", "the key's DER cut short", honest[:-1])
    refused("long-length", "a DER length in its long form", b"\x30\x81\x2a" + honest[2:])
    null = der_sequence(bytes.fromhex("3007" + "06032b6570" + "0500") + b"\x03\x21\x00" + _ED.raw)
    refused("null-parameters", "parameters where Ed25519 has none", null)
    refused("raw", "the 32 bytes without their DER", _ED.raw)
    key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    refused("compressed-point", "a P-256 point in its short form", compressed_spki(key))
    for name, curve in (("p384", ec.SECP384R1()), ("secp256k1", ec.SECP256K1())):
        other = ec.derive_private_key(7, curve).public_key()
        spki = other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        refused(name, f"a key of another curve: {name}", spki)
    return found.all


def _p256() -> list[Case]:
    found = Cases("p256", trust=lambda s: trusting(_p256_key(s).public.spki)(s))
    found.passes("honest", "a signature with low S in strict DER", lambda s: observed(s, _p256_key(s)))

    def refused(name: str, why: str, change: Callable[[int, int], bytes]) -> None:
        found.fails(name, why, "observation.signature", lambda s: observed(s, _changed(s, change)))

    refused(
        "high-s", "the other of the two values of S", lambda r, v: encode_dss_signature(r, P256_ORDER - v)
    )
    for name in NOT_STRICT:
        why = f"a signature that is not strict DER, or out of range: {name}"
        refused(slug(name), why, lambda r, v, name=name: not_strict(name, r, v))
    return found.all


def _p256_key(s: Setting) -> DeterministicKey:
    s.stream.restart("the P-256 observer")
    return DeterministicKey(p256(s.stream))


def _changed(s: Setting, change: Callable[[int, int], bytes]) -> OddKey:
    key = _p256_key(s)
    return OddKey(key.public.spki, lambda message: change(*decode_dss_signature(key.sign(message))))
