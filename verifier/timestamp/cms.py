"""CMS SignedData (RFC 5652 §5) as time stamps use it: content inside, one signer, signed attributes.

The signing certificate is bound into the signature by ESSCertIDv2 (RFC 5035, RFC 5816): without that, another
certificate for the same key could be put in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import FormatError, LimitError, MizhengError, ProofError, VersionError
from . import der
from .algorithms import SHA256, Hash, parse_hash, verify_signature
from .given import Given, add_to_values, read_given
from .x509 import Certificate, load_certificate

# A chain has three or four certificates; whoever puts in more makes work.
MAX_CERTIFICATES = 32
# Several chains and a long revocation list.
MAX_BYTES = 8 * 1024 * 1024

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


@dataclass(frozen=True, slots=True)
class SignedData:
    """What was signed, by whom, and all that was put beside it. Nothing is checked yet."""

    content_type: str
    content: bytes
    certificates: tuple[Certificate, ...]
    """Those that can be read: what cannot is nobody's word."""
    unread: tuple[tuple[bytes, MizhengError], ...]
    """The others, and why they cannot: the signer's may be among them."""
    revocation: Given
    issuer: bytes
    """The signer's certificate is the one of this issuer and serial number."""
    serial: int
    digest: Hash
    attributes: Mapping[str, der.Node]
    """Signed attributes by object identifier: each has one value."""
    attributes_encoded: bytes
    """What the signature is over: the attributes as a SET."""
    algorithm: der.Node
    signature: bytes

    @property
    def signer(self) -> Certificate:
        binding = self.attributes.get(_SIGNING_CERTIFICATE_V2)
        named = [
            certificate
            for certificate in self.certificates
            if (certificate.issuer, certificate.serial) == (self.issuer, self.serial)
        ]
        for certificate in named:
            # Anybody can put another beside it that calls itself the same.
            if len(named) == 1 or binding is None or _is_bound(binding, certificate.encoded):
                return certificate
        for data, error in self.unread:
            if binding is None or _is_bound(binding, data):
                raise error
        raise ProofError("the token does not carry the certificate of its signer")

    def verify(self) -> Certificate:
        """Check digest, binding and signature; the signer's certificate, whoever issued it."""
        signer = self.signer
        if self._attribute(_CONTENT_TYPE).oid() != self.content_type:
            raise ProofError("the signature is about content of another type")
        if self._attribute(_MESSAGE_DIGEST).octets() != self.digest.digest(self.content):
            raise ProofError("the signature is about other content")
        _verify_binding(self._attribute(_SIGNING_CERTIFICATE_V2), signer)
        verify_signature(signer.key, self.algorithm, self.digest, self.signature, self.attributes_encoded)
        return signer

    def _attribute(self, oid: str) -> der.Node:
        if oid not in self.attributes:
            raise ProofError("a signed attribute is missing: {oid}", oid=oid)
        return self.attributes[oid]


def parse_signed_data(data: bytes) -> SignedData:
    """Read a ContentInfo with SignedData; FormatError, or VersionError for what is not known here."""
    if len(data) > MAX_BYTES:
        raise LimitError("a token of {size} bytes", size=len(data))
    version, digests, content, certificates, crls, signers = _split(data)
    if version.integer() not in (3, 5):
        raise VersionError("a token in a version of CMS that is not known")
    encapsulated = content.reader(der.SEQUENCE)
    content_type = encapsulated.next().oid()
    inner = der.parse(encapsulated.next(der.context(0)).content).octets()
    encapsulated.end()
    signer_list = list(signers.reader(der.SET).rest(der.SEQUENCE))
    if len(signer_list) != 1:
        raise FormatError("a token that is not signed by exactly one")
    reader = signer_list[0].reader()
    if reader.next().integer() != 1:
        raise VersionError("a signer that is named in a way that is not known")
    who = reader.next().reader(der.SEQUENCE)
    issuer, serial = who.next(der.SEQUENCE).encoded, who.next().integer()
    who.end()
    digest = parse_hash(reader.next())
    attributes = reader.next(der.context(0))
    algorithm = reader.next(der.SEQUENCE)
    signature = reader.next().octets()
    # Nobody signed them: nothing is taken from them but what is signed by itself.
    unsigned = reader.optional(der.context(1))
    reader.end()
    if not any(item == digest for item in (parse_hash(node) for node in digests.reader(der.SET).rest())):
        raise FormatError("a token whose signer's hash is not in its list")
    return SignedData(
        content_type,
        inner,
        *_certificates(certificates),
        read_given(crls, unsigned),
        issuer,
        serial,
        digest,
        _attributes(attributes),
        # RFC 5652 §5.4: signed is the SET OF itself, not the [0] that stands in its place.
        bytes([der.SET]) + attributes.encoded[1:],
        algorithm,
        signature,
    )


def add_revocation(data: bytes, lists: Sequence[bytes] = (), answers: Sequence[bytes] = ()) -> bytes:
    """The same SignedData with these lists in its `crls`, and these BasicOCSPResponses among the unsigned
    attributes of its signer: each is signed by itself, what the token's signature is over is not touched.

    `crls` could hold answers, too (RFC 5940), but `openssl ts` reads no token then.
    """
    version, digests, content, certificates, crls, signers = _split(data)
    have = [] if crls is None else [node.encoded for node in crls.reader().rest()]
    parts = sorted({*have, *lists})
    body = [version.encoded, digests.encoded, content.encoded]
    if certificates is not None:
        body.append(certificates.encoded)
    if parts:
        body.append(der.encode(der.context(1), *parts))
    body.append(_with_answers(signers, answers) if answers else signers.encoded)
    inner = der.encode(der.SEQUENCE, *body)
    return der.encode(der.SEQUENCE, der.encode_oid(_SIGNED_DATA), der.encode(der.context(0), inner))


def _with_answers(signers: der.Node, answers: Sequence[bytes]) -> bytes:
    (signer,) = signers.reader().rest(der.SEQUENCE)
    fields = list(signer.reader().rest())
    unsigned = fields.pop() if fields[-1].tag == der.context(1) else None
    signed = (field.encoded for field in fields)
    return der.encode(der.SET, der.encode(der.SEQUENCE, *signed, add_to_values(unsigned, answers)))


def _split(data: bytes) -> tuple[der.Node, der.Node, der.Node, der.Node | None, der.Node | None, der.Node]:
    """version, digestAlgorithms, encapContentInfo, certificates, crls, signerInfos."""
    outer = der.parse(data).reader(der.SEQUENCE)
    if outer.next().oid() != _SIGNED_DATA:
        raise FormatError("not a signed message (CMS)")
    reader = der.parse(outer.next(der.context(0)).content).reader(der.SEQUENCE)
    outer.end()
    found = (
        reader.next(der.INTEGER),
        reader.next(der.SET),
        reader.next(der.SEQUENCE),
        reader.optional(der.context(0)),
        reader.optional(der.context(1)),
        reader.next(der.SET),
    )
    reader.end()
    return found


def _certificates(
    node: der.Node | None,
) -> tuple[tuple[Certificate, ...], tuple[tuple[bytes, MizhengError], ...]]:
    found = [] if node is None else list(node.reader().rest())
    if len(found) > MAX_CERTIFICATES:
        raise LimitError("a token with more than {limit} certificates", limit=MAX_CERTIFICATES)
    # Attribute certificates and older kinds have tags of their own: nothing here rests on them.
    readable: list[Certificate] = []
    unread: list[tuple[bytes, MizhengError]] = []
    for item in found:
        if item.tag == der.SEQUENCE:
            try:
                readable.append(load_certificate(item.encoded))
            except MizhengError as error:
                unread.append((item.encoded, error))
    return tuple(readable), tuple(unread)


def _attributes(node: der.Node) -> dict[str, der.Node]:
    found: dict[str, der.Node] = {}
    for item in node.reader().rest(der.SEQUENCE):
        reader = item.reader()
        oid = reader.next().oid()
        values = list(reader.next(der.SET).reader().rest())
        reader.end()
        # RFC 5652 §11: these have one value and stand there once.
        if oid in found or len(values) != 1:
            raise FormatError("a signed attribute that stands there twice")
        found[oid] = values[0]
    return found


def _is_bound(node: der.Node, data: bytes) -> bool:
    digest, bound, _ = _read_binding(node)
    return bound == digest.digest(data)


def _read_binding(node: der.Node) -> tuple[Hash, bytes, der.Reader]:
    """Hash and digest of the first ESSCertIDv2 (RFC 5035 §4), and what follows in it."""
    identifier = node.reader(der.SEQUENCE).next(der.SEQUENCE).reader().next(der.SEQUENCE).reader()
    algorithm = identifier.optional(der.SEQUENCE)
    digest = SHA256 if algorithm is None else parse_hash(algorithm)
    return digest, identifier.next().octets(), identifier


def _verify_binding(node: der.Node, signer: Certificate) -> None:
    """The first ESSCertIDv2 is the signer's; those behind it, of its issuers, add nothing to the chain."""
    digest, bound, identifier = _read_binding(node)
    if bound != digest.digest(signer.encoded):
        raise ProofError("the signature names another certificate than the one beside it")
    named = identifier.optional(der.SEQUENCE)
    identifier.end()
    if named is not None:
        reader = named.reader()
        names = [item.encoded for item in reader.next(der.SEQUENCE).reader().rest()]
        serial = reader.next().integer()
        reader.end()
        # GeneralName directoryName is [4], explicit because a Name is a choice.
        if serial != signer.serial or der.encode(der.context(4), signer.issuer) not in names:
            raise ProofError("the signature names another certificate than the one beside it")
