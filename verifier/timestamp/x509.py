"""One X.509 certificate or revocation list: what of it is looked at, read once (RFC 5280).

`cryptography` reads the fields and does the arithmetic; names are compared byte for byte as they stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from ..errors import FormatError, LimitError, ProofError, VersionError
from . import der
from .algorithms import NOT_SM

# A certificate of an authority has one to three kilobytes.
MAX_CERTIFICATE_BYTES = 64 * 1024
# The list of a public CA that revokes many; authorities for time stamps revoke next to none.
MAX_CRL_BYTES = 4 * 1024 * 1024

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

_KNOWN = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)
# The curve of SM2 keys (GM/T 0006).
_SM2 = der.encode_oid("1.2.156.10197.1.301")
# organizationName and commonName.
_NAMES = ("2.5.4.10", "2.5.4.3")
# UTF8String, PrintableString, BMPString.
_ENCODINGS = {0x0C: "utf-8", 0x13: "utf-8", 0x1E: "utf-16-be"}
_SAFE = (hashes.SHA256, hashes.SHA384, hashes.SHA512, hashes.SHA3_256, hashes.SHA3_384, hashes.SHA3_512)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its fields as they stand."""

    encoded: bytes
    issuer: bytes
    subject: bytes
    serial: int
    not_before: int
    """Seconds since 1970."""
    not_after: int
    key: PublicKeyTypes
    parsed: x509.Certificate

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.encoded).hexdigest()

    @property
    def name(self) -> str:
        """The subject as people read it (RFC 4514)."""
        try:
            return self.parsed.subject.rfc4514_string()
        except Exception:
            # Anybody can write a name that is none into a certificate of his own.
            return f"#{self.subject.hex()}"

    @property
    def public_key_bits(self) -> bytes:
        """The content of subjectPublicKey, of which OCSP takes a digest (RFC 6960 §4.1.1)."""
        info = read_key_info(self.encoded).reader()
        info.next()
        return info.next().bits()

    def is_named(self, name: str) -> bool:
        """Whether the subject has an organization or a common name of exactly these characters.

        Of the first 64 of them: RFC 5280 has no room for more (appendix A.1, ub-organization-name). Read
        here, strictly, as libraries differ about the types of strings that are nearly never used.
        """
        parts = der.parse(self.subject).reader(der.SEQUENCE).rest(der.SET)
        for attribute in (item for part in parts for item in part.reader().rest(der.SEQUENCE)):
            reader = attribute.reader()
            if reader.next().oid() in _NAMES and _exact_text(reader.next()) == name[:64]:
                return True
        return False

    def has_purpose(self, purpose: x509.ObjectIdentifier) -> bool:
        """Whether its extended key usage names this purpose itself: "any" is not enough."""
        with _malformed():
            purposes = _extension(self.parsed.extensions, x509.ExtendedKeyUsage)
        return purposes is not None and purpose in purposes.value

    def has_extension(self, kind: type[x509.ExtensionType]) -> bool:
        with _malformed():
            return _extension(self.parsed.extensions, kind) is not None

    def is_issued_by(self, other: Certificate) -> bool:
        """Whether `other` is named as the issuer and its key signed this, with a hash that still holds."""
        if self.issuer != other.subject:
            return False
        try:
            used = self.parsed.signature_hash_algorithm
            if used is not None and not isinstance(used, _SAFE):
                return False
            self.parsed.verify_directly_issued_by(other.parsed)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True

    def require_authority(self, below: int, purpose: x509.ObjectIdentifier | None) -> None:
        """Be a CA that may issue, with `below` further CAs under it; ProofError otherwise.

        `purpose` is what its extended key usage has to allow, where it has one; None: that is not looked at.
        """
        with _malformed():
            extensions = self.parsed.extensions
            constraints = _extension(extensions, x509.BasicConstraints)
            usage = _extension(extensions, x509.KeyUsage)
            purposes = _extension(extensions, x509.ExtendedKeyUsage)
        if constraints is None or not constraints.value.ca or (usage and not usage.value.key_cert_sign):
            raise ProofError("a certificate in the authority's chain may issue no others")
        if constraints.value.path_length is not None and below > constraints.value.path_length:
            raise ProofError("the authority's chain is longer than one of its certificates allows")
        allowed = (purpose, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
        if purpose and purposes and not any(item in allowed for item in purposes.value):
            raise ProofError("a certificate in the authority's chain is not for time stamps")

    def require_time_stamping(self) -> None:
        """Be a certificate for time stamps and nothing else (RFC 3161 §2.3); ProofError otherwise."""
        with _malformed():
            extensions = self.parsed.extensions
            usage = _extension(extensions, x509.KeyUsage)
            purposes = _extension(extensions, x509.ExtendedKeyUsage)
        if (
            purposes is None
            or not purposes.critical
            or list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING]
        ):
            raise ProofError("the certificate does not say, as critical, that it is for time stamps alone")
        _require_signing(usage)

    def require_signing(self) -> None:
        """Be of a key that its key usage, if there is one, gives to signatures; ProofError otherwise."""
        with _malformed():
            _require_signing(_extension(self.parsed.extensions, x509.KeyUsage))

    def require_understood(self) -> None:
        """VersionError when something in it must be understood and is not here, such as name constraints."""
        with _malformed():
            unknown = [
                item.oid.dotted_string
                for item in self.parsed.extensions
                if item.critical and item.oid not in _KNOWN
            ]
        if unknown:
            raise VersionError(
                "a certificate with the critical extension {oid}, not known here", oid=unknown[0]
            )


def read_key_info(data: bytes) -> der.Node:
    """subjectPublicKeyInfo of a certificate, as it stands; FormatError if there is none."""
    body = der.parse(data).reader(der.SEQUENCE).next(der.SEQUENCE).reader()
    body.optional(der.context(0))
    body.next(der.INTEGER)
    # signature, issuer, validity, subject.
    for _ in range(4):
        body.next(der.SEQUENCE)
    return body.next(der.SEQUENCE)


def load_certificate(data: bytes) -> Certificate:
    """Read a certificate in DER; FormatError if it is none."""
    if len(data) > MAX_CERTIFICATE_BYTES:
        raise LimitError("a certificate of {size} bytes", size=len(data))
    outer = der.parse(data).reader(der.SEQUENCE)
    body = outer.next().reader(der.SEQUENCE)
    body.optional(der.context(0))
    serial = body.next().integer()
    if serial <= 0:
        # RFC 5280 §4.1.2.2.
        raise FormatError("a certificate whose serial number is not positive")
    body.next(der.SEQUENCE)
    issuer = body.next(der.SEQUENCE).encoded
    body.next(der.SEQUENCE)
    subject = body.next(der.SEQUENCE).encoded
    with _malformed(data):
        parsed = x509.load_der_x509_certificate(data)
        return Certificate(
            data,
            issuer,
            subject,
            serial,
            seconds(parsed.not_valid_before_utc),
            seconds(parsed.not_valid_after_utc),
            parsed.public_key(),
            parsed,
        )


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A full list of one CA, read; whether it is signed is for `is_signed_by`."""

    encoded: bytes
    issuer: bytes
    this_update: int
    next_update: int | None
    parsed: x509.CertificateRevocationList

    def is_signed_by(self, issuer: Certificate) -> bool:
        with _malformed():
            usage = _extension(issuer.parsed.extensions, x509.KeyUsage)
        if self.issuer != issuer.subject or (usage and not usage.value.crl_sign):
            return False
        try:
            if not isinstance(self.parsed.signature_hash_algorithm, (*_SAFE, type(None))):
                return False
            return self.parsed.is_signature_valid(issuer.key)  # type: ignore[arg-type]
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return False

    def covers(self, *, is_authority: bool) -> bool:
        """Whether it speaks of such certificates, whatever the reason: no part of a list, no delta."""
        with _malformed():
            for item in self.parsed.extensions:
                point = item.value
                if isinstance(point, x509.IssuingDistributionPoint):
                    wrong_sort = (
                        point.only_contains_user_certs if is_authority else point.only_contains_ca_certs
                    )
                    if (
                        wrong_sort
                        or point.indirect_crl
                        or point.only_some_reasons
                        or point.only_contains_attribute_certs
                    ):
                        return False
                elif item.critical or isinstance(point, x509.DeltaCRLIndicator):
                    return False
        return True

    def find(self, serial: int) -> tuple[int, x509.ReasonFlags | None] | None:
        """(since when, why) a certificate is revoked; None if it is not in the list."""
        with _malformed():
            entry = self.parsed.get_revoked_certificate_by_serial_number(serial)
            if entry is None:
                return None
            reason = None
            for item in entry.extensions:
                if isinstance(item.value, x509.CRLReason):
                    reason = item.value.reason
            return seconds(entry.revocation_date_utc), reason


def load_revocation_list(data: bytes) -> RevocationList:
    """Read a certificate revocation list in DER; FormatError if it is none."""
    if len(data) > MAX_CRL_BYTES:
        raise LimitError("a revocation list of {size} bytes", size=len(data))
    body = der.parse(data).reader(der.SEQUENCE).next().reader(der.SEQUENCE)
    body.optional(der.INTEGER)
    body.next(der.SEQUENCE)
    issuer = body.next(der.SEQUENCE).encoded
    with _malformed():
        parsed = x509.load_der_x509_crl(data)
        # Read now: what cannot be read is not a list, whoever signed it.
        _ = list(parsed.extensions)
        next_update = parsed.next_update_utc
        return RevocationList(
            data,
            issuer,
            seconds(parsed.last_update_utc),
            None if next_update is None else seconds(next_update),
            parsed,
        )


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _extension(extensions: x509.Extensions, kind: type[_Extension]) -> x509.Extension[_Extension] | None:
    try:
        return extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _exact_text(node: der.Node) -> str | None:
    """The characters of a string of a type that is in use; None for any other, and for what is none."""
    try:
        return node.content.decode(_ENCODINGS[node.tag])
    except (KeyError, UnicodeDecodeError):
        return None


def _require_signing(usage: x509.Extension[x509.KeyUsage] | None) -> None:
    if usage and not (usage.value.digital_signature or usage.value.content_commitment):
        raise ProofError("the certificate's key is not for signing")


@contextmanager
def _malformed(data: bytes = b"") -> Iterator[None]:
    """`cryptography` reads some fields late, and its errors have many names."""
    try:
        yield
    except UnsupportedAlgorithm as error:
        if _SM2 in data:
            raise VersionError(NOT_SM) from error
        raise VersionError("a certificate with a key of a kind that is not known") from error
    except Exception as error:
        raise FormatError("a certificate or revocation list that cannot be read") from error
