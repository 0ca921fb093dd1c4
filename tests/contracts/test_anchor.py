"""The contract's promises about heads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_abi.abi import decode, encode
from mizheng.contracts.artifact import load_artifact
from mizheng.verifier.evm.keccak import keccak256
from mizheng.verifier.evm.storage import root_slot
from mizheng.verifier.merkle import Tree, consistency_proof, node_hash

from tests.contracts.anchor_contract import ANCHORED, AnchorContract
from tests.contracts.chains import Reverted
from tests.support.scale import scaled

NOTHING = bytes(32)


def test_open_makes_a_log_of_the_sender(contract: AnchorContract) -> None:
    origin_hash = keccak256("例.中国/日志".encode())
    expected = keccak256(encode(["address", "bytes32"], [contract.alice, origin_hash]))
    assert contract.look(contract.alice, "open", ["bytes32"], origin_hash) == expected

    receipt = contract.send(contract.alice, "open", ["bytes32"], origin_hash)
    (event,) = receipt.events
    assert event.topics == [
        load_artifact().events["Opened"],
        expected,
        origin_hash,
        bytes.fromhex(contract.alice[2:]).rjust(32, b"\0"),
    ]
    assert contract.publisher_of(expected) == contract.alice.lower()
    assert contract.head(expected) == (0, NOTHING)

    contract.refuse("LogExists", contract.alice, "open", ["bytes32"], origin_hash)
    assert contract.open(contract.bob, origin_hash).id != expected


def test_first_head_needs_no_proof_and_refuses_one(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.refuse_anchor("InvalidProof", log, 7, tree.root(7), [tree.root(3)])
    (event,) = contract.anchor(log, 7, tree.root(7)).events
    assert event.topics == [load_artifact().events["Anchored"], log.id, (7).to_bytes(32, "big")]
    assert event.data == tree.root(7)
    assert contract.head(log.id) == (7, tree.root(7))
    assert contract.root_of(log.id, 7) == tree.root(7)
    assert contract.root_of(log.id, 6) == NOTHING


def test_heads_that_extend_the_last_are_kept_for_ever(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    sizes = [1, 2, 3, 4, 5, 8, 21, 32, 33, 127, 128, 256, 300]
    last = 0
    for size in sizes:
        (event,) = contract.anchor(log, size, tree.root(size), tree.consistency_proof(last, size)).events
        assert event.topics[2] == size.to_bytes(32, "big")
        assert contract.head(log.id) == (size, tree.root(size))
        last = size
    for size in range(301):
        assert contract.root_of(log.id, size) == (tree.root(size) if size in sizes else NOTHING)


def test_every_pair_of_small_sizes(contract: AnchorContract, tree: Tree) -> None:
    largest = scaled(12, 40)
    for old in range(1, largest):
        log = contract.open()
        contract.anchor(log, old, tree.root(old))
        for new in range(old + 1, largest + 1):
            proof = tree.consistency_proof(old, new)
            contract.look(log.publisher, "anchor", ANCHORED, log.id, new, tree.root(new), proof)
            # The proof of one pair is no proof of its neighbours.
            for wrong in {new - 1, new + 1} - {old}:
                with pytest.raises(Reverted):
                    contract.look(log.publisher, "anchor", ANCHORED, log.id, wrong, tree.root(wrong), proof)


def test_sizes_up_to_the_last_that_a_uint64_holds(contract: AnchorContract) -> None:
    full = [keccak256(b"the one leaf of a tree of equal leaves")]
    for height in range(64):
        full.append(node_hash(full[height], full[height]))

    def subtree_root(start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) == 0:
            return full[width.bit_length() - 1]
        left = 1 << (width.bit_length() - 1)
        return node_hash(full[left.bit_length() - 1], subtree_root(start + left, end))

    log = contract.open()
    last = 0
    for size in (2**32 - 1, 2**32 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1):
        proof = consistency_proof(last, size, subtree_root)
        contract.anchor(log, size, subtree_root(0, size), proof)
        last = size
    assert contract.head(log.id) == (last, subtree_root(0, last))


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


WRONG_PROOFS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "empty": lambda proof: [],
    "last node missing": lambda proof: proof[:-1],
    "first node missing": lambda proof: proof[1:],
    "middle node missing": lambda proof: proof[:2] + proof[3:],
    "node added at the end": lambda proof: [*proof, proof[-1]],
    "zero node added at the end": lambda proof: [*proof, NOTHING],
    "node added in front": lambda proof: [proof[0], *proof],
    "many nodes added": lambda proof: proof + proof * 30,
    "first bit flipped": lambda proof: [flip(proof[0], 0), *proof[1:]],
    "last bit flipped": lambda proof: [*proof[:-1], flip(proof[-1], 255)],
    "middle bit flipped": lambda proof: [*proof[:2], flip(proof[2], 100), *proof[3:]],
    "first two swapped": lambda proof: [proof[1], proof[0], *proof[2:]],
    "last two swapped": lambda proof: [*proof[:-2], proof[-1], proof[-2]],
    "reversed": lambda proof: proof[::-1],
    "zeros": lambda proof: [NOTHING] * len(proof),
}


@pytest.mark.parametrize("old", [100, 32], ids=["ragged", "full"])
@pytest.mark.parametrize("defect", WRONG_PROOFS)
def test_a_wrong_proof_is_refused(contract: AnchorContract, tree: Tree, old: int, defect: str) -> None:
    log = contract.open()
    contract.anchor(log, old, tree.root(old))
    proof = tree.consistency_proof(old, 299)
    wrong = WRONG_PROOFS[defect](list(proof))
    contract.refuse_anchor("InvalidProof", log, 299, tree.root(299), wrong)
    contract.anchor(log, 299, tree.root(299), proof)  # it was only the proof


@pytest.mark.parametrize("old", [100, 32], ids=["ragged", "full"])
def test_every_bit_of_a_proof_counts(contract: AnchorContract, tree: Tree, old: int) -> None:
    log = contract.open()
    contract.anchor(log, old, tree.root(old))
    proof = tree.consistency_proof(old, 299)
    for place, node in enumerate(proof):
        for bit in range(0, 256, 17):
            wrong = [*proof[:place], flip(node, bit), *proof[place + 1 :]]
            with pytest.raises(Reverted):
                contract.look(log.publisher, "anchor", ANCHORED, log.id, 299, tree.root(299), wrong)


@pytest.mark.parametrize("old", [100, 32], ids=["ragged", "full"])
def test_a_rewritten_log_is_refused(contract: AnchorContract, tree: Tree, other_tree: Tree, old: int) -> None:
    log = contract.open()
    contract.anchor(log, old, tree.root(old))
    for proof_of in (tree, other_tree):
        proof = proof_of.consistency_proof(old, 299)
        contract.refuse_anchor("InvalidProof", log, 299, other_tree.root(299), proof)
    # A full old tree is put first by the contract itself: a proof that brings its own is one node too long.
    own_old_root = [other_tree.root(old), *other_tree.consistency_proof(old, 299)]
    contract.refuse_anchor("InvalidProof", log, 299, other_tree.root(299), own_old_root)


def test_the_right_proof_under_another_root_is_refused(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.anchor(log, 100, tree.root(100))
    proof = tree.consistency_proof(100, 200)
    contract.refuse_anchor("InvalidProof", log, 200, flip(tree.root(200), 3), proof)
    contract.refuse_anchor("InvalidProof", log, 200, tree.root(100), proof)
    contract.refuse_anchor("InvalidProof", log, 257, tree.root(200), proof)


def test_a_log_never_shrinks(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.anchor(log, 50, tree.root(50))
    contract.anchor(log, 100, tree.root(100), tree.consistency_proof(50, 100))
    for size in (1, 50, 99):
        contract.refuse_anchor("SizeShrinks", log, size, tree.root(size))
        contract.refuse_anchor("SizeShrinks", log, size, tree.root(size), tree.consistency_proof(size, 100))


def test_zero_size_and_zero_root_are_refused(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.refuse_anchor("EmptyHead", log, 0, tree.root(1))
    contract.refuse_anchor("EmptyHead", log, 1, NOTHING)
    contract.anchor(log, 2, tree.root(2))
    contract.refuse_anchor("EmptyHead", log, 0, tree.root(1))
    contract.refuse_anchor("EmptyHead", log, 3, NOTHING, tree.consistency_proof(2, 3))


def test_the_same_head_again_is_silent(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.anchor(log, 50, tree.root(50))
    assert contract.anchor(log, 50, tree.root(50)).events == []
    proof = tree.consistency_proof(50, 100)
    contract.anchor(log, 100, tree.root(100), proof)
    # The very same transaction again, proof and all.
    assert contract.anchor(log, 100, tree.root(100), proof).events == []
    assert contract.head(log.id) == (100, tree.root(100))


def test_the_same_size_with_another_root_is_refused(
    contract: AnchorContract, tree: Tree, other_tree: Tree
) -> None:
    log = contract.open()
    contract.anchor(log, 50, tree.root(50))
    contract.refuse_anchor("RootDiffers", log, 50, other_tree.root(50))
    with pytest.raises(Reverted) as caught:
        contract.look(log.publisher, "anchor", ANCHORED, log.id, 50, other_tree.root(50), [])
    assert decode(["uint64", "bytes32", "bytes32"], caught.value.data[4:]) == (
        50,
        tree.root(50),
        other_tree.root(50),
    )


def test_logs_do_not_touch_each_other(contract: AnchorContract, tree: Tree, other_tree: Tree) -> None:
    origin_hash = keccak256(b"one origin, two publishers")
    ours, theirs = contract.open(contract.alice, origin_hash), contract.open(contract.bob, origin_hash)
    third = contract.open(contract.alice)
    contract.anchor(ours, 50, tree.root(50))
    contract.anchor(theirs, 50, other_tree.root(50))
    contract.anchor(ours, 90, tree.root(90), tree.consistency_proof(50, 90))
    # A head that only the other log could take.
    contract.refuse_anchor("InvalidProof", theirs, 90, tree.root(90), tree.consistency_proof(50, 90))
    assert contract.head(ours.id) == (90, tree.root(90))
    assert contract.head(theirs.id) == (50, other_tree.root(50))
    assert contract.head(third.id) == (0, NOTHING)


def test_strangers_are_refused(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.refuse_anchor("NotPublisher", log, 50, tree.root(50), sender=contract.bob)
    contract.anchor(log, 50, tree.root(50))
    # Not even what would change nothing, nor with a right proof.
    contract.refuse_anchor("NotPublisher", log, 50, tree.root(50), sender=contract.bob)
    proof = tree.consistency_proof(50, 90)
    contract.refuse_anchor("NotPublisher", log, 90, tree.root(90), proof, sender=contract.bob)


def test_an_unknown_log_is_refused(contract: AnchorContract, tree: Tree) -> None:
    unknown = keccak256(b"no such log")
    contract.refuse("LogUnknown", contract.alice, "anchor", ANCHORED, unknown, 1, tree.root(1), [])
    assert contract.head(unknown) == (0, NOTHING)
    assert contract.root_of(unknown, 1) == NOTHING


def test_roots_lie_where_the_specification_says(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.anchor(log, 50, tree.root(50))
    contract.anchor(log, 100, tree.root(100), tree.consistency_proof(50, 100))
    storage_at = contract.chain.storage_at
    for size in (50, 100):
        # keccak256(size . keccak256(logId . slot 0))
        slot = keccak256(size.to_bytes(32, "big") + keccak256(log.id + bytes(32)))
        assert slot == root_slot(log.id, size)
        assert storage_at(contract.address, slot) == tree.root(size)
    assert storage_at(contract.address, root_slot(log.id, 51)) == NOTHING
    # The head: size above the publisher, at keccak256(logId . slot 1).
    head = storage_at(contract.address, keccak256(log.id + (1).to_bytes(32, "big")))
    assert head == bytes(4) + (100).to_bytes(8, "big") + bytes.fromhex(log.publisher[2:])
