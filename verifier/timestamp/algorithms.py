"""The algorithms that a token may use, by object identifier. Any other is a VersionError: not known here.

Hashes of RFC 5754 and RFC 8702; signatures of RFC 5754, RFC 4055 (PSS), RFC 5758 and RFC 8419 (Ed25519).
What is known to be broken (MD5, SHA-1) is not in the list, so that nothing rests on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from ..errors import FormatError, ProofError, SignatureError, VersionError
from ..words import N_
from . import der

# A key of fewer bits could be broken while the token is meant to hold (SP 800-57 part 1, table 2).
_MIN_RSA_BITS = 2048
_RSA, _PSS, _ED25519 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.3.101.112"
_MGF1 = "1.2.840.113549.1.1.8"
_SM3 = "1.2.156.10197.1.401"
# Chinese authorities sign with these (GM/T 0033); said by name, so that nobody takes such a token for broken.
NOT_SM = N_("this version does not check tokens that rest on SM2 or SM3")


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash by its name, as hashlib calls it, and object identifier."""

    name: str
    oid: str
    size: int
    """Bytes."""

    def digest(self, *parts: bytes) -> bytes:
        return hashlib.new(self.name, b"".join(parts)).digest()

    def start(self) -> hashlib._Hash:
        """For what is read in pieces."""
        return hashlib.new(self.name)

    def encode(self) -> bytes:
        """An AlgorithmIdentifier without parameters (RFC 5754 §2)."""
        return der.encode(der.SEQUENCE, der.encode_oid(self.oid))

    @property
    def _primitive(self) -> hashes.HashAlgorithm:
        return _PRIMITIVES[self.name]()


_NIST = "2.16.840.1.101.3.4.2"
HASHES = tuple(
    Hash(name, f"{_NIST}.{number}", size)
    for name, number, size in (
        ("sha256", 1, 32),
        ("sha384", 2, 48),
        ("sha512", 3, 64),
        ("sha3_256", 8, 32),
        ("sha3_384", 9, 48),
        ("sha3_512", 10, 64),
    )
)
SHA256 = HASHES[0]
_PRIMITIVES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_256": hashes.SHA3_256,
    "sha3_384": hashes.SHA3_384,
    "sha3_512": hashes.SHA3_512,
}
_RSA_SIGNATURES = {
    f"1.2.840.113549.1.1.{number}": name for number, name in ((11, "sha256"), (12, "sha384"), (13, "sha512"))
}
_ECDSA_SIGNATURES = {
    f"1.2.840.10045.4.3.{number}": name for number, name in ((2, "sha256"), (3, "sha384"), (4, "sha512"))
}


def find_hash(name: str) -> Hash:
    """By name; FormatError for one that is not in the list."""
    for found in HASHES:
        if found.name == name:
            return found
    raise FormatError("a hash that is not known: {name}", name=name[:64])


def parse_hash(node: der.Node) -> Hash:
    """Read an AlgorithmIdentifier; parameters are absent or NULL (RFC 5754 §2)."""
    oid, parameters = _identifier(node)
    if parameters not in (b"", b"\x05\x00"):
        raise FormatError("a hash with parameters")
    for found in HASHES:
        if found.oid == oid:
            return found
    if oid == _SM3:
        raise VersionError(NOT_SM)
    raise VersionError("the hash {oid} is not known or no longer safe", oid=oid)


def verify_signature(
    key: PublicKeyTypes, algorithm: der.Node, digest: Hash, signature: bytes, signed: bytes
) -> None:
    """Check a CMS signature; SignatureError, or VersionError for an algorithm that is not known.

    `digest` is the SignerInfo's digestAlgorithm, with which the signature's own hash has to agree.
    """
    oid, parameters = _identifier(algorithm)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < _MIN_RSA_BITS:
                raise ProofError("an RSA key of {bits} bits is too short", bits=key.key_size)
            key.verify(signature, signed, _rsa_padding(oid, parameters, digest), digest._primitive)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            if _ECDSA_SIGNATURES.get(oid) != digest.name or parameters:
                raise _unknown(oid)
            key.verify(signature, signed, ec.ECDSA(digest._primitive))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            # RFC 8419 §3.1: with signed attributes the digest of the content is SHA-512.
            if oid != _ED25519 or parameters or digest.name != "sha512":
                raise _unknown(oid)
            key.verify(signature, signed)
        else:
            raise VersionError("a signature by a key of a kind that is not known")
    except InvalidSignature as error:
        raise SignatureError("the signature of the token does not check") from error
    except UnsupportedAlgorithm as error:
        raise VersionError("a signature by a key of a kind that is not known") from error


def verify_signature_alone(key: PublicKeyTypes, algorithm: der.Node, signature: bytes, signed: bytes) -> None:
    """Check a signature whose hash no field beside it names, as in OCSP answers; errors as above."""
    oid, parameters = _identifier(algorithm)
    name = "sha512" if oid == _ED25519 else {**_RSA_SIGNATURES, **_ECDSA_SIGNATURES}.get(oid)
    if oid == _PSS:
        digest = parse_hash(
            der.parse(der.parse(parameters).reader(der.SEQUENCE).next(der.context(0)).content)
        )
    elif name is None:
        raise _unknown(oid)
    else:
        digest = find_hash(name)
    verify_signature(key, algorithm, digest, signature, signed)


def _rsa_padding(oid: str, parameters: bytes, digest: Hash) -> padding.AsymmetricPadding:
    if oid == _PSS:
        return _pss(parameters, digest)
    # PKCS #1 v1.5: plain rsaEncryption leaves the hash to digestAlgorithm (RFC 3370 §3.2).
    if _RSA_SIGNATURES.get(oid, digest.name if oid == _RSA else None) != digest.name or parameters not in (
        b"",
        b"\x05\x00",
    ):
        raise _unknown(oid)
    return padding.PKCS1v15()


def _pss(parameters: bytes, digest: Hash) -> padding.PSS:
    """RSASSA-PSS-params (RFC 4055 §3.1): one hash everywhere, nothing left to the SHA-1 defaults."""
    reader = der.parse(parameters).reader(der.SEQUENCE)
    own = parse_hash(der.parse(reader.next(der.context(0)).content))
    oid, inner = _identifier(der.parse(reader.next(der.context(1)).content))
    if oid != _MGF1 or parse_hash(der.parse(inner)) != own or own != digest:
        raise VersionError("an RSA signature with parameters that are not known")
    length = der.parse(reader.next(der.context(2)).content).integer()
    reader.end()
    if length != digest.size:
        raise VersionError("an RSA signature with parameters that are not known")
    return padding.PSS(padding.MGF1(digest._primitive), length)


def _identifier(node: der.Node) -> tuple[str, bytes]:
    """(object identifier, parameters as they stand) of an AlgorithmIdentifier."""
    reader = node.reader(der.SEQUENCE)
    oid = reader.next().oid()
    parameters = b"" if reader.is_at_end else reader.next().encoded
    reader.end()
    return oid, parameters


def _unknown(oid: str) -> VersionError:
    return VersionError("the signature algorithm {oid} is not known or does not fit", oid=oid)
