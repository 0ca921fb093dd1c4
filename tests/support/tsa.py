"""Makes RFC 3161 tokens of every kind, right and wrong, at any instant: a CA, an authority, its tokens.

Written apart from the verifier but for its DER encoder; `tests/verifier/timestamp` holds what it makes
against `openssl ts -verify`. For an authority that answers over HTTP see `tests.support.opensslts`.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.authority import Authority
from mizheng.verifier.timestamp.x509 import load_certificate

POLICY = "1.3.6.1.4.1.99999.1"
DAY = 86_400
YEAR = 365 * DAY
_HASHES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "sha1": ("1.3.14.3.2.26", hashes.SHA1()),  # noqa: S303 - to see it refused
    "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256()),
    "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384()),
    "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512()),
    "sm3": ("1.2.156.10197.1.401", hashes.SM3()),
}
_RSA = {"sha1": 5, "sha256": 11, "sha384": 12, "sha512": 13}
# SM3 has no such number: where it stands, what follows is not read.
_ECDSA = {"sha256": 2, "sha384": 3, "sha512": 4, "sm3": 2}


@functools.cache
def make_key(kind: str, number: int = 0) -> Any:
    """A private key: rsa, rsa-1024, p256, p384 or ed25519. The same one for the same arguments."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, 1024 if kind == "rsa-1024" else 2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    key: Any
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        data: bytes = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return data


def issue(
    name: str,
    key: Any,
    by: Issued | None,
    *,
    start: int,
    end: int,
    is_ca: bool = False,
    path_length: int | None = None,
    purposes: Sequence[x509.ObjectIdentifier] | None = None,
    is_critical: bool = True,
    more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    signing_hash: hashes.HashAlgorithm | None = None,
    organization: str | None = None,
) -> Issued:
    """A certificate by `by`, or self-signed."""
    names = [] if organization is None else [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(
            int.from_bytes(hashlib.sha256(f"{name} {start} {end}".encode()).digest()[:8], "big") | 1
        )
        .not_valid_before(moment(start))
        .not_valid_after(moment(end))
        .add_extension(x509.BasicConstraints(is_ca, path_length if is_ca else None), critical=True)
    )
    if purposes is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=is_critical)
    for extension, critical in more:
        builder = builder.add_extension(extension, critical=critical)
    signer = key if by is None else by.key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else signing_hash or hashes.SHA256()
    # The same certificate each time, which examples need.
    is_ec = isinstance(signer, ec.EllipticCurvePrivateKey)
    return Issued(key, builder.sign(signer, algorithm, ecdsa_deterministic=True if is_ec else None))


@dataclass(frozen=True)
class TestAuthority:
    """A CA and an authority under it. `token` makes what is asked for, also what no authority may make."""

    __test__ = False

    name: str
    root: Issued
    signer: Issued
    between: tuple[Issued, ...] = ()
    policy: str = POLICY
    options: Mapping[str, Any] = field(default_factory=dict)
    """What `token` is given where the caller says nothing else."""

    def with_options(self, **options: Any) -> TestAuthority:
        return replace(self, options={**self.options, **options})

    def trusted(self, **changes: Any) -> Authority:
        """As a trust file describes it."""
        return replace(Authority(self.name, (load_certificate(self.root.der),), (self.policy,)), **changes)

    def token(self, data: bytes, at: float, **options: Any) -> bytes:
        return make_token(self, data, at, **{**self.options, **options})

    def response(self, data: bytes, at: float, **options: Any) -> bytes:
        return der.encode(
            der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_integer(0)), self.token(data, at, **options)
        )

    def crl(
        self,
        at: int,
        revoked: Mapping[int, tuple[int, x509.ReasonFlags | None]] | None = None,
        *,
        by: Issued | None = None,
        days: int = 7,
    ) -> bytes:
        """A list of the issuer's, or of `by`, with serial numbers to (when, why)."""
        issuer = by or (self.between[0] if self.between else self.root)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(moment(at))
            .next_update(moment(at + days * DAY))
        )
        for serial, (since, reason) in (revoked or {}).items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment(since))
            if reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        algorithm = None if isinstance(issuer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        # The same list each time, which vectors need.
        is_ec = isinstance(issuer.key, ec.EllipticCurvePrivateKey)
        made = builder.sign(issuer.key, algorithm, ecdsa_deterministic=True if is_ec else None)
        return made.public_bytes(serialization.Encoding.DER)

    def ocsp(self, at: int, revoked: tuple[int, x509.ReasonFlags] | None = None, *, days: int = 7) -> bytes:
        """An OCSPResponse of `at` about the signer's certificate, by its issuer."""
        issuer = self.between[0] if self.between else self.root
        builder = ocsp.OCSPResponseBuilder().add_response(
            self.signer.certificate,
            issuer.certificate,
            hashes.SHA256(),
            ocsp.OCSPCertStatus.GOOD if revoked is None else ocsp.OCSPCertStatus.REVOKED,
            moment(at),
            moment(at + days * DAY),
            None if revoked is None else moment(revoked[0]),
            None if revoked is None else revoked[1],
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def make_authority(
    name: str = "示例时间戳",
    *,
    start: int,
    end: int,
    kind: str = "p256",
    number: int = 0,
    with_intermediate: bool = False,
    **changes: Any,
) -> TestAuthority:
    """An authority whose own certificate is from `start` to `end`; its CA's runs for thirty years more."""
    root = issue(
        f"{name} root",
        make_key("p256", 1000 + number),
        None,
        start=start - YEAR,
        end=end + 30 * YEAR,
        is_ca=True,
    )
    by, between = root, ()
    if with_intermediate:
        by = issue(
            f"{name} CA",
            make_key("p256", 2000 + number),
            root,
            start=start - YEAR,
            end=end + YEAR,
            is_ca=True,
            path_length=0,
        )
        between = (by,)
    purposes = changes.pop("purposes", (ExtendedKeyUsageOID.TIME_STAMPING,))
    signer = issue(name, make_key(kind, number), by, start=start, end=end, purposes=purposes, **changes)
    return TestAuthority(name, root, signer, between)


def make_token(
    authority: TestAuthority,
    data: bytes,
    at: float,
    *,
    imprint_hash: str = "sha256",
    imprint: bytes | None = None,
    digest: str = "sha256",
    policy: str | None = None,
    accuracy: Sequence[int | None] | None = (1,),
    nonce: int | None = None,
    pss: bool = False,
    binding: bytes | None = None,
    binding_hash: str = "sha256",
    attributes: Sequence[bytes] = (),
    without: Sequence[str] = (),
    certificates: Sequence[bytes] | None = None,
    crls: Sequence[bytes] = (),
    unsigned: Sequence[bytes] = (),
    extensions: bytes = b"",
    signer: Issued | None = None,
    content_type: str = "1.2.840.113549.1.9.16.1.4",
) -> bytes:
    """A TimeStampToken over `data` of `at`, seconds since 1970; `without` leaves attributes out."""
    signer = signer or authority.signer
    over = hashlib.new(imprint_hash, data).digest() if imprint is None else imprint
    info = [
        der.encode_integer(1),
        der.encode_oid(policy or authority.policy),
        der.encode(
            der.SEQUENCE, _algorithm(_HASHES[imprint_hash][0], null=True), der.encode(der.OCTET_STRING, over)
        ),
        der.encode_integer(int.from_bytes(hashlib.sha256(over + str(at).encode()).digest()[:8], "big")),
        der.encode(der.GENERALIZED_TIME, _time(at)),
    ]
    if accuracy is not None:
        tags = (der.INTEGER, der.context(0, constructed=False), der.context(1, constructed=False))
        parts = [der.encode_integer(n, tag) for n, tag in zip(accuracy, tags, strict=False) if n is not None]
        info.append(der.encode(der.SEQUENCE, *parts))
    if nonce is not None:
        info.append(der.encode_integer(nonce))
    content = der.encode(der.SEQUENCE, *info, extensions)
    bound = binding or hashlib.new(binding_hash, signer.der).digest()
    identifier = b"" if binding_hash == "sha256" else _algorithm(_HASHES[binding_hash][0])
    identifier = der.encode(der.SEQUENCE, identifier, der.encode(der.OCTET_STRING, bound))
    own = {
        "content": _attribute("1.2.840.113549.1.9.3", der.encode_oid(content_type)),
        "digest": _attribute(
            "1.2.840.113549.1.9.4", der.encode(der.OCTET_STRING, hashlib.new(digest, content).digest())
        ),
        "binding": _attribute(
            "1.2.840.113549.1.9.16.2.47", der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, identifier))
        ),
    }
    signed = der.encode_set(*(value for name, value in own.items() if name not in without), *attributes)
    algorithm, signature = _sign(signer.key, signed, digest, pss=pss)
    issuer = der.parse(signer.der).reader().next().reader()
    issuer.optional(der.context(0))
    serial = issuer.next().encoded
    issuer.next()
    signer_info = der.encode(
        der.SEQUENCE,
        der.encode_integer(1),
        der.encode(der.SEQUENCE, issuer.next().encoded, serial),
        _algorithm(_HASHES[digest][0], null=True),
        bytes([der.context(0)]) + signed[1:],
        algorithm,
        der.encode(der.OCTET_STRING, signature),
        der.encode(der.context(1), *sorted(unsigned)) if unsigned else b"",
    )
    if certificates is None:
        certificates = (signer.der, *(item.der for item in authority.between))
    # RFC 5652 §5.1: version 5 where `crls` holds anything but lists.
    is_later = any(item[0] == der.context(1) for item in crls)
    body = [
        der.encode_integer(5 if is_later else 3),
        der.encode_set(_algorithm(_HASHES[digest][0], null=True)),
        der.encode(
            der.SEQUENCE,
            der.encode_oid(content_type),
            der.encode(der.context(0), der.encode(der.OCTET_STRING, content)),
        ),
    ]
    if certificates:
        body.append(der.encode(der.context(0), *sorted(certificates)))
    if crls:
        body.append(der.encode(der.context(1), *sorted(crls)))
    inner = der.encode(der.SEQUENCE, *body, der.encode_set(signer_info))
    return der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.7.2"), der.encode(der.context(0), inner))


def moment(at: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, datetime.UTC)


def _sign(key: Any, data: bytes, digest: str, *, pss: bool) -> tuple[bytes, bytes]:
    """(AlgorithmIdentifier, signature)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _algorithm("1.3.101.112"), key.sign(data)
    algorithm = _HASHES[digest][1]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _algorithm(f"1.2.840.10045.4.3.{_ECDSA[digest]}"), key.sign(
            data, ec.ECDSA(algorithm, deterministic_signing=True)
        )
    if not pss:
        return _algorithm(f"1.2.840.113549.1.1.{_RSA[digest]}", null=True), key.sign(
            data, padding.PKCS1v15(), algorithm
        )
    used = _algorithm(_HASHES[digest][0], null=True)
    parameters = der.encode(
        der.SEQUENCE,
        der.encode(der.context(0), used),
        der.encode(der.context(1), der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.1.8"), used)),
        der.encode(der.context(2), der.encode_integer(algorithm.digest_size)),
    )
    signature = key.sign(data, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
    return der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.1.10"), parameters), signature


def _algorithm(oid: str, *, null: bool = False) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid), b"\x05\x00" if null else b"")


def _attribute(oid: str, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_oid(oid), der.encode(der.SET, value))


def _time(at: float) -> bytes:
    text = moment(int(at)).strftime("%Y%m%d%H%M%S")
    fraction = f"{at - int(at):.6f}"[2:].rstrip("0")
    return f"{text}{'.' if fraction else ''}{fraction}Z".encode()
