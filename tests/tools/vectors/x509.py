"""X.509 certificates that name the depositor: whose, for which key, until when, and whether revoked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.authority import Authority
from mizheng.verifier.timestamp.x509 import load_certificate
from mizheng.verifier.trust import Trust

from tests.support.tsa import DAY, YEAR, Issued, TestAuthority, issue, moment

from .answers import Answer
from .case import Case, Cases
from .setting import STAMPED_AT, Members, Setting, ordered, p256

_CODE = "depositor.x509"
_DISTRIBUTION_POINT = x509.ObjectIdentifier("2.5.29.28")
_NO_SIGNING = x509.KeyUsage(False, False, False, False, True, False, False, False, False)
_START, _END = STAMPED_AT - YEAR, STAMPED_AT + YEAR


def _key(name: str) -> ec.EllipticCurvePrivateKey:
    """The same in every vector, so that one trust file serves them all."""
    digest = hashlib.sha256(f"mizheng vectors x509 {name}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest[:31], "big"), ec.SECP256R1())


@dataclass(frozen=True)
class Licensed:
    """A CA with one below it, which names companies."""

    root: Issued
    between: Issued

    @property
    def trusted(self) -> Authority:
        return Authority("示例证书机构", (load_certificate(self.root.der),))

    def name(self, s: Setting, **changes: Any) -> Issued:
        """A certificate of the depositor's own key, or what the changes make of it."""
        company = s.acme
        values: dict[str, Any] = {
            "name": company.name.name,
            "key": company.key._key,
            "start": _START,
            "end": _END,
            "organization": company.name.name,
            **changes,
        }
        return issue(values.pop("name"), values.pop("key"), self.between, **values)

    def lists(self, revoked: Mapping[int, tuple[int, x509.ReasonFlags | None]] | None = None) -> list[bytes]:
        """Lists of both CAs of the day after the token: the root's, and one in which these are revoked."""
        maker = TestAuthority("", self.root, self.between)
        at = STAMPED_AT + DAY
        return [maker.crl(at), maker.crl(at, revoked, by=self.between)]


def licensed(**changes: Any) -> Licensed:
    root = issue(
        "示例证书机构根证书", _key("root"), None, start=_START - DAY, end=_END + 30 * YEAR, is_ca=True
    )
    # Many CAs say of those below them what they may be for.
    values: dict[str, Any] = {
        "is_ca": True,
        "path_length": 0,
        "purposes": (ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CLIENT_AUTH),
        "is_critical": False,
        **changes,
    }
    return Licensed(root, issue("示例证书机构", _key("ca"), root, start=_START - DAY, end=_END, **values))


def trusting(s: Setting) -> Trust:
    return s.trust(cas=(licensed().trusted,))


def enclosing(s: Setting, *members: bytes, base: Members | None = None) -> Members:
    named = {f"x509/{number:04}.der": data for number, data in enumerate(members, 1)}
    return ordered({**(base or s.small), **named})


def named(**changes: Any) -> Callable[[Setting], Members]:
    """The chain and both lists, with such a certificate."""

    def build(s: Setting) -> Members:
        ca = licensed()
        return enclosing(s, ca.name(s, **changes).der, ca.between.der, *ca.lists())

    return build


def revoked(since: int, reason: x509.ReasonFlags | None) -> Callable[[Setting], Members]:
    def build(s: Setting) -> Members:
        ca = licensed()
        leaf = ca.name(s)
        lists = ca.lists({leaf.certificate.serial_number: (since, reason)})
        return enclosing(s, leaf.der, ca.between.der, *lists)

    return build


def by_answer(s: Setting) -> Members:
    ca = licensed()
    leaf = ca.name(s)
    answer = Answer(leaf, ca.between).dump()
    return enclosing(s, leaf.der, ca.between.der, ca.lists()[0], answer)


def part(*places: int) -> Callable[[Setting], Members]:
    """Of certificate, CA below the root, list of the root, list of the other: these."""

    def build(s: Setting) -> Members:
        ca = licensed()
        whole = [ca.name(s).der, ca.between.der, *ca.lists()]
        return enclosing(s, *(whole[place] for place in places))

    return build


def undated(s: Setting) -> Members:
    members = {name: data for name, data in s.small.items() if not name.startswith("timestamps/")}
    ca = licensed()
    return enclosing(s, ca.name(s).der, ca.between.der, *ca.lists(), base=members)


def damaged(s: Setting) -> Members:
    ca = licensed()
    leaf = ca.name(s).der
    return enclosing(s, leaf[:-1] + bytes([leaf[-1] ^ 1]), ca.between.der, *ca.lists())


def below_no_ca(s: Setting) -> Members:
    ca = licensed(is_ca=False, path_length=None)
    return enclosing(s, ca.name(s).der, ca.between.der, *ca.lists())


def renamed(*parts: bytes) -> Callable[[Setting], Members]:
    """A certificate that the CA signed, whose common name is this string: tag and content."""

    def build(s: Setting) -> Members:
        ca = licensed()
        place = b"placeholder"
        made = ca.name(s, name=place.decode(), organization=None).der
        (tbs, algorithm, _) = der.parse(made).reader().rest()
        old = der.encode(0x0C, place)
        names = [field for field in tbs.reader().rest() if old in field.encoded and field.tag == der.SEQUENCE]
        subject = names[0].encoded
        attribute = der.encode(der.SEQUENCE, der.encode_oid("2.5.4.3"), *parts)
        changed = der.encode(der.SEQUENCE, der.encode(der.SET, attribute))
        body = der.encode(
            der.SEQUENCE,
            *(changed if field.encoded == subject else field.encoded for field in tbs.reader().rest()),
        )
        signature = ca.between.key.sign(body, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        leaf = der.encode(der.SEQUENCE, body, algorithm.encoded, der.encode(der.BIT_STRING, b"\0", signature))
        return enclosing(s, leaf, ca.between.der, *ca.lists())

    return build


def with_nonsense_list(s: Setting) -> Members:
    """Beside the true ones a list that nobody signed, whose extensions cannot be read."""
    ca = licensed()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.between.certificate.subject)
        .last_update(moment(STAMPED_AT + 2 * DAY))
        .next_update(moment(STAMPED_AT + 9 * DAY))
        .add_extension(x509.UnrecognizedExtension(_DISTRIBUTION_POINT, b"\x05\x00"), critical=True)
    )
    forged = builder.sign(_key("nobody"), hashes.SHA256(), ecdsa_deterministic=True)
    listed = forged.public_bytes(serialization.Encoding.DER)
    return enclosing(s, ca.name(s).der, ca.between.der, *ca.lists(), listed)


def trusting_old_and_new(s: Setting) -> Trust:
    """The same CA twice: its root that ended long ago, and the one of today."""
    ca = licensed()
    old = issue(
        "示例证书机构根证书", _key("root"), None, start=_START - 9 * YEAR, end=_START - 8 * YEAR, is_ca=True
    )
    return s.trust(cas=(Authority("旧根", (load_certificate(old.der),)), ca.trusted))


_NAME = "武汉示例科技有限公司"


def cases() -> list[Case]:
    reasons = x509.ReasonFlags
    found = Cases("x509", trust=trusting)
    found.passes("sound", "a certificate that names the depositor, with its chain and both lists", named())
    found.passes("by-an-answer", "an OCSP response in the place of a list", by_answer)
    found.passes("by-common-name", "the name stands as a common name alone", named(organization=None))
    found.passes(
        "ended-since", "the certificate ended after the time that is proven", named(end=STAMPED_AT + DAY)
    )
    found.passes(
        "superseded-since",
        "revoked after the proven time, as another took its place",
        revoked(STAMPED_AT + 60, reasons.superseded),
    )
    found.passes(
        "unknown-authority",
        "named by a CA that the trust file does not know",
        named(),
        open=(_CODE,),
        trust="observers",
    )
    found.passes("without-lists", "nothing says whether it was revoked", part(0, 1), open=(_CODE,))
    found.passes(
        "one-list-only",
        "nothing says whether the CA below the root was revoked",
        part(0, 1, 3),
        open=(_CODE,),
    )
    found.passes("without-chain", "the CA below the root is missing", part(0, 2, 3), open=(_CODE,))
    found.passes("bmp-name", "the name as a BMPString", renamed(der.encode(0x1E, _NAME.encode("utf-16-be"))))
    found.passes(
        "nonsense-list", "a list beside the others that nobody signed and nobody can read", with_nonsense_list
    )
    found.passes(
        "old-root-first",
        "of a CA's two roots the first ended long ago",
        named(),
        trust=trusting_old_and_new,
    )
    found.passes("damaged", "no authority signed the certificate as it stands", damaged, open=(_CODE,))
    found.stays_open("undated", "nothing proves a time at which to judge it", _CODE, undated)
    for name, why, build in (
        ("another-key", "a certificate of another key", lambda s: named(key=p256(s.stream))(s)),
        (
            "another-name",
            "a certificate of the same key that names another",
            named(name="x", organization="x"),
        ),
        (
            "longer-name",
            "a name that only begins as the depositor's",
            named(name="x", organization="武汉示例科技有限公司分公司"),
        ),
        (
            "teletex-name",
            "the name as a string of a type that is read in two ways",
            renamed(der.encode(0x14, _NAME.encode())),
        ),
        ("bit-string-name", "a name that is no text", renamed(der.encode(der.BIT_STRING, b"\0abc"))),
        (
            "marked-name",
            "the name behind a byte order mark",
            renamed(der.encode(0x1E, ("\ufeff" + _NAME).encode("utf-16-be"))),
        ),
        ("not-yet", "the certificate began after the proven time", named(start=STAMPED_AT + DAY)),
        ("ended-before", "the certificate ended before the proven time", named(end=STAMPED_AT - DAY)),
        ("not-for-signing", "its key is not for signatures", named(more=((_NO_SIGNING, True),))),
        (
            "revoked-before",
            "revoked before the time that is proven",
            revoked(STAMPED_AT - DAY, reasons.superseded),
        ),
        (
            "compromised-since",
            "revoked later, as the key was stolen",
            revoked(STAMPED_AT + 60, reasons.key_compromise),
        ),
        ("below-no-ca", "issued by a certificate that may issue none", below_no_ca),
        ("list-first", "a list stands where the certificate should", part(3, 0, 1, 2)),
        ("nonsense", "a member that is no X.509 at all", lambda s: enclosing(s, b"\x30\x03\x02\x01\x01")),
        (
            "too-many",
            "more members than a chain can need",
            lambda s: enclosing(s, *[licensed().between.der] * 25),
        ),
    ):
        found.fails(name, why, _CODE, build)
    return found.all
