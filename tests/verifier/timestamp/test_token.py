"""Tokens of every algorithm are read, as openssl reads them; every broken one is refused, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.errors import FormatError, MizhengError, ProofError, SignatureError, VersionError
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.algorithms import SHA256
from mizheng.verifier.timestamp.cms import add_revocation
from mizheng.verifier.timestamp.token import Token, dump_request, dump_response, parse_response, parse_token

from tests.support.opensslts import OpensslAuthority, verify_with_openssl
from tests.support.tsa import DAY, YEAR, TestAuthority, issue, make_authority, make_key
from tests.verifier.timestamp.conftest import AT

TEXT = b"log.example/2026\n12\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n"


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_reads_what_openssl_reads(kind: str, digest: str, tmp_path: Path) -> None:
    made = make_authority(start=AT - YEAR, end=AT + YEAR, kind=kind, with_intermediate=True)
    response = made.response(TEXT, AT, imprint_hash=digest, digest=digest, binding_hash=digest)
    token = parse_token(parse_response(response))
    token.require_over(TEXT)
    assert (token.at, token.hash.name, token.signed.digest.name, token.policy) == (
        AT,
        digest,
        digest,
        made.policy,
    )
    between = made.between[0].pem
    result = verify_with_openssl(response, TEXT, made.root.pem, tmp_path, at=AT, between=between)
    assert result.returncode == 0, result.stderr
    assert (
        verify_with_openssl(response, b"other", made.root.pem, tmp_path, at=AT, between=between).returncode
        != 0
    )


def test_reads_pss_and_ed25519() -> None:
    """openssl ts of version 3.0 makes and reads neither; RFC 4055 and RFC 8419 say how they are written."""
    for kind, options in (("rsa", {"pss": True}), ("ed25519", {"digest": "sha512"})):
        made = make_authority(start=AT - YEAR, end=AT + YEAR, kind=kind)
        parse_token(made.token(TEXT, AT, **options)).require_over(TEXT)


@pytest.mark.parametrize(("kind", "digest"), [("rsa", "sha256"), ("p256", "sha512")])
def test_openssl_authority(kind: str, digest: str, tmp_path: Path) -> None:
    """Asked as the notary asks it, and read by both."""
    with OpensslAuthority(f"{kind} {digest}", kind=kind, digest=digest) as server:
        request = dump_request(SHA256, SHA256.digest(TEXT), 2**63 + 5, f"{server.policy}.2")
        response = server.reply(request)
        token = parse_token(parse_response(response))
        assert token.nonce == 2**63 + 5
        assert token.policy == f"{server.policy}.2"
        assert token.accuracy == 1_000_000
        assert verify_with_openssl(response, TEXT, server.roots.read_bytes(), tmp_path).returncode == 0
        # And in the form in which it is kept.
        kept = dump_response(token.encoded)
        assert verify_with_openssl(kept, TEXT, server.roots.read_bytes(), tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("at", "accuracy", "latest"),
    [
        (AT, None, AT),
        (AT, (1,), AT + 1),
        (AT, (None, 1), AT + 1),
        (AT + 0.5, None, AT + 1),
        (AT + 0.25, (None, 750), AT + 1),
        (AT + 0.25, (None, 750, 1), AT + 2),
        (AT, (59, 999, 999), AT + 60),
    ],
)
def test_latest_time_is_rounded_up(
    authority: TestAuthority, at: float, accuracy: tuple[int, ...], latest: int
) -> None:
    assert parse_token(authority.token(TEXT, at, accuracy=accuracy)).latest == latest


def test_over_something_else(authority: TestAuthority) -> None:
    token = parse_token(authority.token(TEXT, AT))
    with pytest.raises(ProofError, match="not over"):
        token.require_over(TEXT + b"\n")


BROKEN: list[tuple[str, dict[str, object], type[MizhengError], str]] = [
    ("bound to another certificate", {"binding": b"\1" * 32}, ProofError, "another certificate"),
    ("bound to none", {"without": ("binding",)}, ProofError, "attribute is missing"),
    ("digest of nothing", {"without": ("digest",)}, ProofError, "attribute is missing"),
    ("content of no type", {"without": ("content",)}, ProofError, "attribute is missing"),
    ("no certificate inside", {"certificates": ()}, ProofError, "does not carry"),
    ("not a token", {"content_type": "1.2.840.113549.1.7.1"}, FormatError, "not a time-stamp token"),
    ("SHA-1 imprint", {"imprint_hash": "sha1"}, VersionError, "no longer safe"),
    ("SHA-1 digest", {"digest": "sha1", "signer": "rsa"}, VersionError, "no longer safe"),
    ("SHA-1 binding", {"binding_hash": "sha1"}, VersionError, "no longer safe"),
    ("short imprint", {"imprint": b"\1" * 31}, FormatError, "as long as its hash"),
    ("accuracy of a week", {"accuracy": (7 * DAY,)}, FormatError, "accuracy"),
    ("negative accuracy", {"accuracy": (-1,)}, FormatError, "accuracy"),
    ("1000 milliseconds", {"accuracy": (None, 1000)}, FormatError, "accuracy"),
]


@pytest.mark.parametrize(("name", "options", "kind", "says"), BROKEN, ids=[row[0] for row in BROKEN])
def test_broken(
    authority: TestAuthority, name: str, options: dict[str, object], kind: type[MizhengError], says: str
) -> None:
    if options.get("signer") == "rsa":
        made = make_authority(start=AT - YEAR, end=AT + YEAR, kind="rsa")
        options = {**options, "signer": made.signer, "certificates": (made.signer.der,)}
    with pytest.raises(kind, match=says):
        parse_token(authority.token(TEXT, AT, **options))


PURPOSES = [
    ("no purpose", None, True, ()),
    ("not critical", (ExtendedKeyUsageOID.TIME_STAMPING,), False, ()),
    ("another one", (ExtendedKeyUsageOID.CODE_SIGNING,), True, ()),
    ("one more", (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING), True, ()),
]


@pytest.mark.parametrize(("name", "purposes", "critical", "more"), PURPOSES, ids=[row[0] for row in PURPOSES])
def test_certificate_is_for_time_stamps_alone(
    name: str,
    purposes: tuple[x509.ObjectIdentifier, ...] | None,
    critical: bool,
    more: tuple[object, ...],
    tmp_path: Path,
) -> None:
    made = make_authority(start=AT - YEAR, end=AT + YEAR, purposes=purposes, is_critical=critical)
    response = made.response(TEXT, AT)
    with pytest.raises(ProofError, match="for time stamps alone"):
        parse_token(parse_response(response))
    # openssl agrees: it is not only we who are strict.
    assert verify_with_openssl(response, TEXT, made.root.pem, tmp_path, at=AT).returncode != 0


def test_key_that_is_not_for_signing() -> None:
    usage = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
    made = make_authority(start=AT - YEAR, end=AT + YEAR, more=((usage, True),))
    with pytest.raises(ProofError, match="not for signing"):
        parse_token(made.token(TEXT, AT))


def test_short_rsa_key() -> None:
    made = make_authority(start=AT - YEAR, end=AT + YEAR, kind="rsa-1024")
    with pytest.raises(ProofError, match="1024 bits"):
        parse_token(made.token(TEXT, AT))


@pytest.mark.parametrize("at", [AT - YEAR - 1, AT + YEAR + 1])
def test_made_while_its_certificate_was_not_valid(authority: TestAuthority, at: int) -> None:
    with pytest.raises(ProofError, match="not valid"):
        parse_token(authority.token(TEXT, at))


def test_certificate_exchanged_for_another_of_the_same_key(authority: TestAuthority) -> None:
    """Longer valid, same name, number and key: only the binding tells them apart."""
    again = issue(
        authority.name,
        authority.signer.key,
        authority.between[0],
        start=AT - YEAR,
        end=AT + YEAR,
        purposes=(ExtendedKeyUsageOID.TIME_STAMPING,),
        more=((x509.SubjectAlternativeName([x509.DNSName("again.example")]), False),),
    )
    assert again.certificate.serial_number == authority.signer.certificate.serial_number
    token = authority.token(TEXT, AT, certificates=(again.der, authority.between[0].der))
    with pytest.raises(ProofError, match="another certificate"):
        parse_token(token)


def test_signature_of_another_key(authority: TestAuthority) -> None:
    class Liar:
        """Names the authority's certificate and signs with a key of his own."""

        key = make_key("p256", 99)
        der = authority.signer.der

    with pytest.raises(SignatureError):
        parse_token(authority.token(TEXT, AT, signer=Liar(), certificates=(authority.signer.der,)))


def test_attribute_that_stands_there_twice(authority: TestAuthority) -> None:
    digest = der.encode(der.SET, der.encode(der.OCTET_STRING, b"\1" * 32))
    attribute = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.113549.1.9.4"), digest)
    with pytest.raises(FormatError, match="twice"):
        parse_token(authority.token(TEXT, AT, attributes=(attribute,)))


def test_critical_extension(authority: TestAuthority) -> None:
    extension = der.encode(
        der.SEQUENCE,
        der.encode_oid("1.2.3.4"),
        der.encode(der.BOOLEAN, b"\xff"),
        der.encode(der.OCTET_STRING, b""),
    )
    with pytest.raises(VersionError, match=r"1\.2\.3\.4"):
        parse_token(authority.token(TEXT, AT, extensions=der.encode(der.context(1), extension)))


@pytest.mark.parametrize("status", [2, 3, 4, 5, -1])
def test_refusal_is_no_token(authority: TestAuthority, status: int) -> None:
    token = authority.token(TEXT, AT)
    answer = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_integer(status)), token)
    with pytest.raises(ProofError, match="granted no token"):
        parse_response(answer)


def test_no_token_in_the_answer() -> None:
    with pytest.raises(FormatError):
        parse_response(der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_integer(0))))


def facts(token: Token) -> tuple[object, ...]:
    return (
        token.policy,
        token.hash,
        token.imprint,
        token.serial,
        token.generated,
        token.accuracy,
        token.signer.encoded,
    )


def test_every_flipped_bit(authority: TestAuthority) -> None:
    """Whatever is still read says the same, by the same certificate: what nobody signed carries nothing."""
    made = make_authority(start=AT - YEAR, end=AT + YEAR)
    response = made.response(TEXT, AT)
    expected = facts(parse_token(parse_response(response)))
    still_read = 0
    for place in range(len(response)):
        for bit in range(8):
            changed = response[:place] + bytes([response[place] ^ 1 << bit]) + response[place + 1 :]
            try:
                found = parse_token(parse_response(changed))
            except MizhengError:
                continue
            assert facts(found) == expected, (place, bit)
            still_read += 1
    # "granted with modifications", and the version of CMS 5 instead of 3 is not one bit away.
    assert still_read <= 2


def test_every_cut(authority: TestAuthority) -> None:
    response = authority.response(TEXT, AT)
    for length in range(len(response)):
        with pytest.raises(MizhengError):
            parse_token(parse_response(response[:length]))
    with pytest.raises(MizhengError):
        parse_response(response + b"\0")


def test_revocation_lists_are_added_without_touching_the_signature(
    authority: TestAuthority, tmp_path: Path
) -> None:
    lists = [authority.crl(AT), authority.crl(AT, by=authority.root)]
    token = parse_token(add_revocation(authority.token(TEXT, AT), lists))
    assert len(token.signed.revocation.lists) == 2
    assert add_revocation(token.encoded, lists) == token.encoded
    result = verify_with_openssl(
        dump_response(token.encoded),
        TEXT,
        authority.root.pem,
        tmp_path,
        at=AT,
        between=authority.between[0].pem,
    )
    assert result.returncode == 0, result.stderr
