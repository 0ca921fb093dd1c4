"""Whose token it is: chains to trusted roots at the token's own time, policies, pins, revocation."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from mizheng.verifier.errors import FormatError, NotBelievedError, ProofError, VersionError
from mizheng.verifier.timestamp.authority import (
    Judgement,
    authority_fields,
    judge,
    parse_authorities,
    parse_retired_hashes,
)
from mizheng.verifier.timestamp.given import Given
from mizheng.verifier.timestamp.path import find_path
from mizheng.verifier.timestamp.revocation import RevocationStatus, check_revocation
from mizheng.verifier.timestamp.token import parse_token
from mizheng.verifier.timestamp.x509 import load_certificate, load_revocation_list

from tests.support.tsa import DAY, YEAR, Issued, TestAuthority, issue, make_key
from tests.verifier.timestamp.conftest import AT

TEXT = b"a checkpoint"
Reason = x509.ReasonFlags


def judged(made: TestAuthority, **trusted: object) -> Judgement:
    return judge(parse_token(made.token(TEXT, AT)), [made.trusted(**trusted)], {})


def test_holds_until_the_first_certificate_ends(authority: TestAuthority) -> None:
    found = judged(authority)
    assert [item.name for item in found.path] == [f"CN={authority.name}{end}" for end in ("", " CA", " root")]
    assert (found.holds_until, found.why) == (AT + YEAR, "certificate")


def test_holds_until_its_hash_is_retired(authority: TestAuthority) -> None:
    token = parse_token(authority.token(TEXT, AT, imprint_hash="sha512"))
    retired = {"sha256": AT + DAY, "sha512": AT + 2 * DAY, "sha384": AT}
    found = judge(token, [authority.trusted()], retired)
    # Its imprint is SHA-512, but its signature is over a SHA-256.
    assert (found.holds_until, found.why) == (AT + DAY, "sha256")
    with pytest.raises(NotBelievedError, match="retired"):
        judge(token, [authority.trusted()], {"sha256": AT - 1})


def test_authority_that_nobody_trusts(authority: TestAuthority, other: TestAuthority) -> None:
    token = parse_token(authority.token(TEXT, AT))
    for known in ([], [other.trusted()]):
        with pytest.raises(NotBelievedError, match="does not know"):
            judge(token, known, {})
    assert judge(token, [other.trusted(), authority.trusted()], {}).authority.name == authority.name


def test_another_policy(authority: TestAuthority) -> None:
    with pytest.raises(NotBelievedError, match=r"under the policy 1\.3"):
        judged(authority, policies=("1.2.3",))
    assert judged(authority, policies=()).token.policy == authority.policy


def test_pinned_certificate(authority: TestAuthority) -> None:
    own = hashlib.sha256(authority.signer.der).hexdigest()
    assert judged(authority, certificates=frozenset({"ab" * 32, own})).authority.certificates
    with pytest.raises(NotBelievedError, match="certificate"):
        judged(authority, certificates=frozenset({"ab" * 32}))


def test_last_time(authority: TestAuthority) -> None:
    assert judged(authority, last_time=AT + 1)
    # The token is of AT, give or take a second.
    with pytest.raises(NotBelievedError, match="up to"):
        judged(authority, last_time=AT)


def test_trusted_certificate_itself_may_be_the_signer(authority: TestAuthority) -> None:
    signer = load_certificate(authority.signer.der)
    found = judged(authority, roots=(signer,))
    assert found.path == (signer,)


def chain(*changes: dict[str, object], leaf: dict[str, object] | None = None) -> TestAuthority:
    """A root, as many CAs below it as there are changes to them, and an authority."""
    base: dict[str, object] = {"start": AT - YEAR, "end": AT + YEAR}
    by = issue("root", make_key("p256", 500), None, is_ca=True, start=AT - YEAR, end=AT + YEAR)
    root, between = by, []
    for number, change in enumerate(changes):
        by = issue(f"CA {number}", make_key("p256", 501 + number), by, **{**base, "is_ca": True, **change})  # type: ignore[arg-type]
        between.append(by)
    purposes = (ExtendedKeyUsageOID.TIME_STAMPING,)
    signer = issue("signer", make_key("p256"), by, **{**base, "purposes": purposes, **(leaf or {})})  # type: ignore[arg-type]
    return TestAuthority("long", root, signer, tuple(reversed(between)))


def test_long_chain() -> None:
    assert len(judged(chain({}, {}, {}, {}, {})).path) == 7


USAGE = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
NAMES = x509.NameConstraints([x509.DNSName("example")], None)
BAD_CHAINS: list[tuple[str, tuple[dict[str, object], ...], str]] = [
    ("no CA", ({"is_ca": False},), "issue no others"),
    ("not for issuing", ({"more": ((USAGE, True),)},), "issue no others"),
    ("too long", ({"path_length": 0}, {}), "longer than"),
    ("for mail", ({"purposes": (ExtendedKeyUsageOID.EMAIL_PROTECTION,)},), "not for time stamps"),
    ("ended", ({"end": AT - 1},), "not valid"),
    ("not begun", ({"start": AT + 1},), "not valid"),
]


@pytest.mark.parametrize(("name", "changes", "says"), BAD_CHAINS, ids=[row[0] for row in BAD_CHAINS])
def test_chain_that_does_not_hold(name: str, changes: tuple[dict[str, object], ...], says: str) -> None:
    with pytest.raises(ProofError, match=says):
        judged(chain(*changes))


def test_constraint_that_is_not_understood() -> None:
    with pytest.raises(VersionError, match="critical"):
        judged(chain({"more": ((NAMES, True),)}))


def test_certificate_signed_with_sha1_leads_nowhere() -> None:
    """The chain ends there: the authority is simply not known."""
    key = make_key("p256", 700)
    with pytest.raises(NotBelievedError):
        # cryptography makes none with SHA-1 any more; SHA-224 is as little in the list.
        judged(chain({}, leaf={"signing_hash": hashes.SHA224()}))
    assert key is make_key("p256", 700)


def test_one_good_chain_of_several_is_enough(authority: TestAuthority) -> None:
    """Cross-signed: the CA's key stands in an older certificate too, which has ended."""
    ended = issue(
        f"{authority.name} CA",
        authority.between[0].key,
        authority.root,
        start=AT - 2 * YEAR + DAY,
        end=AT - DAY,
        is_ca=True,
    )
    certificates = (authority.signer.der, ended.der, authority.between[0].der)
    token = parse_token(authority.token(TEXT, AT, certificates=certificates))
    assert judge(token, [authority.trusted()], {}).holds_until == AT + YEAR


def test_loops_and_crowds_end() -> None:
    """Certificates that all name each other are looked at for a while, then no more."""
    key = make_key("p256", 800)
    crowd = [issue("same", key, None, start=AT - YEAR - n, end=AT + YEAR, is_ca=True) for n in range(30)]
    leaf = issue("leaf", make_key("p256"), crowd[0], start=AT - YEAR, end=AT + YEAR)
    stranger = issue("other", make_key("p256", 801), None, start=AT - YEAR, end=AT + YEAR, is_ca=True)
    others = [load_certificate(item.der) for item in crowd]
    assert find_path(load_certificate(leaf.der), others, [load_certificate(stranger.der)], AT) is None


def status(made: TestAuthority, *lists: bytes, at: int = AT) -> RevocationStatus:
    found = judged(made)
    return check_revocation(found.path, Given(tuple(load_revocation_list(item) for item in lists)), at)


def serial(issued: Issued) -> int:
    return issued.certificate.serial_number


def test_nothing_given_nothing_known(authority: TestAuthority) -> None:
    assert status(authority) == RevocationStatus(False, None)
    # The authority's own, but nobody spoke of its CA.
    assert status(authority, authority.crl(AT)) == RevocationStatus(False, None)


def test_lists_for_the_whole_chain(authority: TestAuthority) -> None:
    lists = (authority.crl(AT - DAY), authority.crl(AT + DAY), authority.crl(AT - 2 * DAY, by=authority.root))
    assert status(authority, *lists) == RevocationStatus(True, AT - 2 * DAY)


@pytest.mark.parametrize(
    ("since", "reason", "is_void"),
    [
        (AT - 1, Reason.superseded, True),
        (AT, Reason.cessation_of_operation, True),
        (AT + 1, Reason.superseded, False),
        (AT + 1, Reason.cessation_of_operation, False),
        (AT + 1, Reason.affiliation_changed, False),
        (AT + 1, Reason.key_compromise, True),
        (AT + 1, Reason.ca_compromise, True),
        (AT + 1, None, True),
    ],
)
def test_revoked(authority: TestAuthority, since: int, reason: Reason | None, is_void: bool) -> None:
    """RFC 3161 §4.1: what was stamped before stays good, where the list says that no key was stolen."""
    later = authority.crl(AT + DAY, {serial(authority.signer): (since, reason)})
    upper = authority.crl(AT + DAY, by=authority.root)
    if not is_void:
        assert status(authority, later, upper).is_known
        return
    with pytest.raises(ProofError, match="was revoked"):
        status(authority, later, upper)


def test_revoked_authority_of_the_authority(authority: TestAuthority) -> None:
    upper = authority.crl(
        AT + DAY, {serial(authority.between[0]): (AT - 1, Reason.superseded)}, by=authority.root
    )
    with pytest.raises(ProofError, match="CA was revoked"):
        status(authority, upper)


def test_lists_that_say_nothing_about_it(authority: TestAuthority, other: TestAuthority) -> None:
    revoked = {serial(authority.signer): (AT - 1, Reason.key_compromise)}
    for found in (
        # Ended before the token was made.
        authority.crl(AT - 30 * DAY, revoked),
        # After the certificate's end: it need not be named there any more.
        authority.crl(AT + 2 * YEAR, revoked),
        # Another CA of the same name signed it.
        other.crl(AT, revoked),
        # The root speaks of certificates that it did not issue.
        authority.crl(AT, revoked, by=authority.root),
    ):
        assert not status(authority, found).is_known


def test_table_of_a_trust_file(authority: TestAuthority) -> None:
    for known in (
        authority.trusted(policies=()),
        authority.trusted(certificates=frozenset({"ab" * 32}), last_time=AT, policies=("1.2.3", "2.999.1")),
    ):
        (again,) = parse_authorities([authority_fields(known)])
        assert [item.encoded for item in again.roots] == [item.encoded for item in known.roots]
        assert (again.name, again.policies, again.certificates, again.last_time) == (
            known.name,
            known.policies,
            known.certificates,
            known.last_time,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"roots": []},
        {"roots": ["AAAA"]},
        {"roots": [7]},
        {"policies": []},
        {"policies": ["1.2.3."]},
        {"policies": [1.2]},
        {"certificates": []},
        {"certificates": ["ab"]},
        {"last_time": "tomorrow"},
        {"url": "https://tsa.example"},
    ],
)
def test_table_with_a_fault(authority: TestAuthority, change: dict[str, object]) -> None:
    fields: dict[str, object] = {**authority_fields(authority.trusted()), **change}
    with pytest.raises(FormatError):
        parse_authorities([fields])


def test_authority_that_stands_there_twice(authority: TestAuthority) -> None:
    fields = authority_fields(authority.trusted())
    with pytest.raises(FormatError, match="twice"):
        parse_authorities([fields, fields])


@pytest.mark.parametrize("table", [{"md5": "2026-01-01T00:00:00Z"}, {"sha256": "soon"}, {"sha256": 2035}])
def test_retired_hashes_are_known_ones(table: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        parse_retired_hashes(table)
