"""Keys whose signatures are the same each time, and signatures that no library makes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from mizheng.verifier.canonical import to_base64
from mizheng.verifier.signature import PrivateKey

from tests.support import ed25519
from tests.support.signatures import P256_ORDER


class DeterministicKey(PrivateKey):
    """A P-256 key that signs as RFC 6979 has it."""

    __slots__ = ()

    def sign(self, message: bytes) -> bytes:
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        made = self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(made)
        return encode_dss_signature(r, min(s, P256_ORDER - s))


class HighKey(DeterministicKey):
    """The same with the other of the two values of S."""

    __slots__ = ()

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(super().sign(message))
        return encode_dss_signature(r, P256_ORDER - s)


class OddKey:
    """A key whose bytes and signatures are whatever the vector wants; it signs documents like any other."""

    def __init__(self, spki: bytes, sign: Callable[[bytes], bytes]) -> None:
        self.public = OddPublicKey(spki)
        self.sign = sign


class OddPublicKey:
    """The name of a key that may be none."""

    def __init__(self, spki: bytes) -> None:
        self.spki = spki
        self.keyid = hashlib.sha256(spki).hexdigest()

    def to_base64(self) -> str:
        return to_base64(self.spki)


@dataclass(frozen=True)
class Ed25519Key:
    """By the definition, with a part of small order in key or nonce where wanted."""

    secret: int
    key_torsion: ed25519.Point = ed25519.IDENTITY

    @property
    def raw(self) -> bytes:
        own = ed25519.multiply(self.secret, ed25519.BASE)
        return ed25519.encode(ed25519.add(own, self.key_torsion))

    @property
    def spki(self) -> bytes:
        return ed25519.spki(self.raw)

    def sign(self, message: bytes, nonce: int = 7, torsion: ed25519.Point = ed25519.IDENTITY) -> bytes:
        r = ed25519.encode(ed25519.add(ed25519.multiply(nonce, ed25519.BASE), torsion))
        return self.sign_with(r, nonce, message)

    def sign_with(self, r: bytes, nonce: int, message: bytes) -> bytes:
        return ed25519.signature(r, nonce, self.secret, self.raw, message)

    def sign_until(self, message: bytes, *, is_good: bool) -> bytes:
        """With the first nonce for which the equation on bytes holds, or does not."""
        for nonce in range(7, 100):
            made = self.sign(message, nonce)
            if (ed25519.challenge(made[:32], self.raw, message) % 8 == 0) is is_good:
                return made
        raise ValueError("no such nonce")


# Two primes of 1,024 bits, drawn once: no library makes the same RSA key twice.
_P = int(
    "e4928435b933d098e9315a0fb301187f69114f76d924cf4cbcfbcbbed8a64786"
    "f7a23b0b3cc46895ad656e7745a709cd9420b4c7458e57650de9576c2221001d"
    "d7a29cbed10eb9b523ef03ce3af6d8a1b7bb96638db4d558252ea7d63939ee24"
    "cc4c5041535be15e0797e51d55df013a7dcdf742a5b6f25c75442c83e1f64b8f",
    16,
)
_Q = int(
    "c820b5bca41fa1d1070b043bc51a4af6463eca3b575dd1644ae05c1c159232e0"
    "09acbfb99ebc30d58950914b2ddbb23551cf00314c648610d5590e9abc712881"
    "ad5fe223406456bc550a48212629ff0b1d364bfd95490c8cc931da186b03e260"
    "bf51a5779022b417fdb187c7b644c1719a3ba925273013b8d5837918a5b044e3",
    16,
)


def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key of 2,048 bits that everybody has."""
    e, phi = 65537, (_P - 1) * (_Q - 1)
    d = pow(e, -1, phi)
    public = rsa.RSAPublicNumbers(e, _P * _Q)
    numbers = rsa.RSAPrivateNumbers(_P, _Q, d, d % (_P - 1), d % (_Q - 1), pow(_Q, -1, _P), public)
    return numbers.private_key()
