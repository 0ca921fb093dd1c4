"""OCSP answers that a token carries about its authority's certificate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.x509 import load_certificate

from tests.support.opensslocsp import in_crls, in_values
from tests.support.tsa import DAY, YEAR, Issued, TestAuthority, issue, moment

from .case import Bundle, Case, Cases
from .setting import STAMPED_AT, Setting, p256
from .tokens import with_token

_CODE = "timestamp.revocation"
_COMPROMISE, _SUPERSEDED = 1, 4
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_CRITICAL = der.encode(
    der.SEQUENCE, der.encode_oid("1.2.3.4"), der.encode(der.BOOLEAN, b"\xff"), der.encode(der.OCTET_STRING)
)


@dataclass(frozen=True)
class Answer:
    """About a certificate; without a word of its own: good, from the token's day on for a week."""

    subject: Issued
    issuer: Issued
    signer: Issued | None = None
    """None: the issuer."""
    status: bytes = field(default=der.encode(der.context(0, constructed=False)))
    since: int = STAMPED_AT
    until: int | None = STAMPED_AT + 7 * DAY
    by_name: bool = False
    id_hash: str = "sha1"
    extensions: tuple[bytes, bytes] = (b"", b"")
    """Of the answer, and of what it says of the certificate."""
    certificates: Sequence[Issued] = ()

    def dump(self) -> bytes:
        """An OCSPResponse; the same bytes each time."""
        signer = self.signer or self.issuer
        named = load_certificate(signer.der)
        key_hash = hashlib.sha1(named.public_key_bits, usedforsecurity=False).digest()
        responder = (
            der.encode(der.context(1), named.subject)
            if self.by_name
            else der.encode(der.context(2), der.encode(der.OCTET_STRING, key_hash))
        )
        single = der.encode(
            der.SEQUENCE,
            self._identifier(),
            self.status,
            _time(self.since),
            b"" if self.until is None else der.encode(der.context(0), _time(self.until)),
            _extensions(self.extensions[1]),
        )
        body = der.encode(
            der.SEQUENCE,
            responder,
            _time(self.since),
            der.encode(der.SEQUENCE, single),
            _extensions(self.extensions[0]),
        )
        signature = signer.key.sign(body, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        given = b"".join(certificate.der for certificate in self.certificates)
        answer = der.encode(
            der.SEQUENCE,
            body,
            der.encode(der.SEQUENCE, der.encode_oid(_ECDSA_SHA256)),
            der.encode(der.BIT_STRING, b"\x00", signature),
            der.encode(der.context(0), der.encode(der.SEQUENCE, given)) if given else b"",
        )
        kind = der.encode_oid("1.3.6.1.5.5.7.48.1.1")
        inner = der.encode(der.SEQUENCE, kind, der.encode(der.OCTET_STRING, answer))
        return der.encode(der.SEQUENCE, der.encode(0x0A, b"\x00"), der.encode(der.context(0), inner))

    def _identifier(self) -> bytes:
        oid = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "md5": "1.2.840.113549.2.5"}
        subject, issuer = load_certificate(self.subject.der), load_certificate(self.issuer.der)
        digests = (
            hashlib.new(self.id_hash, data, usedforsecurity=False).digest()
            for data in (subject.issuer, issuer.public_key_bits)
        )
        return der.encode(
            der.SEQUENCE,
            der.encode(der.SEQUENCE, der.encode_oid(oid[self.id_hash]), der.encode(der.NULL)),
            *(der.encode(der.OCTET_STRING, digest) for digest in digests),
            der.encode_integer(subject.serial),
        )


def _time(at: int) -> bytes:
    return der.encode(der.GENERALIZED_TIME, moment(at).strftime("%Y%m%d%H%M%SZ").encode())


def _extensions(content: bytes) -> bytes:
    return der.encode(der.context(1), der.encode(der.SEQUENCE, content)) if content else b""


def _revoked(since: int, reason: int | None) -> bytes:
    said = b"" if reason is None else der.encode(der.context(0), der.encode(0x0A, bytes([reason])))
    return der.encode(der.context(1), _time(since), said)


_UNKNOWN = der.encode(der.context(2, constructed=False))


def answered(
    place: str = "values", change: Callable[[bytes], bytes] = lambda response: response, **options: Any
) -> Callable[[Setting], Bundle]:
    """A token with an answer about its authority, made so; `crls` or `values`: where it stands."""

    def build(s: Setting) -> Bundle:
        tsa = s.tsas[0]
        made = {name: value(s) if callable(value) else value for name, value in options.items()}
        response = change(Answer(**{"subject": tsa.signer, "issuer": tsa.root, **made}).dump())
        carried: dict[str, Any] = (
            {"crls": [in_crls(response)]} if place == "crls" else {"unsigned": [in_values(response)]}
        )
        return with_token(s, tsa.response(s.text(), STAMPED_AT, **carried))

    return build


def _responder(s: Setting, *, by: Issued | None = None, no_check: bool = True, **options: Any) -> Issued:
    more = [(x509.OCSPNoCheck(), False)] if no_check else []
    options = {
        "purposes": (ExtendedKeyUsageOID.OCSP_SIGNING,),
        "start": STAMPED_AT - DAY,
        "end": STAMPED_AT + 9 * DAY,
        **options,
    }
    s.stream.restart("responder")
    return issue("responder", p256(s.stream), by or s.tsas[0].root, more=more, **options)


def _named(**options: Any) -> dict[str, Any]:
    make = lambda s: _responder(s, **options)  # noqa: E731
    return {"signer": make, "certificates": lambda s: (make(s),)}


def _stranger(s: Setting) -> TestAuthority:
    """An authority of the same names under a root of its own."""
    s.stream.restart("stranger")
    name = s.tsas[0].name
    span = {"start": STAMPED_AT - YEAR, "end": STAMPED_AT + YEAR}
    root = issue(f"{name} root", p256(s.stream), None, **span, is_ca=True)  # type: ignore[arg-type]
    return TestAuthority(name, root, s.tsas[0].signer)


def cases() -> list[Case]:
    found = Cases("ocsp")
    found.passes("in-values", "an answer among the revocation values: not revoked", answered())
    found.passes("in-crls", "an answer among the lists: not revoked", answered("crls"))
    found.passes("by-name", "an answer that names its signer by name", answered(by_name=True))
    found.passes("sha256", "an answer that names the issuer by SHA-256", answered(id_hash="sha256"))
    found.passes("named-responder", "by a responder that the issuer named", answered(**_named()))
    found.passes(
        "a-list-in-values",
        "a revocation list among the revocation values",
        lambda s: with_token(
            s,
            s.tsas[0].response(
                s.text(), STAMPED_AT, unsigned=[in_values(lists=(s.tsas[0].crl(STAMPED_AT),))]
            ),
        ),
    )
    found.passes(
        "replaced-later",
        "the certificate was replaced after the token",
        answered(status=_revoked(STAMPED_AT + DAY, _SUPERSEDED)),
    )
    for place in ("values", "crls"):
        found.fails(
            f"revoked-in-{place}",
            f"an answer in {place} says that the certificate was replaced before the token",
            _CODE,
            answered(place, status=_revoked(STAMPED_AT - DAY, _SUPERSEDED)),
        )
    found.fails(
        "key-compromised",
        "an answer says that the key had been stolen, whenever",
        _CODE,
        answered(status=_revoked(STAMPED_AT + DAY, _COMPROMISE)),
    )
    found.fails(
        "no-reason", "revoked, and nobody says why", _CODE, answered(status=_revoked(STAMPED_AT + DAY, None))
    )

    def says_nothing(name: str, why: str, build: Callable[[Setting], Bundle]) -> None:
        found.passes(name, why, build, open=(_CODE,))

    says_nothing("unknown", "the responder does not know the certificate", answered(status=_UNKNOWN))
    says_nothing("out-of-date", "the answer ended before the token", answered(until=STAMPED_AT - 1))
    says_nothing(
        "earlier-without-an-end",
        "an answer of before the token that does not say how long it holds",
        answered(since=STAMPED_AT - 9, until=None),
    )
    says_nothing(
        "of-another-certificate",
        "a revoked certificate, but another one",
        answered(subject=lambda s: s.tsas[1].signer, status=_revoked(STAMPED_AT - DAY, _COMPROMISE)),
    )
    says_nothing(
        "issuer-by-md5", "the issuer is named by a digest that is not known", answered(id_hash="md5")
    )
    says_nothing(
        "by-an-issuer-of-the-same-name",
        "a stranger of the issuer's name says that the certificate was revoked",
        answered(
            issuer=lambda s: _stranger(s).root,
            by_name=True,
            status=_revoked(STAMPED_AT - DAY, _COMPROMISE),
        ),
    )
    for name, why, options in (
        (
            "for-anything",
            "a responder whose certificate is for any purpose",
            {"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)},
        ),
        (
            "not-for-answers",
            "a responder whose certificate is not for answers",
            {"purposes": (ExtendedKeyUsageOID.TIME_STAMPING,)},
        ),
        (
            "responder-to-be-asked-about",
            "a responder whose own revocation would have to be asked for",
            {"no_check": False},
        ),
        ("responder-ended", "a responder whose certificate had ended", {"end": STAMPED_AT - 1}),
    ):
        says_nothing(name, why, answered(**_named(**options)))
    says_nothing(
        "by-the-authority-itself",
        "an authority that says of itself that all is well",
        answered(signer=lambda s: s.tsas[0].signer),
    )
    says_nothing(
        "signature-changed",
        "the last byte of the signature is another",
        answered(change=lambda response: response[:-1] + bytes([response[-1] ^ 1])),
    )
    says_nothing("critical", "a critical extension that is not known", answered(extensions=(_CRITICAL, b"")))
    says_nothing(
        "critical-of-one",
        "a critical extension about the one certificate",
        answered(extensions=(b"", _CRITICAL)),
    )
    says_nothing(
        "try-later",
        "a responder that gives no answer",
        answered("crls", change=lambda _: der.encode(der.SEQUENCE, der.encode(0x0A, b"\x03"))),
    )
    malformed = "timestamp.token"
    found.passes(
        "cut",
        "an answer cut short: nobody's word",
        answered("crls", change=lambda response: response[:1] + b"\x03" + response[2:5]),
        open=(_CODE,),
    )
    found.passes(
        "empty",
        "an answer that says it is one and holds none: nobody's word",
        answered("crls", change=lambda _: der.encode(der.SEQUENCE, der.encode(0x0A, b"\x00"))),
        open=(_CODE,),
    )
    found.passes(
        "reason-that-does-not-exist",
        "a reason that no standard has: not an answer",
        answered(status=_revoked(STAMPED_AT - DAY, 7)),
        open=(_CODE,),
    )
    found.passes(
        "none-of-three",
        "neither good nor revoked nor unknown: not an answer",
        answered(status=der.encode(der.context(3))),
        open=(_CODE,),
    )
    found.fails("too-many", "more than sixteen answers", malformed, _seventeen)
    return found.all


def _seventeen(s: Setting) -> Bundle:
    tsa = s.tsas[0]
    responses = [Answer(tsa.signer, tsa.root, since=STAMPED_AT - number).dump() for number in range(17)]
    return with_token(s, tsa.response(s.text(), STAMPED_AT, unsigned=[in_values(*responses)]))
