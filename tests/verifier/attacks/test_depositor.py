"""A name under a statement: keys that were never enrolled, or by nobody known, or too late, or revoked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.dsse import parse as parse_dsse
from mizheng.verifier.dsse import sign
from mizheng.verifier.enrolment import (
    ENROLMENT_PAYLOAD_TYPE,
    REVOCATION_PAYLOAD_TYPE,
    Enrolment,
    KeyStatus,
    Revocation,
)
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import Depositor
from mizheng.verifier.trust import NamedKey

from tests.support.world import ACME, AT, Company, Deposit, World, failed, judge, statuses

from .scene import RIVAL, Members, words

ENROLMENT, PROOF, STATUS = "enrolment.dsse.json", "enrolment.tlog-proof", "key-status.dsse.json"
OPENED = ("配方.txt",)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def company(world: World) -> Company:
    return world.enrol(Company())


@pytest.fixture(scope="module")
def deposit(world: World, company: Company) -> Deposit:
    return world.deposit(company)


@pytest.fixture(scope="module")
def anchor(world: World, deposit: Deposit) -> tuple[int, bytes]:
    return world.anchor()


@pytest.fixture
def members(world: World, deposit: Deposit, anchor: tuple[int, bytes]) -> Members:
    return world.bundle(deposit, [anchor], OPENED)


def expect(report: Report, code: str, status: str) -> Report:
    """Not valid, by this code alone."""
    assert statuses(report, code) == [status], statuses(report, code)
    assert failed(report) == ({code} if status == "FAIL" else set())
    assert report.verdict is (Verdict.INVALID if status == "FAIL" else Verdict.UNDETERMINED)
    words(report)
    return report


def expect_claimed(report: Report, status: str) -> None:
    """The name counts as the depositor's own claim, and the report says so."""
    if status == "FAIL":
        expect(report, "depositor.enrolment", status)
    else:
        # Without the issuer who enrolled it nobody's word on the key's status counts either.
        assert statuses(report, "depositor.enrolment") == [status]
        assert report.verdict is Verdict.UNDETERMINED
    assert report.facts["depositor_is_enrolled"] is False
    assert "(claimed)" in words(report)


def test_an_enrolled_name_is_valid(world: World, members: Members) -> None:
    report = judge(members, world.trust())
    assert report.verdict is Verdict.VALID
    assert report.facts["depositor_is_enrolled"] is True
    assert "(enrolled)" in words(report)


# Enrolment


def bundle_of(world: World, company: Company, deposit: Deposit | None = None) -> Members:
    deposit = deposit or world.deposit(company)
    return world.bundle(deposit, [world.anchor()], OPENED)


def test_a_key_never_enrolled(world: World) -> None:
    expect_claimed(judge(bundle_of(world, Company()), world.trust()), "NOT_PROVIDED")


def test_an_enrolment_that_is_not_in_the_log(world: World, members: Members, company: Company) -> None:
    """The issuer's signature alone could be made any day; its place in the tree could not."""
    unlogged = Enrolment(company.key.public, ACME, "made up today", AT, None).sign(world.issuer)
    expect_claimed(judge({**members, ENROLMENT: unlogged}, world.trust()), "FAIL")
    del members[PROOF]
    expect_claimed(judge(members, world.trust()), "FAIL")


def test_an_enrolment_at_another_index(world: World, members: Members, anchor: tuple[int, bytes]) -> None:
    expect_claimed(judge({**members, PROOF: world.proof(1, anchor[0])}, world.trust()), "FAIL")


def test_a_key_enrolled_after_the_deposit(world: World) -> None:
    company = Company()
    deposit = world.deposit(company)
    world.enrol(company)
    expect_claimed(judge(bundle_of(world, company, deposit), world.trust()), "FAIL")


def test_a_key_enrolled_after_the_deposit_under_a_later_head(
    world: World, members: Members, deposit: Deposit, anchor: tuple[int, bytes]
) -> None:
    """The deposit stands in an early anchor too; the enrolment only in the late one, and behind it."""
    late = Company()
    early = world.deposit(late)
    first = world.anchor()
    world.enrol(late)
    second = world.anchor()
    members = world.bundle(early, [second, first], OPENED)
    expect_claimed(judge(members, world.trust()), "FAIL")


def test_an_enrolment_in_a_tree_that_the_log_forked(world: World, tmp_path: Path) -> None:
    """The log's operator signs a second tree for this bundle alone: same index, same deposit, one entry else.

    Both checkpoints carry a good signature. Only one of them is on the chain.
    """
    company = Company(RIVAL)
    filler = world.append(b"somebody's deposit")
    deposit = world.deposit(company)
    anchor = world.anchor()
    enrolment = Enrolment(company.key.public, RIVAL, "never happened", AT, None).sign(world.issuer)
    honest = list(world.leaves)
    try:
        world.leaves[filler] = entry_leaf(enrolment)
        world.append(b"so that the fork has a size of its own")
        size = len(world.leaves)
        head, proof = world.proof(deposit.index, size), world.proof(filler, size)
    finally:
        world.leaves = honest
    members = world.bundle(deposit, [anchor], OPENED)
    forked = {**members, ENROLMENT: enrolment, PROOF: proof}
    expect_claimed(judge(forked, world.trust()), "FAIL")
    report = judge({**forked, f"heads/{size}.tlog-proof": head}, world.trust())
    assert report.verdict is Verdict.UNDETERMINED
    assert statuses(report, "checkpoint.signature") == ["PASS", "PASS"]
    expect_claimed(report, "NOT_CHECKED")


def enrolled_by(world: World, signer: PrivateKey, enrolment: bytes | None = None) -> Members:
    company = Company(RIVAL)
    made = Enrolment(company.key.public, RIVAL, "licence seen", AT, None).sign(signer)
    company.enrolment = enrolment or made
    company.enrolment_index = world.append(company.enrolment)
    return bundle_of(world, company)


def test_an_issuer_nobody_trusts(world: World) -> None:
    expect_claimed(judge(enrolled_by(world, PrivateKey.generate()), world.trust()), "NOT_CHECKED")


def test_an_observer_or_the_log_is_no_issuer(world: World) -> None:
    for key in (world.observers[0], world.log_key):
        expect_claimed(judge(enrolled_by(world, key), world.trust()), "NOT_CHECKED")


def forged(world: World, change: Callable[[dict[str, object]], None], key: PrivateKey) -> bytes:
    """An enrolment for a new key whose payload was changed and then signed by `key`."""
    honest = Enrolment(PrivateKey.generate().public, RIVAL, "licence seen", AT, None).sign(world.issuer)
    fields = parse(parse_dsse(honest, ENROLMENT_PAYLOAD_TYPE).payload)
    assert isinstance(fields, dict)
    change(fields)
    return sign(dump(fields), ENROLMENT_PAYLOAD_TYPE, key)


def test_a_signature_under_a_trusted_issuers_name(world: World) -> None:
    """The payload names the issuer's key, the signature is another's."""
    company = Company(RIVAL)
    enrolment = forged(
        world, lambda fields: fields.update(public_key=company.key.public.to_base64()), company.key
    )
    company.enrolment, company.enrolment_index = enrolment, world.append(enrolment)
    expect_claimed(judge(bundle_of(world, company), world.trust()), "FAIL")


def test_the_issuers_signature_under_another_signer(world: World) -> None:
    company = Company(RIVAL)
    changes = {"public_key": company.key.public.to_base64(), "signer": company.key.public.to_base64()}
    enrolment = forged(world, lambda fields: fields.update(changes), world.issuer)
    company.enrolment, company.enrolment_index = enrolment, world.append(enrolment)
    expect_claimed(judge(bundle_of(world, company), world.trust()), "FAIL")


def test_a_revocation_is_no_enrolment(world: World, members: Members, company: Company) -> None:
    revocation = Revocation(company.key.public.keyid, "lost", AT).sign(world.issuer)
    assert parse_dsse(revocation, REVOCATION_PAYLOAD_TYPE)
    expect_claimed(judge({**members, ENROLMENT: revocation}, world.trust()), "FAIL")


@pytest.mark.parametrize(
    "name",
    [
        RIVAL,
        replace(ACME, name=ACME.name + " "),
        replace(ACME, name="武汉示例科技有限公司\u200b"),
        replace(ACME, id="91420100MA4KXXXX0Y"),
        replace(ACME, id_scheme="LEI"),
        replace(ACME, name="武漢示例科技有限公司"),
    ],
    ids=["another", "space", "zero width", "number", "scheme", "other characters"],
)
def test_a_statement_under_a_name_that_is_not_the_enrolled_one(
    world: World, company: Company, name: Depositor
) -> None:
    deposit = world.deposit(company, change=lambda statement: replace(statement, depositor=name))
    expect_claimed(judge(bundle_of(world, company, deposit), world.trust()), "FAIL")


def test_an_enrolment_of_another_key(world: World) -> None:
    """Of the same company, and proven in the very head of the deposit."""
    other, company = world.enrol(Company()), Company()
    deposit = world.deposit(company)
    size, anchor = world.anchor()
    assert other.enrolment and other.enrolment_index is not None
    theirs = {ENROLMENT: other.enrolment, PROOF: world.proof(other.enrolment_index, size)}
    members = world.bundle(deposit, [(size, anchor)], OPENED) | theirs
    expect_claimed(judge(members, world.trust()), "FAIL")


def test_a_rotated_key_and_the_one_it_replaced_are_both_good(world: World) -> None:
    """Old evidence stays valid: the old key's deposit came before its revocation."""
    old = world.enrol(Company())
    before = world.deposit(old)
    new = Company(old.name)
    enrolment = Enrolment(new.key.public, new.name, "rotation", AT, old.key.public.keyid).sign(world.issuer)
    new.enrolment, new.enrolment_index = enrolment, world.append(enrolment)
    revoked = world.append(Revocation(old.key.public.keyid, "rotated", AT).sign(world.issuer))
    after, stolen = world.deposit(new), world.deposit(old)
    anchor = world.anchor()
    trust = world.trust()
    old_bundle = world.bundle(before, [anchor], OPENED, revoked_index=revoked)
    assert judge(old_bundle, trust).verdict is Verdict.VALID
    assert judge(world.bundle(after, [anchor], OPENED), trust).verdict is Verdict.VALID
    late = world.bundle(stolen, [anchor], OPENED, revoked_index=revoked)
    expect(judge(late, trust), "depositor.key-status", "FAIL")


# Key status


def status(company: Company, revoked: int | None, size: int, issuer: PrivateKey) -> bytes:
    return KeyStatus(company.key.public.keyid, revoked, size).sign(issuer)


@pytest.mark.parametrize(
    ("offset", "verdict"),
    [(-1, "FAIL"), (0, "FAIL"), (1, "PASS"), (2, "PASS")],
    ids=["before", "at the deposit", "next", "after"],
)
def test_a_revocation_counts_from_its_index_on(
    world: World, company: Company, deposit: Deposit, members: Members, offset: int, verdict: str
) -> None:
    said = status(company, deposit.index + offset, 100, world.issuer)
    report = judge({**members, STATUS: said}, world.trust())
    assert statuses(report, "depositor.key-status") == [verdict]
    assert (report.verdict is Verdict.VALID) == (verdict == "PASS")


def test_a_key_status_older_than_the_deposit(
    world: World, company: Company, members: Members, anchor: tuple[int, bytes]
) -> None:
    trust = world.trust()
    old = status(company, None, anchor[0] - 1, world.issuer)
    expect(judge({**members, STATUS: old}, trust), "depositor.key-status", "FAIL")
    same = status(company, None, anchor[0], world.issuer)
    assert judge({**members, STATUS: same}, trust).verdict is Verdict.VALID


def test_a_key_status_by_a_stranger(world: World, company: Company, members: Members) -> None:
    said = status(company, None, 100, PrivateKey.generate())
    expect(judge({**members, STATUS: said}, world.trust()), "depositor.key-status", "NOT_CHECKED")


def test_a_revocation_by_a_stranger_is_no_revocation_either(
    world: World, company: Company, members: Members
) -> None:
    """It fails all the same: the bundle then holds no word of the issuer that the key was good."""
    said = status(company, 0, 100, PrivateKey.generate())
    assert judge({**members, STATUS: said}, world.trust()).verdict is not Verdict.VALID


def test_a_key_status_of_another_key(world: World, members: Members) -> None:
    said = status(Company(), None, 100, world.issuer)
    expect(judge({**members, STATUS: said}, world.trust()), "depositor.key-status", "FAIL")


def test_no_key_status(world: World, members: Members) -> None:
    del members[STATUS]
    report = expect(judge(members, world.trust()), "depositor.key-status", "NOT_CHECKED")
    assert report.missing == ("depositor.key-status",)
    assert judge(members, world.trust(require=())).verdict is Verdict.VALID


@pytest.mark.parametrize("revoked", [-1, 100, 101])
def test_a_key_status_whose_revocation_is_outside_its_log(
    world: World, company: Company, members: Members, revoked: int
) -> None:
    said = status(company, revoked, 100, world.issuer)
    expect(judge({**members, STATUS: said}, world.trust()), "depositor.key-status", "FAIL")


def test_a_key_that_the_trust_file_revokes(world: World, company: Company, members: Members) -> None:
    trust = world.trust(revoked_keys=frozenset({company.key.public.keyid}))
    expect(judge(members, trust), "depositor.key-status", "FAIL")


def test_an_issuer_may_change_keys_under_one_name(world: World, company: Company, members: Members) -> None:
    """The trust file says who holds which key: the same holder's newer key speaks of the older one's log."""
    newer = PrivateKey.generate()
    said = {**members, STATUS: status(company, None, 100, newer)}
    same = (NamedKey("notary", world.issuer.public), NamedKey("notary", newer.public))
    other = (NamedKey("notary", world.issuer.public), NamedKey("somebody", newer.public))
    assert judge(said, world.trust(issuers=same)).verdict is Verdict.VALID
    expect(judge(said, world.trust(issuers=other)), "depositor.key-status", "NOT_CHECKED")
