"""Time-stamp tokens and the authorities that made them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.algorithms import find_hash
from mizheng.verifier.trust import Trust

from tests.support.tsa import DAY, YEAR, Issued, TestAuthority, issue

from .case import Bundle, Case, Cases
from .keys import rsa_key
from .setting import (
    STAMPED_AT,
    TEXT,
    TOKEN,
    Members,
    Setting,
    p256,
)

_SHA512 = find_hash("sha512")
_LATER = format_instant(STAMPED_AT + 3 * YEAR)
_MUCH_LATER = format_instant(STAMPED_AT + 5 * YEAR)


def cases() -> list[Case]:
    return [*_sound(), *_tokens(), *_authorities()]


def with_token(s: Setting, response: bytes, text: bytes | None = None) -> Members:
    return {**s.small, TOKEN: response, TEXT: s.text() if text is None else text}


def stamped(**options: Any) -> Callable[[Setting], Bundle]:
    """A token of the first authority, made so."""
    return lambda s: with_token(s, s.tsas[0].response(s.text(), STAMPED_AT, **options))


def _sound() -> list[Case]:
    found = Cases("token")
    found.passes(
        "sha512", "imprint and signature with SHA-512", stamped(imprint_hash="sha512", digest="sha512")
    )
    found.passes("without-accuracy", "a token that does not say how accurate it is", stamped(accuracy=None))
    found.passes(
        "fractions",
        "a time with fractions of a second and an accuracy with micros",
        lambda s: with_token(s, s.tsas[0].response(s.text(), STAMPED_AT + 0.25, accuracy=(1, 500, 250))),
    )
    found.passes(
        "rsa", "an authority that signs with RSA, PKCS #1 v1.5", by_rsa(), trust=trusting(rsa_authority)
    )
    found.passes(
        "intermediate",
        "a certificate between the authority's and the root",
        by_intermediate,
        trust=trusting(below_ca),
    )
    found.passes(
        "not-revoked",
        "the token carries a list by which nothing was revoked",
        lambda s: with_token(s, s.tsas[0].response(s.text(), STAMPED_AT, crls=[s.tsas[0].crl(STAMPED_AT)])),
    )
    return found.all


def _tokens() -> list[Case]:
    found = Cases("token")

    def fails(name: str, why: str, code: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, code, build)

    whole, imprint = "timestamp.token", "timestamp.imprint"
    fails("half-a-pair", "a token without the text that it is over", imprint, lambda s: left_out(s, TEXT))
    fails("text-alone", "a text without its token", whole, lambda s: left_out(s, TOKEN))
    fails(
        "of-another-text",
        "a token over something else",
        imprint,
        lambda s: with_token(s, s.tsas[0].response(b"something else", STAMPED_AT)),
    )
    fails("text-changed", "another text beside the token", imprint, lambda s: {**s.small, TEXT: s.text(4)})
    fails(
        "of-another-size",
        "a token over a checkpoint for which the bundle proves nothing",
        imprint,
        lambda s: with_token(s, s.tsas[0].response(s.text(4), STAMPED_AT), s.text(4)),
    )
    fails("of-another-root", "a token over another root of the same size", imprint, other_root)
    fails(
        "not-a-checkpoint",
        "a token over a text that is no checkpoint",
        imprint,
        lambda s: with_token(s, s.tsas[0].response(b"hello\n", STAMPED_AT), b"hello\n"),
    )
    fails("of-the-note", "a token over the signed note instead of its text", imprint, of_the_note)
    fails(
        "bit-of-the-signature",
        "the last byte of the token is another",
        whole,
        lambda s: {**s.small, TOKEN: s.small[TOKEN][:-1] + bytes([s.small[TOKEN][-1] ^ 1])},
    )
    fails(
        "time-changed",
        "the time in the token was changed",
        whole,
        lambda s: {**s.small, TOKEN: s.small[TOKEN].replace(b"20261123030000Z", b"20201123030000Z")},
    )
    fails("cut", "a token cut short", whole, lambda s: {**s.small, TOKEN: s.small[TOKEN][:-40]})
    fails("longer", "bytes after the token", whole, lambda s: {**s.small, TOKEN: s.small[TOKEN] + b"\0"})
    fails("empty", "a token of no bytes", whole, lambda s: {**s.small, TOKEN: b""})
    fails(
        "refused-by-the-authority",
        "the answer of an authority that refused",
        whole,
        lambda s: {**s.small, TOKEN: bytes.fromhex("30053003020102")},
    )
    found.stays_open(
        "sha1-imprint", "an imprint with SHA-1, which counts for nothing", whole, stamped(imprint_hash="sha1")
    )
    found.stays_open(
        "sha1-signature",
        "a signature over SHA-1, which counts for nothing",
        whole,
        lambda s: with_token(s, rsa_authority(s).response(s.text(), STAMPED_AT, digest="sha1")),
    )
    fails("no-digest-attribute", "no message digest is signed", whole, stamped(without=("digest",)))
    fails("no-binding", "the signing certificate is not bound", whole, stamped(without=("binding",)))
    fails(
        "bound-to-another",
        "another certificate is bound than the one that signed",
        whole,
        stamped(binding=bytes(32)),
    )
    fails(
        "other-content", "a CMS message that is no token", whole, stamped(content_type="1.2.840.113549.1.7.1")
    )
    found.passes(
        "certificate-of-another-kind",
        "a further certificate in the token with a key of a kind to come: nothing rests on it",
        lambda s: with_token(
            s,
            s.tsas[0].response(
                s.text(), STAMPED_AT, certificates=(s.tsas[0].signer.der, of_another_kind(s.tsas[1]))
            ),
        ),
    )
    fails(
        "certificate-changed",
        "the signing certificate was changed, its key is of no known kind: not the one that is named",
        whole,
        lambda s: with_token(
            s, s.tsas[0].response(s.text(), STAMPED_AT, certificates=(of_another_kind(s.tsas[0]),))
        ),
    )
    found.stays_open("signer-of-another-kind", "the signing key is of a kind to come", whole, by_another_kind)
    fails(
        "certificate-cut",
        "the signing certificate is cut short",
        whole,
        lambda s: with_token(
            s,
            s.tsas[0].response(
                s.text(), STAMPED_AT, certificates=(der.encode(der.SEQUENCE, s.tsas[0].signer.der[4:90]),)
            ),
        ),
    )
    found.passes(
        "lookalike",
        "before the signer's certificate another that calls itself the same",
        beside_a_lookalike,
    )
    found.stays_open(
        "name-that-is-none",
        "an authority whose name is not UTF-8: it is one that the trust file does not know",
        "timestamp.authority",
        by_no_name,
    )
    found.stays_open(
        "unreadable-between",
        "the CA below the root cannot be read: no chain leads to the root",
        "timestamp.authority",
        lambda s: by_intermediate(s, unreadable=True),
        trust=trusting(below_ca),
    )
    fails("no-certificate", "the signing certificate is not in the token", whole, stamped(certificates=()))
    return found.all


def of_another_kind(tsa: TestAuthority) -> bytes:
    """The authority's certificate with a key of a kind that nobody knows."""
    ec_key = bytes.fromhex("06072a8648ce3d0201")
    assert ec_key in tsa.signer.der
    return tsa.signer.der.replace(ec_key, ec_key[:-1] + b"\x7f")


def left_out(s: Setting, name: str) -> Members:
    return {key: data for key, data in s.small.items() if key != name}


def other_root(s: Setting) -> Members:
    origin, size, _, _ = s.text().split(b"\n")
    text = b"\n".join([origin, size, b"A" * 43 + b"=", b""])
    return with_token(s, s.tsas[0].response(text, STAMPED_AT), text)


def of_the_note(s: Setting) -> Members:
    note = s.world.checkpoint_note(5)
    return with_token(s, s.tsas[0].response(note, STAMPED_AT))


def _authorities() -> list[Case]:
    found = Cases("authority")
    code = "timestamp.authority"

    def opens(
        name: str, why: str, build: Callable[[Setting], Bundle], trust: Callable[[Setting], Trust]
    ) -> None:
        found.stays_open(name, why, code, build, trust=trust)

    small: Callable[[Setting], Bundle] = lambda s: s.small  # noqa: E731
    opens("unknown", "an authority that the trust file does not know", small, lambda s: s.trust(tsas=()))
    opens(
        "another",
        "the trust file knows another authority",
        small,
        lambda s: s.trust(tsas=(s.tsas[1].trusted(),)),
    )
    opens(
        "other-policy",
        "the authority is believed under another policy",
        small,
        changed(policies=("1.2.3.4",)),
    )
    opens(
        "other-certificate",
        "the authority is believed with another certificate",
        small,
        changed(certificates=frozenset({"00" * 32})),
    )
    opens(
        "last-time",
        "a token after the last time up to which the authority is believed",
        small,
        changed(last_time=STAMPED_AT - 1),
    )
    opens(
        "retired-hash",
        "the hash of the token was retired before it was made",
        small,
        lambda s: s.trust(retired_hashes={"sha256": STAMPED_AT - DAY}),
    )
    found.fails(
        "certificate-ended",
        "a token of after the end of its authority's certificate",
        "timestamp.token",
        lambda s: with_token(s, s.tsas[0].response(s.text(), STAMPED_AT + 2 * YEAR + 9)),
    )
    found.fails(
        "certificate-not-begun",
        "a token of before its authority's certificate",
        "timestamp.token",
        lambda s: with_token(s, s.tsas[0].response(s.text(), STAMPED_AT - 2 * DAY)),
    )
    found.fails(
        "no-time-stamping", "a certificate that is not for time stamps", "timestamp.token", not_for_stamps
    )
    found.stays_open("forged-root", "a chain of one's own under the authority's names", code, forged_chain)
    revoked = "timestamp.revocation"
    found.fails(
        "revoked",
        "a list says that the certificate was revoked before the token",
        revoked,
        lambda s: by_revoked(s, STAMPED_AT - DAY, x509.ReasonFlags.superseded),
    )
    found.fails(
        "key-compromised",
        "a list says that the key had been stolen, whenever",
        revoked,
        lambda s: by_revoked(s, STAMPED_AT + DAY, x509.ReasonFlags.key_compromise),
    )
    found.passes(
        "revoked-after",
        "a certificate that was replaced after the token",
        lambda s: by_revoked(s, STAMPED_AT + DAY, x509.ReasonFlags.superseded),
    )
    return found.all


def changed(**changes: Any) -> Callable[[Setting], Trust]:
    return lambda s: s.trust(tsas=(s.tsas[0].trusted(**changes),))


def trusting(make: Callable[[Setting], TestAuthority]) -> Callable[[Setting], Trust]:
    return lambda s: s.trust(tsas=(make(s).trusted(),))


def rsa_authority(s: Setting) -> TestAuthority:
    return _below_root(s, "TSA RSA", rsa_key())


def _below_root(s: Setting, name: str, key: Any, **options: Any) -> TestAuthority:
    s.stream.restart(name)
    root = issue(
        f"{name} root", p256(s.stream), None, start=STAMPED_AT - YEAR, end=STAMPED_AT + 30 * YEAR, is_ca=True
    )
    purposes = options.pop("purposes", (ExtendedKeyUsageOID.TIME_STAMPING,))
    signer = issue(
        name, key, root, start=STAMPED_AT - DAY, end=STAMPED_AT + YEAR, purposes=purposes, **options
    )
    return TestAuthority(name, root, signer)


def by_rsa() -> Callable[[Setting], Bundle]:
    return lambda s: with_token(s, rsa_authority(s).response(s.text(), STAMPED_AT))


def below_ca(s: Setting) -> TestAuthority:
    name = "TSA below a CA"
    top = _below_root(s, name, p256(s.stream)).root
    between = issue(
        f"{name} CA",
        p256(s.stream),
        top,
        start=STAMPED_AT - DAY,
        end=STAMPED_AT + 9 * YEAR,
        is_ca=True,
        path_length=0,
    )
    signer = issue(
        name,
        p256(s.stream),
        between,
        start=STAMPED_AT - DAY,
        end=STAMPED_AT + YEAR,
        purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
    )
    return TestAuthority(name, top, signer, (between,))


def by_intermediate(s: Setting, *, unreadable: bool = False) -> Members:
    """`unreadable`: the point of the CA's key is on no curve."""
    authority = below_ca(s)
    (between,) = authority.between
    key = between.key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    ca = between.der.replace(key, key[:-1] + bytes([key[-1] ^ 1])) if unreadable else between.der
    return with_token(s, authority.response(s.text(), STAMPED_AT, certificates=(authority.signer.der, ca)))


def by_another_kind(s: Setting) -> Members:
    """The signature names the very certificate that is not understood."""
    other = of_another_kind(s.tsas[0])
    binding = hashlib.sha256(other).digest()
    return with_token(s, s.tsas[0].response(s.text(), STAMPED_AT, certificates=(other,), binding=binding))


def beside_a_lookalike(s: Setting) -> Members:
    """With the signer's names and serial number, by nobody."""
    tsa = s.tsas[0]
    key = p256(s.stream)
    own, other = (
        item.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        for item in (tsa.signer.key, key)
    )
    lookalike = tsa.signer.der.replace(own, other)
    # The set is sorted: one of the two comes first, whichever is made so.
    assert lookalike != tsa.signer.der
    return with_token(s, tsa.response(s.text(), STAMPED_AT, certificates=(tsa.signer.der, lookalike)))


def by_no_name(s: Setting) -> Members:
    """A stranger's token; his certificate has bytes for a name that are no text."""
    made = _below_root(s, "TSA of none", p256(s.stream))
    patched = made.signer.der.replace(b"TSA of none", b"TSA of \xff\xfe\xfd\xfc")
    signer = Issued(made.signer.key, x509.load_der_x509_certificate(patched))
    return with_token(s, TestAuthority("stranger", made.root, signer).response(s.text(), STAMPED_AT))


def not_for_stamps(s: Setting) -> Members:
    made = _below_root(s, "TSA 1", p256(s.stream), purposes=(ExtendedKeyUsageOID.SERVER_AUTH,))
    return with_token(s, made.response(s.text(), STAMPED_AT))


def forged_chain(s: Setting) -> Members:
    return with_token(s, _below_root(s, "TSA 1", p256(s.stream)).response(s.text(), STAMPED_AT))


def by_revoked(s: Setting, since: int, reason: x509.ReasonFlags) -> Members:
    tsa = s.tsas[0]
    serial = tsa.signer.certificate.serial_number
    crl = tsa.crl(STAMPED_AT + 2 * DAY, {serial: (since, reason)})
    return with_token(s, tsa.response(s.text(), STAMPED_AT, crls=[crl]))
