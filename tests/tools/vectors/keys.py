"""Keys whose signatures are the same each time, and signatures that no library makes."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from mizheng.verifier.signature import PrivateKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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
