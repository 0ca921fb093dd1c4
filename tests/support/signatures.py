"""Signatures and keys in forms that are refused, and that some library or other takes."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.support import ed25519

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def small_order_encodings() -> list[bytes]:
    """All of them: eight canonical ones, and those with y ≥ p or the sign of a zero x."""
    encodings = set()
    for point in ed25519.torsion():
        for y in (point[1], point[1] + ed25519.P):
            if y < 2**255:
                signs = (0, 1) if point[0] == 0 else (point[0] & 1,)
                encodings |= {(y | sign << 255).to_bytes(32, "little") for sign in signs}
    return sorted(encodings)


def der_integer(value: bytes) -> bytes:
    return b"\x02" + bytes([len(value)]) + value


def der_sequence(body: bytes) -> bytes:
    return b"\x30" + bytes([len(body)]) + body


def minimal(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


NOT_STRICT = [
    "leading zeros in r",
    "leading zeros in s",
    "long form of a length",
    "indefinite length",
    "trailing byte",
    "trailing byte within",
    "negative r",
    "zero r",
    "zero s",
    "r plus the order",
    "s plus the order",
    "s of the order",
    "raw r and s",
    "empty",
    "bit string",
]


def not_strict(case: str, r: int, s: int) -> bytes:
    body = der_integer(minimal(r)) + der_integer(minimal(s))
    return {
        "leading zeros in r": der_sequence(der_integer(b"\0" + minimal(r)) + der_integer(minimal(s))),
        "leading zeros in s": der_sequence(der_integer(minimal(r)) + der_integer(b"\0" + minimal(s))),
        "long form of a length": b"\x30\x81" + bytes([len(body)]) + body,
        "indefinite length": b"\x30\x80" + body + b"\0\0",
        "trailing byte": der_sequence(body) + b"\0",
        "trailing byte within": der_sequence(body + b"\0"),
        "negative r": der_sequence(der_integer((2**256 - r).to_bytes(32, "big")) + der_integer(minimal(s))),
        "zero r": der_sequence(der_integer(b"\0") + der_integer(minimal(s))),
        "zero s": der_sequence(der_integer(minimal(r)) + der_integer(b"\0")),
        "r plus the order": encode_dss_signature(r + P256_ORDER, s),
        "s plus the order": encode_dss_signature(r, s + P256_ORDER),
        "s of the order": encode_dss_signature(r, P256_ORDER),
        "raw r and s": r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        "empty": b"",
        "bit string": b"\x03" + der_sequence(body)[1:],
    }[case]


def compressed_spki(key: ec.EllipticCurvePublicKey) -> bytes:
    """The same key with its point in the short form."""
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    return der_sequence(algorithm + b"\x03" + bytes([len(point) + 1]) + b"\0" + point)
