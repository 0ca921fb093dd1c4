"""For whom an opening was made: nobody can say it was another one, of other records, or never recorded."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from mizheng.verifier.canonical import dump, format_instant, parse
from mizheng.verifier.checkpoint import Checkpoint, TlogProof, sign_checkpoint
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.event import Event
from mizheng.verifier.members import DISCLOSURE, DISCLOSURE_EVENT, DISCLOSURE_PROOF
from mizheng.verifier.merkle import Tree
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import Trust, dump_trust

from tests.support.disclosing import PURPOSE, RECIPIENT, Disclosed, disclosed_bundle, make_disclosure, record
from tests.support.webverifier import shared
from tests.support.world import (
    FILES,
    NOW,
    ORIGIN,
    Company,
    Deposit,
    World,
    failed,
    judge,
    pack,
    statuses,
)

from .scene import Members, relist, words

CODE = "disclosure.entry"
OPENED = ("配方.txt",)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def deposit(world: World) -> Deposit:
    return world.deposit(world.enrol(Company()))


@pytest.fixture(scope="module")
def anchor(world: World, deposit: Deposit) -> tuple[int, bytes]:
    return world.anchor()


@pytest.fixture(scope="module")
def disclosed(world: World, deposit: Deposit, anchor: tuple[int, bytes]) -> Disclosed:
    return record(world, deposit, make_disclosure(deposit, OPENED))


@pytest.fixture
def members(world: World, deposit: Deposit, anchor: tuple[int, bytes], disclosed: Disclosed) -> Members:
    return disclosed_bundle(world, deposit, anchor, OPENED, disclosed)


def both(members: Members, trust: Trust | None) -> Report:
    """The first verifier's report; of the disclosure, the second one says the same in the same words."""
    report = judge(members, trust)
    text = None if trust is None else dump_trust(trust)
    other = shared().verify(pack(members), text, now=format_instant(NOW))
    found, theirs = (
        [(check["status"], check["subject"], check["message"]) for check in checks if check["code"] == CODE]
        for checks in (report.to_json()["checks"], other["checks"])
    )
    assert found == theirs
    return report


def refused(members: Members, world: World) -> Report:
    """Invalid, by this code alone."""
    report = both(members, world.trust())
    assert failed(report) == {CODE}
    assert report.verdict is Verdict.INVALID
    words(report)
    return report


def test_an_honest_disclosure_passes_and_says_for_whom(members: Members, world: World) -> None:
    report = both(members, world.trust())
    assert statuses(report, CODE) == ["PASS"]
    assert report.verdict is Verdict.VALID
    assert f"For: {RECIPIENT} ({PURPOSE})" in words(report)


@pytest.mark.parametrize("change", [{"recipient": "another court"}, {"purpose": "another case"}])
def test_made_for_another(
    world: World, deposit: Deposit, anchor: tuple[int, bytes], change: dict[str, str]
) -> None:
    document = make_disclosure(deposit, OPENED, change=lambda found: replace(found, **change))
    refused(disclosed_bundle(world, deposit, anchor, OPENED, record(world, deposit, document)), world)


def test_the_bundle_handed_on_under_another_name(members: Members, deposit: Deposit, world: World) -> None:
    """The depositor signs a new list for another court and leaves the old disclosure in."""
    refused(relist(members, deposit.company, recipient="another court", purpose=PURPOSE), world)


def test_of_another_deposit(world: World, deposit: Deposit, anchor: tuple[int, bytes]) -> None:
    other = hashlib.sha256(b"another envelope").hexdigest()
    document = make_disclosure(deposit, OPENED, change=lambda found: replace(found, envelope_sha256=other))
    refused(disclosed_bundle(world, deposit, anchor, OPENED, record(world, deposit, document)), world)


@pytest.mark.parametrize("opened", [("配方.txt", "空.txt"), ("空.txt",)], ids=["one more", "another"])
def test_of_other_records(
    world: World, deposit: Deposit, anchor: tuple[int, bytes], disclosed: Disclosed, opened: tuple[str, ...]
) -> None:
    refused(disclosed_bundle(world, deposit, anchor, opened, disclosed), world)


def test_of_more_records_than_are_opened(world: World, deposit: Deposit, anchor: tuple[int, bytes]) -> None:
    document = make_disclosure(deposit, (*OPENED, "空.txt"))
    refused(disclosed_bundle(world, deposit, anchor, OPENED, record(world, deposit, document)), world)


def test_a_file_handed_over_that_it_does_not_name(
    world: World, deposit: Deposit, anchor: tuple[int, bytes], disclosed: Disclosed
) -> None:
    refused(disclosed_bundle(world, deposit, anchor, OPENED, disclosed, originals=FILES), world)


def test_a_file_handed_over_that_it_names(world: World, deposit: Deposit, anchor: tuple[int, bytes]) -> None:
    document = make_disclosure(deposit, OPENED, originals=OPENED)
    members = disclosed_bundle(
        world, deposit, anchor, OPENED, record(world, deposit, document), originals=FILES
    )
    assert statuses(both(members, world.trust()), CODE) == ["PASS"]


def test_signed_by_another_key(world: World, deposit: Deposit, anchor: tuple[int, bytes]) -> None:
    """A stranger cannot claim that the company opened it for him, whatever the log holds."""
    stranger = replace(deposit, company=Company())
    document = make_disclosure(stranger, OPENED)
    refused(disclosed_bundle(world, deposit, anchor, OPENED, record(world, stranger, document)), world)


def test_a_broken_signature(members: Members, world: World) -> None:
    envelope = parse(members[DISCLOSURE])
    assert isinstance(envelope, dict)
    other = parse(members["bundle.dsse.json"], max_bytes=1 << 20)
    assert isinstance(other, dict)
    envelope["signatures"][0]["sig"] = other["signatures"][0]["sig"]
    members[DISCLOSURE] = dump(envelope)
    refused(members, world)


def test_an_event_of_another_document(members: Members, deposit: Deposit, world: World) -> None:
    second = record(world, deposit, make_disclosure(deposit, OPENED))
    refused({**members, DISCLOSURE_EVENT: second.event, DISCLOSURE_PROOF: second.proof}, world)


def test_an_event_whose_signature_is_anothers(members: Members, deposit: Deposit, world: World) -> None:
    """The log may hold it: what an event says counts only signed."""
    key = deposit.company.key
    envelope = parse(Event(key.public, hashlib.sha256(members[DISCLOSURE]).digest()).sign(key))
    wrong = parse(Event(key.public, bytes(32)).sign(key))
    assert isinstance(envelope, dict)
    assert isinstance(wrong, dict)
    envelope["signatures"] = wrong["signatures"]
    event = dump(envelope)
    index = world.append(event)
    proof = world.proof(index, len(world.leaves))
    refused({**members, DISCLOSURE_EVENT: event, DISCLOSURE_PROOF: proof}, world)


def test_the_proof_of_another_entry(members: Members, deposit: Deposit, world: World) -> None:
    members[DISCLOSURE_PROOF] = world.proof(deposit.index, len(world.leaves))
    refused(members, world)


@pytest.mark.parametrize("name", [DISCLOSURE_EVENT, DISCLOSURE_PROOF, DISCLOSURE])
def test_a_third_of_it_taken_away(members: Members, world: World, name: str) -> None:
    del members[name]
    refused(members, world)


def test_taken_away_it_is_not_provided(world: World, deposit: Deposit, anchor: tuple[int, bytes]) -> None:
    report = both(disclosed_bundle(world, deposit, anchor, OPENED, None), world.trust())
    assert statuses(report, CODE) == ["NOT_PROVIDED"]
    assert "names a recipient, but carries no disclosure" in words(report)


def test_signed_but_never_recorded_is_not_provided(members: Members, world: World) -> None:
    del members[DISCLOSURE_EVENT], members[DISCLOSURE_PROOF]
    report = both(members, world.trust())
    assert statuses(report, CODE) == ["NOT_PROVIDED"]
    assert "not on record" in words(report)


def test_without_a_trust_file_it_is_not_checked(members: Members) -> None:
    assert statuses(both(members, None), CODE) == ["NOT_CHECKED"]


def test_a_log_that_nobody_trusts(members: Members, world: World) -> None:
    """The depositor keeps a log of his own under another name, and its key is in no trust file."""
    elsewhere = _proof_of(members, NoteSigner("log.example/own", PrivateKey.generate()), 9)
    refused({**members, DISCLOSURE_PROOF: elsewhere}, world)


def test_a_log_key_that_nobody_knows(members: Members, world: World) -> None:
    members[DISCLOSURE_PROOF] = _proof_of(members, NoteSigner(ORIGIN, PrivateKey.generate()), 9)
    report = both(members, world.trust())
    assert statuses(report, CODE) == ["NOT_CHECKED"]


def test_a_second_tree_of_the_size_of_the_deposits_own(
    members: Members, world: World, deposit: Deposit, anchor: tuple[int, bytes]
) -> None:
    """The log's key signed two trees of one size: the disclosure stands in the one that is not anchored."""
    size = anchor[0]
    leaves = [entry_leaf(b"%d" % number) for number in range(size)]
    leaves[deposit.index + 1 :] = [entry_leaf(members[DISCLOSURE_EVENT])]
    members[DISCLOSURE_PROOF] = _proof_in(leaves, world.signer)
    refused({**_with_head(members, world, deposit, len(leaves))}, world)


def test_a_disclosure_older_than_its_deposit(members: Members, world: World) -> None:
    members[DISCLOSURE_PROOF] = _proof_in([entry_leaf(members[DISCLOSURE_EVENT])], world.signer)
    refused(members, world)


def _with_head(members: Members, world: World, deposit: Deposit, size: int) -> Members:
    return {**members, f"heads/{size}.tlog-proof": world.proof(deposit.index, size)}


def _proof_of(members: Members, signer: NoteSigner, before: int) -> bytes:
    leaves = [entry_leaf(b"%d" % number) for number in range(before)]
    return _proof_in([*leaves, entry_leaf(members[DISCLOSURE_EVENT])], signer)


def _proof_in(leaves: list[bytes], signer: NoteSigner) -> bytes:
    tree, index = Tree(leaves), len(leaves) - 1
    note = sign_checkpoint(Checkpoint(signer.verifier.name, len(leaves), tree.root()), signer)
    return TlogProof(index, tuple(tree.inclusion_proof(index, len(leaves))), note).dump()
