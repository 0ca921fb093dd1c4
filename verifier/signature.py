"""Keys and signatures: Ed25519 (RFC 8032) and ECDSA P-256 with SHA-256 (FIPS 186-5).

Two verifiers must never disagree, so each rule is stricter than the libraries' common ground:
Ed25519 keys and R are canonical, S < L, small-order keys are refused, and the signature is good iff
encode([S]B − [k]A) equals the bytes of R (cofactorless, as OpenSSL computes it, which has the last
word; `sodium` is asked before it, being quicker). ECDSA signatures are strict DER with low S, so that
nobody without the key can turn one valid signature into another.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from . import sodium
from .ahead import is_known_good
from .canonical import from_base64, from_hex, to_base64
from .errors import FormatError, KeyFormatError, SignatureError

Algorithm = Literal["ed25519", "p256"]

_ED25519_PRIME = 2**255 - 19
_ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# The y coordinates of the eight points of small order (RFC 7748 §7's list, mapped to Edwards form):
# order 1 and 2 (y = ±1), order 4 (y = 0), order 8 (two values and their negations).
_ORDER_8_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y = frozenset({0, 1, _ED25519_PRIME - 1, _ORDER_8_Y, _ED25519_PRIME - _ORDER_8_Y})


class PublicKey:
    """A public key by its SubjectPublicKeyInfo DER (RFC 5280 §4.1.2.7); `keyid` is its SHA-256 in hex."""

    __slots__ = ("_key", "_raw", "algorithm", "keyid", "spki")

    def __init__(self, spki: bytes) -> None:
        try:
            key = serialization.load_der_public_key(spki)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyFormatError("not a public key in SubjectPublicKeyInfo DER") from error
        self.algorithm: Algorithm
        if isinstance(key, ed25519.Ed25519PublicKey):
            self.algorithm = "ed25519"
            self._raw = key.public_bytes_raw()
            _refuse_bad_point(self._raw)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            self.algorithm = "p256"
        else:
            raise KeyFormatError("keys here are Ed25519 or ECDSA P-256")
        canonical = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if canonical != spki:
            raise KeyFormatError("the public key's DER is not canonical")
        self._key = key
        self.spki = spki
        self.keyid = hashlib.sha256(spki).hexdigest()

    @classmethod
    def from_base64(cls, text: object) -> PublicKey:
        """Read the Base64 of the DER, as statements and trust files carry it."""
        return _read_key(text) if isinstance(text, str) else cls(from_base64(text))

    def to_base64(self) -> str:
        return to_base64(self.spki)

    @property
    def raw(self) -> bytes:
        """The 32 bytes of an Ed25519 key, for signed notes."""
        if not isinstance(self._key, ed25519.Ed25519PublicKey):
            raise KeyFormatError("only Ed25519 keys sign notes")
        return self._raw

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if `signature` is this key's over `message`; SignatureError otherwise."""
        if is_known_good(self.spki, signature, message):
            return
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                _check_ed25519_form(signature)
                if not sodium.accepts(self._raw, signature, message):
                    self._key.verify(signature, message)
            else:
                _check_ecdsa_form(signature)
                self._key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise SignatureError("the signature does not belong to this key and text") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)


# A company's statements carry the same key again and again. A key never changes.
@lru_cache(1024)
def _read_key(text: str) -> PublicKey:
    return PublicKey(from_base64(text))


def ed25519_from_raw(raw: bytes) -> PublicKey:
    """The key of these 32 bytes, as verifier keys of signed notes carry it."""
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise KeyFormatError("not an Ed25519 key") from error
    return PublicKey(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


class PrivateKey:
    """A signing key. Its bytes leave this object only through `to_pem`."""

    __slots__ = ("_key", "public")

    def __init__(self, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public = PublicKey(
            key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    @classmethod
    def generate(cls, algorithm: Algorithm = "ed25519") -> PrivateKey:
        if algorithm == "ed25519":
            return cls(ed25519.Ed25519PrivateKey.generate())
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes, password: bytes | None = None) -> PrivateKey:
        """Read PKCS#8 PEM; KeyFormatError for a wrong password, another format or another algorithm."""
        try:
            key = serialization.load_pem_private_key(pem, password)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyFormatError(
                "the private key cannot be read", hint="check the passphrase and that the file is PKCS#8 PEM"
            ) from error
        if isinstance(key, (ed25519.Ed25519PrivateKey, ec.EllipticCurvePrivateKey)):
            return cls(key)
        raise KeyFormatError("keys here are Ed25519 or ECDSA P-256")

    def to_pem(self, password: bytes | None = None) -> bytes:
        """PKCS#8 PEM, encrypted when a password is given."""
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(password)
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )

    def sign(self, message: bytes) -> bytes:
        """64 bytes for Ed25519; strict DER with low S for P-256."""
        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return encode_dss_signature(r, min(s, _P256_ORDER - s))


def _refuse_bad_point(raw: bytes) -> None:
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _ED25519_PRIME:
        raise KeyFormatError("an Ed25519 key that is not canonically encoded")
    if y in _SMALL_ORDER_Y:
        raise KeyFormatError("an Ed25519 key of small order: it would accept signatures nobody made")


def _check_ed25519_form(signature: bytes) -> None:
    if len(signature) != 64:
        raise SignatureError("an Ed25519 signature has 64 bytes, this one {found}", found=len(signature))
    if int.from_bytes(signature[32:], "little") >= _ED25519_ORDER:
        raise SignatureError("an Ed25519 signature whose S is not below the group order")
    # Canonical R needs no test of its own: what OpenSSL encodes to compare with R is always canonical.


def _check_ecdsa_form(signature: bytes) -> None:
    try:
        r, s = decode_dss_signature(signature)
    except ValueError as error:
        raise SignatureError("an ECDSA signature that is not DER") from error
    if encode_dss_signature(r, s) != signature or not 0 < r < _P256_ORDER:
        raise SignatureError("an ECDSA signature that is not strict DER")
    if not 0 < s <= _P256_ORDER // 2:
        raise SignatureError("an ECDSA signature with high S: a second form of a signature is refused")


def keyid_of(spki_base64: object) -> str:
    """The keyid of a Base64 SPKI, checking that it is a usable key."""
    key = PublicKey.from_base64(spki_base64)
    return key.keyid


def require_keyid(text: object) -> str:
    """Check that `text` is a keyid: 64 lower-case hex digits."""
    if not isinstance(text, str):
        raise FormatError("expected a keyid")
    from_hex(text, 32)
    return text
