"""Time-stamp tokens (RFC 3161 §2.4, RFC 5816): asked for, read, and checked as far as they prove themselves.

What a token is over is handed in by whoever checks it; who may make tokens is `authority`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..canonical import format_instant
from ..errors import FormatError, LimitError, ProofError, VersionError
from . import der
from .algorithms import Hash, parse_hash
from .cms import SignedData, parse_signed_data
from .der import MICROSECOND
from .x509 import Certificate

# A token with a chain and a revocation list; see cms.MAX_BYTES.
MAX_BYTES = 9 * 1024 * 1024
# What a token is stamped over is a few lines.
MAX_TEXT_BYTES = 64 * 1024
# An authority that knows the time no better than to a day tells none.
_MAX_ACCURACY = 86_400 * MICROSECOND

_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_GRANTED = (0, 1)


@dataclass(frozen=True, slots=True)
class Token:
    """One token, held against itself: signature, the certificate bound to it, that one's purpose."""

    encoded: bytes
    """The ContentInfo, as it stands."""
    policy: str
    hash: Hash
    imprint: bytes
    serial: int
    generated: int
    """genTime in microseconds since 1970."""
    accuracy: int | None
    """Microseconds; None where the token does not say."""
    nonce: int | None
    signed: SignedData
    signer: Certificate

    @property
    def at(self) -> int:
        """genTime in whole seconds since 1970, cut off: the instant at which certificates are judged."""
        return self.generated // MICROSECOND

    @property
    def latest(self) -> int:
        """Seconds since 1970 by which it was made: genTime and accuracy, rounded up."""
        return -((-self.generated - (self.accuracy or 0)) // MICROSECOND)

    @property
    def hashes(self) -> frozenset[str]:
        """Names of the hashes that it rests on."""
        return frozenset({self.hash.name, self.signed.digest.name})

    def require_over(self, data: bytes) -> None:
        """ProofError when the token is over something else."""
        self.require_imprint(self.hash.digest(data))

    def require_imprint(self, digest: bytes) -> None:
        if self.imprint != digest:
            raise ProofError(
                "the token is over {found}, not over {expected}",
                found=self.imprint.hex(),
                expected=digest.hex(),
            )


def parse_token(data: bytes) -> Token:
    """Read a TimeStampToken and check all that it says of itself; whose it is remains open.

    FormatError for bytes that are none, VersionError for algorithms not known here, ProofError when its
    signature, its binding to a certificate or that certificate's purpose do not hold.
    """
    signed = parse_signed_data(data)
    if signed.content_type != _TST_INFO:
        raise FormatError("a signed message that is not a time-stamp token")
    reader = der.parse(signed.content).reader(der.SEQUENCE)
    if reader.next().integer() != 1:
        raise VersionError("a time-stamp token of a later version")
    policy = reader.next().oid()
    imprint = reader.next().reader(der.SEQUENCE)
    algorithm, digest = parse_hash(imprint.next()), imprint.next().octets()
    imprint.end()
    if len(digest) != algorithm.size:
        raise FormatError("an imprint that is not as long as its hash")
    serial = reader.next().integer()
    generated = reader.next().time()
    accuracy = reader.optional(der.SEQUENCE)
    ordering = reader.optional(der.BOOLEAN)
    if ordering is not None and not ordering.boolean():
        raise FormatError("DER: a default value that is written out")
    nonce = reader.optional(der.INTEGER)
    # The authority's name for itself: the certificate says who it is.
    reader.optional(der.context(0))
    extensions = reader.optional(der.context(1))
    reader.end()
    _refuse_critical(extensions)
    signer = signed.verify()
    signer.require_time_stamping()
    if not signer.not_before <= generated // MICROSECOND <= signer.not_after:
        raise ProofError(
            "the token is of {at}, when its certificate was not valid: that is from {start} to {end}",
            at=format_instant(generated // MICROSECOND),
            start=format_instant(signer.not_before),
            end=format_instant(signer.not_after),
        )
    return Token(
        data,
        policy,
        algorithm,
        digest,
        serial,
        generated,
        None if accuracy is None else _accuracy(accuracy),
        None if nonce is None else nonce.integer(),
        signed,
        signer,
    )


def parse_response(data: bytes) -> bytes:
    """The token in a TimeStampResp, ContentInfo in DER; ProofError when the authority refused."""
    if len(data) > MAX_BYTES:
        raise LimitError("an answer of {size} bytes", size=len(data))
    reader = der.parse(data).reader(der.SEQUENCE)
    status = reader.next().reader(der.SEQUENCE)
    code = status.next().integer()
    if code not in _GRANTED:
        raise ProofError("the authority granted no token (status {code})", code=code)
    # Free text and, with a refusal only, why.
    status.optional(der.SEQUENCE)
    status.end()
    token = reader.next(der.SEQUENCE)
    reader.end()
    return token.encoded


def dump_response(token: bytes) -> bytes:
    """A TimeStampResp of status granted around a token."""
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_integer(0)), token)


def dump_request(algorithm: Hash, digest: bytes, nonce: int, policy: str | None) -> bytes:
    """A TimeStampReq that wants the certificates in the token (RFC 3161 §2.4.1)."""
    imprint = der.encode(
        der.SEQUENCE,
        # As most software writes it, and as the token will repeat it: with NULL parameters.
        der.encode(der.SEQUENCE, der.encode_oid(algorithm.oid), der.encode(der.NULL)),
        der.encode(der.OCTET_STRING, digest),
    )
    parts = [der.encode_integer(1), imprint]
    if policy is not None:
        parts.append(der.encode_oid(policy))
    parts += [der.encode_integer(nonce), der.encode(der.BOOLEAN, b"\xff")]
    return der.encode(der.SEQUENCE, *parts)


def _accuracy(node: der.Node) -> int:
    """Microseconds of an Accuracy (RFC 3161 §2.4.2): seconds, millis, micros, each optional."""
    reader = node.reader(der.SEQUENCE)
    total = 0
    for tag, unit, limit in (
        (der.INTEGER, MICROSECOND, 86_400),
        (der.context(0, constructed=False), 1_000, 999),
        (der.context(1, constructed=False), 1, 999),
    ):
        part = reader.optional(tag)
        if part is not None:
            value = part.integer(tag)
            if not 0 <= value <= limit:
                raise FormatError("an accuracy that is none")
            total += value * unit
    reader.end()
    if total > _MAX_ACCURACY:
        raise FormatError("an accuracy that is none")
    return total


def _refuse_critical(extensions: der.Node | None) -> None:
    for item in () if extensions is None else extensions.reader().rest(der.SEQUENCE):
        reader = item.reader()
        oid = reader.next().oid()
        critical = reader.optional(der.BOOLEAN)
        if critical is not None and critical.boolean():
            raise VersionError("a token with the critical extension {oid}, not known here", oid=oid)
