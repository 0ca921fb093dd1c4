"""Answers of an OCSP responder about single certificates (RFC 6960 §4.2), read; nothing is asked here.

An answer counts if the certificate's issuer signed it, or a responder that this issuer named for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ..errors import FormatError, LimitError, MizhengError
from . import der
from .algorithms import verify_signature_alone
from .der import MICROSECOND
from .x509 import Certificate, load_certificate

# An answer about one certificate with the responder's own has two kilobytes; some carry a chain.
MAX_ANSWER_BYTES = 64 * 1024
# One is asked for, some responders add the rest of a chain.
_MAX_SINGLE = 16
_MAX_CERTIFICATES = 8

_BASIC = "1.3.6.1.5.5.7.48.1.1"
_SUCCESSFUL, _ENUMERATED = b"\x00", 0x0A
# Names a certificate's issuer by digests of its name and key. Whoever signed is what decides, so that SHA-1,
# which nearly all responders use here, does no harm (RFC 6960 §4.3).
_ID_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
# RFC 5280 §5.3.1 by number; 7 is not used.
_REASONS = {
    0: x509.ReasonFlags.unspecified,
    1: x509.ReasonFlags.key_compromise,
    2: x509.ReasonFlags.ca_compromise,
    3: x509.ReasonFlags.affiliation_changed,
    4: x509.ReasonFlags.superseded,
    5: x509.ReasonFlags.cessation_of_operation,
    6: x509.ReasonFlags.certificate_hold,
    8: x509.ReasonFlags.remove_from_crl,
    9: x509.ReasonFlags.privilege_withdrawn,
    10: x509.ReasonFlags.aa_compromise,
}


@dataclass(frozen=True, slots=True)
class SingleAnswer:
    """What an answer says of one certificate."""

    hash_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    is_known: bool
    """False: the responder says that it does not know this certificate."""
    revoked: tuple[int, x509.ReasonFlags | None] | None
    """Since when, seconds since 1970, and why."""
    this_update: int
    next_update: int | None
    is_understood: bool
    """Nothing in it that must be understood and is not here."""

    def is_about(self, certificate: Certificate, issuer: Certificate) -> bool:
        algorithm = _ID_HASHES.get(self.hash_oid)
        if algorithm is None or self.serial != certificate.serial:
            return False
        name = hashlib.new(algorithm, certificate.issuer, usedforsecurity=False).digest()
        key = hashlib.new(algorithm, issuer.public_key_bits, usedforsecurity=False).digest()
        return (self.name_hash, self.key_hash) == (name, key)


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """A BasicOCSPResponse; whether it is signed is for `is_signed_for`."""

    encoded: bytes
    signed: bytes
    """ResponseData, as it stands."""
    responder: der.Node
    produced_at: int
    """Seconds since 1970."""
    singles: tuple[SingleAnswer, ...]
    is_understood: bool
    algorithm: der.Node
    signature: bytes
    certificates: tuple[bytes, ...]

    def is_signed_for(self, issuer: Certificate) -> bool:
        """Whether `issuer`, or a responder that it named for this and for nothing else, signed it."""
        for signer in self._signers(issuer):
            try:
                if not self._is_named(signer):
                    continue
                verify_signature_alone(signer.key, self.algorithm, self.signature, self.signed)
            except MizhengError:
                # A name that cannot be read, or a signature that does not hold: nothing that counts.
                continue
            return True
        return False

    def find(self, certificate: Certificate, issuer: Certificate) -> SingleAnswer | None:
        """What it says of this certificate; None if nothing."""
        for single in self.singles:
            if self.is_understood and single.is_understood and single.is_about(certificate, issuer):
                return single
        return None

    def _signers(self, issuer: Certificate) -> Iterator[Certificate]:
        yield issuer
        for data in self.certificates:
            try:
                candidate = load_certificate(data)
                if _is_delegate(candidate, issuer, self.produced_at):
                    yield candidate
            except MizhengError:
                # Of a kind that is not known here: it signed nothing that counts.
                continue

    def _is_named(self, signer: Certificate) -> bool:
        if self.responder.tag == der.context(1):
            return self.responder.content == signer.subject
        key_hash = hashlib.sha1(signer.public_key_bits, usedforsecurity=False).digest()
        return der.parse(self.responder.content).octets() == key_hash


def dump_ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes:
    """An OCSPRequest about one certificate (RFC 6960 §4.1.1), with SHA-1 as RFC 5019 §2.1.1 has it."""
    oid, name = next(iter(_ID_HASHES.items()))
    digests = (
        hashlib.new(name, data, usedforsecurity=False).digest()
        for data in (certificate.issuer, issuer.public_key_bits)
    )
    identifier = der.encode(
        der.SEQUENCE,
        der.encode(der.SEQUENCE, der.encode_oid(oid), der.encode(der.NULL)),
        *(der.encode(der.OCTET_STRING, digest) for digest in digests),
        der.encode_integer(certificate.serial),
    )
    requests = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, identifier))
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, requests))


def parse_ocsp_response(data: bytes) -> OcspAnswer | None:
    """Read an OCSPResponse; None if the responder gave no answer (RFC 6960 §2.3). FormatError for bytes that
    are none.
    """
    _limit(data)
    reader = der.parse(data).reader(der.SEQUENCE)
    status = reader.next(_ENUMERATED).content
    inner = reader.optional(der.context(0))
    reader.end()
    if status != _SUCCESSFUL:
        return None
    if inner is None:
        raise FormatError("an OCSP answer that is empty")
    body = der.parse(inner.content).reader(der.SEQUENCE)
    if body.next().oid() != _BASIC:
        # Another kind of answer: RFC 6960 leaves room for some, nobody uses any.
        return None
    answer = body.next().octets()
    body.end()
    return parse_ocsp_answer(answer)


def parse_ocsp_answer(data: bytes) -> OcspAnswer:
    """Read a BasicOCSPResponse; FormatError if it is none."""
    _limit(data)
    reader = der.parse(data).reader(der.SEQUENCE)
    signed = reader.next(der.SEQUENCE)
    algorithm, signature = reader.next(der.SEQUENCE), reader.next().bits()
    given = reader.optional(der.context(0))
    reader.end()
    certificates = [] if given is None else list(der.parse(given.content).reader(der.SEQUENCE).rest())
    body = signed.reader()
    # The default is version 1, and there is no other; as a default it is left out.
    if body.optional(der.context(0)) is not None:
        raise FormatError("an OCSP answer of a version that does not exist")
    responder = body.next()
    if responder.tag not in (der.context(1), der.context(2)):
        raise FormatError("an OCSP answer that does not say whose it is")
    produced = body.next().time() // MICROSECOND
    singles = list(body.next(der.SEQUENCE).reader().rest(der.SEQUENCE))
    is_understood = _is_understood(body.optional(der.context(1)))
    body.end()
    if len(singles) > _MAX_SINGLE or len(certificates) > _MAX_CERTIFICATES:
        raise LimitError("an OCSP answer about more than {limit} certificates", limit=_MAX_SINGLE)
    return OcspAnswer(
        data,
        signed.encoded,
        responder,
        produced,
        tuple(_single(node) for node in singles),
        is_understood,
        algorithm,
        signature,
        tuple(node.encoded for node in certificates),
    )


def _single(node: der.Node) -> SingleAnswer:
    reader = node.reader()
    identifier = reader.next(der.SEQUENCE).reader()
    hash_oid = identifier.next(der.SEQUENCE).reader().next().oid()
    name_hash, key_hash, serial = (
        identifier.next().octets(),
        identifier.next().octets(),
        identifier.next().integer(),
    )
    identifier.end()
    status = reader.next()
    this_update = reader.next().time() // MICROSECOND
    following = reader.optional(der.context(0))
    extensions = reader.optional(der.context(1))
    reader.end()
    good, unknown = der.context(0, constructed=False), der.context(2, constructed=False)
    if status.tag not in (good, unknown, der.context(1)):
        raise FormatError("an OCSP answer that is none of good, revoked and unknown")
    return SingleAnswer(
        hash_oid,
        name_hash,
        key_hash,
        serial,
        status.tag != unknown,
        _revoked(status) if status.tag == der.context(1) else None,
        this_update,
        None if following is None else der.parse(following.content).time() // MICROSECOND,
        _is_understood(extensions),
    )


def _revoked(status: der.Node) -> tuple[int, x509.ReasonFlags | None]:
    reader = status.reader()
    since = reader.next().time() // MICROSECOND
    reason = reader.optional(der.context(0))
    reader.end()
    if reason is None:
        return since, None
    number = der.parse(reason.content).integer(_ENUMERATED)
    if number not in _REASONS:
        raise FormatError("an OCSP answer with a reason that does not exist")
    return since, _REASONS[number]


def _is_understood(extensions: der.Node | None) -> bool:
    """Whether nothing in them is critical: none is known here. A nonce is for whoever asked."""
    if extensions is None:
        return True
    for item in der.parse(extensions.content).reader(der.SEQUENCE).rest(der.SEQUENCE):
        reader = item.reader()
        reader.next().oid()
        critical = reader.optional(der.BOOLEAN)
        if critical is not None and critical.boolean():
            return False
    return True


def _is_delegate(candidate: Certificate, issuer: Certificate, at: int) -> bool:
    """A responder that the issuer named (RFC 6960 §4.2.2.2), and whose own revocation nobody has to ask for:
    else every answer would ask for another one (§4.2.2.2.1).
    """
    return (
        candidate.not_before <= at <= candidate.not_after
        and candidate.has_purpose(ExtendedKeyUsageOID.OCSP_SIGNING)
        and candidate.has_extension(x509.OCSPNoCheck)
        and candidate.is_issued_by(issuer)
    )


def _limit(data: bytes) -> None:
    if len(data) > MAX_ANSWER_BYTES:
        raise LimitError("an OCSP answer of {size} bytes", size=len(data))
