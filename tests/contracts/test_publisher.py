"""The contract's promises about who may anchor."""

from __future__ import annotations

from mizheng.contracts.artifact import load_artifact
from mizheng.verifier.evm.keccak import keccak256
from mizheng.verifier.merkle import Tree

from tests.contracts.anchor_contract import ZERO, AnchorContract, Log

OFFER = ["bytes32", "address"]


def word(address: str) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")


def test_hand_over_takes_two_steps(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.anchor(log, 10, tree.root(10))
    (offered,) = contract.send(contract.alice, "offerPublisher", OFFER, log.id, contract.bob).events
    assert offered.topics == [
        load_artifact().events["PublisherOffered"],
        log.id,
        word(contract.alice),
        word(contract.bob),
    ]
    # Nothing has changed yet.
    assert contract.publisher_of(log.id) == contract.alice.lower()
    assert contract.candidate_of(log.id) == contract.bob.lower()
    contract.refuse_anchor(
        "NotPublisher", log, 20, tree.root(20), tree.consistency_proof(10, 20), sender=contract.bob
    )
    contract.anchor(log, 20, tree.root(20), tree.consistency_proof(10, 20))

    (changed,) = contract.send(contract.bob, "acceptPublisher", ["bytes32"], log.id).events
    assert changed.topics == [
        load_artifact().events["PublisherChanged"],
        log.id,
        word(contract.alice),
        word(contract.bob),
    ]
    assert contract.publisher_of(log.id) == contract.bob.lower()
    assert contract.candidate_of(log.id) == ZERO
    # The log goes on under its id, from its head, by its new publisher only.
    assert contract.head(log.id) == (20, tree.root(20))
    proof = tree.consistency_proof(20, 30)
    contract.refuse_anchor("NotPublisher", log, 30, tree.root(30), proof, sender=contract.alice)
    contract.anchor(Log(log.id, contract.bob), 30, tree.root(30), proof)
    contract.refuse("NotPublisher", contract.alice, "offerPublisher", OFFER, log.id, contract.alice)


def test_only_the_candidate_accepts_and_only_once(contract: AnchorContract) -> None:
    log = contract.open()
    contract.refuse("NotCandidate", contract.bob, "acceptPublisher", ["bytes32"], log.id)
    contract.send(contract.alice, "offerPublisher", OFFER, log.id, contract.bob)
    contract.refuse("NotCandidate", contract.carol, "acceptPublisher", ["bytes32"], log.id)
    contract.refuse("NotCandidate", contract.alice, "acceptPublisher", ["bytes32"], log.id)
    contract.send(contract.bob, "acceptPublisher", ["bytes32"], log.id)
    contract.send(contract.bob, "offerPublisher", OFFER, log.id, contract.carol)
    contract.refuse("NotCandidate", contract.bob, "acceptPublisher", ["bytes32"], log.id)
    contract.send(contract.carol, "acceptPublisher", ["bytes32"], log.id)
    contract.refuse("NotCandidate", contract.carol, "acceptPublisher", ["bytes32"], log.id)


def test_a_later_offer_replaces_the_earlier(contract: AnchorContract) -> None:
    log = contract.open()
    contract.send(contract.alice, "offerPublisher", OFFER, log.id, contract.bob)
    contract.send(contract.alice, "offerPublisher", OFFER, log.id, contract.carol)
    contract.refuse("NotCandidate", contract.bob, "acceptPublisher", ["bytes32"], log.id)
    # Offering it to oneself withdraws it.
    contract.send(contract.alice, "offerPublisher", OFFER, log.id, contract.alice)
    contract.refuse("NotCandidate", contract.carol, "acceptPublisher", ["bytes32"], log.id)
    assert contract.publisher_of(log.id) == contract.alice.lower()


def test_never_to_zero(contract: AnchorContract) -> None:
    log = contract.open()
    contract.refuse("ZeroCandidate", contract.alice, "offerPublisher", OFFER, log.id, ZERO)
    assert contract.publisher_of(log.id) == contract.alice.lower()


def test_strangers_offer_nothing(contract: AnchorContract) -> None:
    log = contract.open()
    contract.refuse("NotPublisher", contract.bob, "offerPublisher", OFFER, log.id, contract.bob)
    contract.send(contract.alice, "offerPublisher", OFFER, log.id, contract.bob)
    contract.refuse("NotPublisher", contract.bob, "offerPublisher", OFFER, log.id, contract.carol)
    unknown = keccak256(b"no such log")
    contract.refuse("LogUnknown", contract.alice, "offerPublisher", OFFER, unknown, contract.bob)
    contract.refuse("NotCandidate", contract.alice, "acceptPublisher", ["bytes32"], unknown)


def test_an_id_stays_taken_after_the_hand_over(contract: AnchorContract) -> None:
    origin_hash = keccak256(b"handed over")
    log = contract.open(contract.alice, origin_hash)
    contract.send(contract.alice, "offerPublisher", OFFER, log.id, contract.bob)
    contract.send(contract.bob, "acceptPublisher", ["bytes32"], log.id)
    contract.refuse("LogExists", contract.alice, "open", ["bytes32"], origin_hash)
    assert contract.open(contract.bob, origin_hash).id != log.id
