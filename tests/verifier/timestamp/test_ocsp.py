"""Revocation by OCSP answers that a token carries: made by openssl, in either of the two places."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.errors import FormatError, LimitError, ProofError, TrailingBytesError
from mizheng.verifier.timestamp import der
from mizheng.verifier.timestamp.authority import judge
from mizheng.verifier.timestamp.cms import add_revocation
from mizheng.verifier.timestamp.ocsp import parse_ocsp_answer, parse_ocsp_response
from mizheng.verifier.timestamp.revocation import RevocationStatus, check_revocation
from mizheng.verifier.timestamp.token import dump_response, parse_token

from tests.support.opensslocsp import answer_with_openssl, basic, in_crls, in_values, make_responder
from tests.support.opensslts import verify_with_openssl
from tests.support.tsa import DAY, YEAR, Issued, TestAuthority, make_authority

TEXT = b"a checkpoint"
NOW = int(time.time())
NOTHING = RevocationStatus(False, None)


@pytest.fixture(scope="module")
def tsa() -> TestAuthority:
    """One whose certificate the root issued itself: openssl's answers are of the present time."""
    return make_authority(start=NOW - YEAR, end=NOW + YEAR, number=40)


Ask = Callable[..., bytes]


@pytest.fixture
def ask(tsa: TestAuthority, tmp_path: Path) -> Ask:
    """`ask(**options)`: an OCSPResponse about the authority's certificate."""
    return lambda **options: answer_with_openssl(tmp_path, tsa.signer, tsa.root, **options)


def token(tsa: TestAuthority, response: bytes, place: str = "crls", at: int = NOW) -> bytes:
    if place == "crls":
        return tsa.token(TEXT, at, crls=(in_crls(response),))
    return tsa.token(TEXT, at, unsigned=(in_values(response),))


def status(tsa: TestAuthority, data: bytes) -> RevocationStatus:
    found = parse_token(data)
    return check_revocation(judge(found, [tsa.trusted()], {}).path, found.signed.revocation, found.at)


@pytest.mark.parametrize("place", ["crls", "values"])
@pytest.mark.parametrize("options", [{}, {"by_key": True}, {"digest": "sha256"}, {"days": None}])
def test_good(tsa: TestAuthority, ask: Ask, place: str, options: dict[str, object]) -> None:
    found = status(tsa, token(tsa, ask(**options), place))
    assert found.is_known
    assert found.as_of is not None
    assert 0 <= found.as_of - NOW < 3600


@pytest.mark.parametrize("place", ["crls", "values"])
@pytest.mark.parametrize(
    ("days", "reason", "is_void"),
    [(-1, "superseded", True), (1, "keyCompromise", True), (1, "superseded", False)],
)
def test_revoked(tsa: TestAuthority, ask: Ask, place: str, days: int, reason: str, is_void: bool) -> None:
    """RFC 3161 §4.1, as for lists."""
    data = token(tsa, ask(revoked=(NOW + days * DAY, reason)), place)
    if not is_void:
        assert status(tsa, data).is_known
        return
    with pytest.raises(ProofError, match="was revoked"):
        status(tsa, data)


@pytest.mark.parametrize("place", ["crls", "values"])
def test_unknown_says_nothing(tsa: TestAuthority, ask: Ask, place: str) -> None:
    response = ask(is_listed=False)
    answer = parse_ocsp_response(response)
    assert answer is not None
    assert not answer.singles[0].is_known
    assert status(tsa, token(tsa, response, place)) == NOTHING


@pytest.mark.parametrize("place", ["crls", "values"])
@pytest.mark.parametrize("days", [1, None])
def test_expired_says_nothing(tsa: TestAuthority, ask: Ask, place: str, days: int | None) -> None:
    """The token was made when the answer held no more; one with no end holds for its own instant."""
    assert status(tsa, token(tsa, ask(days=days), place, at=NOW + 2 * DAY)) == NOTHING


def test_not_about_this_certificate(tsa: TestAuthority, tmp_path: Path) -> None:
    other = make_authority(start=NOW - YEAR, end=NOW + YEAR + 1, number=40)
    assert other.root.key is tsa.root.key
    response = answer_with_openssl(tmp_path, other.signer, tsa.root)
    assert status(tsa, token(tsa, response)) == NOTHING


def test_an_issuer_of_the_same_name(tsa: TestAuthority, tmp_path: Path) -> None:
    """It may speak of its own certificates; of this one's serial number it says nothing."""
    other = make_authority(start=NOW - YEAR, end=NOW + YEAR, number=41)
    response = answer_with_openssl(tmp_path, tsa.signer, other.root, revoked=(NOW - DAY, "keyCompromise"))
    assert status(tsa, token(tsa, response)) == NOTHING


@pytest.mark.parametrize("by_key", [False, True])
def test_a_responder_that_the_issuer_named(tsa: TestAuthority, ask: Ask, by_key: bool) -> None:
    responder = make_responder(tsa.root, NOW)
    assert status(tsa, token(tsa, ask(responder=responder, by_key=by_key))).is_known


def _responders(tsa: TestAuthority) -> dict[str, Issued]:
    stranger = make_authority(start=NOW - YEAR, end=NOW + YEAR, number=42)
    return {
        "of another issuer": make_responder(stranger.root, NOW),
        "not for answers": make_responder(tsa.root, NOW, purposes=(ExtendedKeyUsageOID.TIME_STAMPING,)),
        "for anything": make_responder(tsa.root, NOW, purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
        "whose own revocation would have to be asked for": make_responder(tsa.root, NOW, no_check=False),
        "ended": make_responder(tsa.root, NOW - 30 * DAY),
        "not named, but the authority itself": tsa.signer,
    }


@pytest.mark.parametrize(
    "who",
    [
        "of another issuer",
        "not for answers",
        "for anything",
        "whose own revocation would have to be asked for",
        "ended",
        "not named, but the authority itself",
    ],
)
def test_responders_that_nobody_named(tsa: TestAuthority, ask: Ask, who: str) -> None:
    assert status(tsa, token(tsa, ask(responder=_responders(tsa)[who]))) == NOTHING


def test_a_responder_named_by_what_is_no_digest(tsa: TestAuthority, ask: Ask) -> None:
    """An INTEGER where the key's digest has to be: read, and nobody's."""
    response = ask(responder=make_responder(tsa.root, NOW), by_key=True)
    assert response.count(b"\xa2\x16\x04\x14") == 1
    assert status(tsa, token(tsa, response.replace(b"\xa2\x16\x04\x14", b"\xa2\x16\x02\x14"))) == NOTHING


def test_a_flipped_bit_in_what_is_signed_or_in_the_signature(tsa: TestAuthority, ask: Ask) -> None:
    """Wherever the answer can still be read, it says nothing any more."""
    response = ask(responder=make_responder(tsa.root, NOW))
    answer = parse_ocsp_response(response)
    assert answer is not None
    for part in (answer.signed, answer.signature):
        start = response.index(part)
        for place in range(start, start + len(part), 7):
            changed = bytearray(response)
            changed[place] ^= 0x04
            try:
                found = status(tsa, token(tsa, bytes(changed)))
            except FormatError:
                continue
            assert found == NOTHING, place


def test_a_responder_that_gives_no_answer(tsa: TestAuthority) -> None:
    try_later = der.encode(der.SEQUENCE, der.encode(0x0A, b"\x03"))
    assert parse_ocsp_response(try_later) is None
    assert status(tsa, token(tsa, try_later)) == NOTHING


@pytest.mark.parametrize(
    "change",
    [
        lambda response: response + b"\x00",
        lambda response: der.encode(der.SEQUENCE, der.encode(0x0A, b"\x00")),
        lambda response: response[:-1],
        lambda response: b"",
    ],
)
def test_malformed(ask: Ask, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(FormatError):
        parse_ocsp_response(change(ask()))


def test_a_critical_extension_is_not_understood(tsa: TestAuthority, ask: Ask) -> None:
    """Put into the answer before it is signed anew: what must be understood may change what it says."""
    answer = parse_ocsp_answer(basic(ask()))
    # Whose, when, about what: without the extensions.
    body = [node.encoded for node in der.parse(answer.signed).reader().rest()][:3]
    extension = der.encode(
        der.SEQUENCE,
        der.encode_oid("1.2.3.4"),
        der.encode(der.BOOLEAN, b"\xff"),
        der.encode(der.OCTET_STRING),
    )
    for extensions, is_known in ((b"", True), (extension, False)):
        more = der.encode(der.context(1), der.encode(der.SEQUENCE, extensions)) if extensions else b""
        signed = der.encode(der.SEQUENCE, *body, more)
        signature = tsa.root.key.sign(signed, _ecdsa())
        again = der.encode(
            der.SEQUENCE,
            signed,
            answer.algorithm.encoded,
            der.encode(der.BIT_STRING, b"\x00", signature),
        )
        data = add_revocation(tsa.token(TEXT, NOW), answers=(again,))
        assert status(tsa, data).is_known is is_known


def _ecdsa() -> object:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.ECDSA(hashes.SHA256())


def test_lists_and_answers_together(tsa: TestAuthority, ask: Ask) -> None:
    """Either may speak of a certificate; of what the two know, the later counts as known, and a revocation in
    any of them counts.
    """
    for chosen in (
        {"crls": (tsa.crl(NOW - DAY), in_crls(ask()))},
        {"unsigned": (in_values(ask(), lists=(tsa.crl(NOW - DAY),)),)},
    ):
        found = status(tsa, tsa.token(TEXT, NOW, **chosen))
        assert found.as_of is not None
        assert found.as_of >= NOW
    serial = tsa.signer.certificate.serial_number
    revoked = tsa.crl(NOW, {serial: (NOW - 9, x509.ReasonFlags.key_compromise)})
    for chosen in ({"crls": (revoked, in_crls(ask()))}, {"unsigned": (in_values(ask(), lists=(revoked,)),)}):
        with pytest.raises(ProofError, match="was revoked"):
            status(tsa, tsa.token(TEXT, NOW, **chosen))


def test_a_chain_of_three(tmp_path: Path) -> None:
    made = make_authority(start=NOW - YEAR, end=NOW + YEAR, number=43, with_intermediate=True)
    (upper,) = made.between
    below = answer_with_openssl(tmp_path, made.signer, upper)
    above = answer_with_openssl(tmp_path, upper, made.root)
    assert status(made, made.token(TEXT, NOW, crls=(in_crls(below),))) == NOTHING
    assert status(made, made.token(TEXT, NOW, unsigned=(in_values(below, above),))).is_known
    assert status(made, made.token(TEXT, NOW, crls=(in_crls(below), made.crl(NOW, by=made.root)))).is_known


def test_added_beside_the_signature(tsa: TestAuthority, ask: Ask, tmp_path: Path) -> None:
    """The token says what it said, openssl reads it, and what was there before is still there."""
    first, second = basic(ask()), basic(ask(digest="sha256"))
    data = add_revocation(tsa.token(TEXT, NOW), (tsa.crl(NOW),), (first,))
    data = add_revocation(data, (), (second, first))
    found = parse_token(data)
    assert sorted(answer.encoded for answer in found.signed.revocation.answers) == sorted((first, second))
    assert len(found.signed.revocation.lists) == 1
    assert found.imprint == parse_token(tsa.token(TEXT, NOW)).imprint
    result = verify_with_openssl(dump_response(data), TEXT, tsa.root.pem, tmp_path)
    assert result.returncode == 0, result.stderr


def test_more_than_anybody_needs(tsa: TestAuthority, ask: Ask) -> None:
    one = in_values(ask())
    with pytest.raises(LimitError):
        parse_token(tsa.token(TEXT, NOW, unsigned=(in_values(*[ask()] * 17),)))
    assert parse_token(tsa.token(TEXT, NOW, unsigned=(one,)))


def test_values_with_more_behind_them(tsa: TestAuthority, ask: Ask) -> None:
    value = der.encode(
        der.SEQUENCE, der.encode(der.context(1), der.encode(der.SEQUENCE, basic(ask()))), der.encode(der.NULL)
    )
    oid = der.encode_oid("1.2.840.113549.1.9.16.2.24")
    attribute = der.encode(der.SEQUENCE, oid, der.encode(der.SET, value))
    with pytest.raises(TrailingBytesError):
        parse_token(tsa.token(TEXT, NOW, unsigned=(attribute,)))
