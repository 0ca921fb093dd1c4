"""The hash tree against the definitions of RFC 6962 §2.1, transcribed word for word, as slow as they read."""

from __future__ import annotations

import hashlib
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mizheng.verifier.errors import ConsistencyError, InclusionError
from mizheng.verifier.merkle import (
    EMPTY_ROOT,
    Tree,
    compute_root,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    split_point,
    verify_consistency,
    verify_inclusion,
)

from tests.support.scale import scaled

SIZES = scaled(33, 130)
short = settings(max_examples=scaled(100, 3000), deadline=None)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: list[bytes]) -> bytes:
    """RFC 6962 §2.1, "Merkle Tree Hash"."""
    if not d:
        return sha256(b"")
    if len(d) == 1:
        return sha256(b"\x00" + d[0])
    k = largest_power_below(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:]))


def path(m: int, d: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1, "Merkle Audit Paths"."""
    if len(d) == 1:
        return []
    k = largest_power_below(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.2, "Merkle Consistency Proofs"."""
    return subproof(m, d, True)


def subproof(m: int, d: list[bytes], b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    k = largest_power_below(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def data_of(size: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(size)]


def tree_of(size: int) -> Tree:
    return Tree(leaf_hash(data) for data in data_of(size))


def included(leaf: bytes, index: int, size: int, hashes: list[bytes], root: bytes) -> bool:
    try:
        verify_inclusion(leaf, index, size, hashes, root)
    except InclusionError:
        return False
    return True


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, hashes: list[bytes]) -> bool:
    try:
        verify_consistency(old, old_root, new, new_root, hashes)
    except ConsistencyError:
        return False
    return True


# The test tree of the Certificate Transparency implementations: eight leaves, the root of each size.
CT_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_known_from_certificate_transparency() -> None:
    tree = Tree(leaf_hash(bytes.fromhex(leaf)) for leaf in CT_LEAVES)
    assert [tree.root(size).hex() for size in range(1, 9)] == CT_ROOTS
    assert tree.root(0) == EMPTY_ROOT == sha256(b"")


def test_leaves_and_nodes_are_told_apart() -> None:
    assert leaf_hash(b"") == sha256(b"\x00")
    assert node_hash(b"a" * 32, b"b" * 32) == sha256(b"\x01" + b"a" * 32 + b"b" * 32)


@pytest.mark.parametrize("size", range(SIZES))
def test_roots_and_proofs_are_those_of_the_definitions(size: int) -> None:
    data, tree, whole = data_of(size), tree_of(SIZES), tree_of(size)
    assert tree.root(size) == mth(data) == compute_root(leaf_hash(item) for item in data)
    for index in range(size):
        # Of the larger tree's beginning, and of the whole of a tree of that size.
        assert tree.inclusion_proof(index, size) == whole.inclusion_proof(index) == path(index, data)
    with pytest.raises(ValueError, match="outside"):
        whole.inclusion_proof(size)
    for old in range(1, size + 1):
        assert tree.consistency_proof(old, size) == proof(old, data)
    assert tree.consistency_proof(0, size) == []


@short
@given(st.lists(st.binary(max_size=4), max_size=80), st.data())
def test_proofs_check_for_any_leaves(leaves: list[bytes], data: st.DataObject) -> None:
    """Equal leaves among them."""
    tree, root = Tree(map(leaf_hash, leaves)), mth(leaves)
    assert tree.root() == root
    if leaves:
        index = data.draw(st.integers(0, len(leaves) - 1))
        verify_inclusion(leaf_hash(leaves[index]), index, len(leaves), tree.inclusion_proof(index), root)
    old = data.draw(st.integers(0, len(leaves)))
    verify_consistency(old, mth(leaves[:old]), len(leaves), root, tree.consistency_proof(old))


# Inclusion


def test_a_proof_is_good_at_its_own_index_only() -> None:
    for size in range(1, scaled(18, 70)):
        tree = tree_of(size)
        for index, claimed in product(range(size), range(-2, size + 3)):
            leaf, hashes = leaf_hash(b"leaf %d" % index), tree.inclusion_proof(index)
            assert included(leaf, claimed, size, hashes, tree.root()) == (claimed == index)


def test_a_proof_is_good_for_its_own_leaf_and_root_only() -> None:
    tree = tree_of(13)
    for index, other in product(range(13), repeat=2):
        hashes = tree.inclusion_proof(index)
        assert included(leaf_hash(b"leaf %d" % other), index, 13, hashes, tree.root()) == (index == other)
        assert included(leaf_hash(b"leaf %d" % index), index, 13, hashes, tree.root(other)) is False


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 1024])
def test_a_proof_of_another_length_is_refused(size: int) -> None:
    tree = tree_of(size)
    for index in {0, size // 2, size - 1}:
        leaf, hashes = leaf_hash(b"leaf %d" % index), tree.inclusion_proof(index)
        assert included(leaf, index, size, hashes, tree.root())
        for wrong in ([*hashes, bytes(32)], [bytes(32), *hashes], [*hashes, *hashes, leaf]):
            assert not included(leaf, index, size, wrong, tree.root())
        for left_out in range(len(hashes)):
            assert not included(leaf, index, size, hashes[:left_out] + hashes[left_out + 1 :], tree.root())


def test_a_proof_from_a_higher_tree_is_refused_under_a_smaller_size() -> None:
    """The hashes do lead to its root; the size says that they are too many."""
    tree = tree_of(16)
    for index, size in product(range(16), (1, 2, 3, 4, 7, 8)):
        for claimed in range(size):
            leaf = leaf_hash(b"leaf %d" % index)
            assert not included(leaf, claimed, size, tree.inclusion_proof(index), tree.root())


def test_every_hash_of_a_proof_counts() -> None:
    tree = tree_of(11)
    for index in range(11):
        leaf, hashes = leaf_hash(b"leaf %d" % index), tree.inclusion_proof(index)
        for place in range(len(hashes)):
            wrong = [*hashes]
            wrong[place] = bytes([wrong[place][0] ^ 1]) + wrong[place][1:]
            assert not included(leaf, index, 11, wrong, tree.root())
        if len(hashes) > 1:
            assert not included(leaf, index, 11, hashes[::-1], tree.root())


def test_an_inner_node_is_no_leaf() -> None:
    """Its two hashes as the data of a leaf, or the node itself a level higher up."""
    tree = tree_of(8)
    left, right = tree.subtree_root(0, 1), tree.subtree_root(1, 2)
    shorter = tree.inclusion_proof(0)[1:]
    assert not included(leaf_hash(left + right), 0, 4, shorter, tree.root())
    assert not included(leaf_hash(left + right), 0, 8, tree.inclusion_proof(0), tree.root())
    assert not included(node_hash(left, right), 0, 8, shorter, tree.root())


def test_nothing_is_in_an_empty_tree() -> None:
    assert not included(leaf_hash(b""), 0, 0, [], EMPTY_ROOT)


def test_huge_sizes_end_at_once() -> None:
    assert not included(leaf_hash(b""), 2**63 - 2, 2**63 - 1, [], EMPTY_ROOT)
    assert not included(leaf_hash(b""), 0, 2**63 - 1, [bytes(32)] * 100, EMPTY_ROOT)
    assert not consistent(1, EMPTY_ROOT, 2**63 - 1, EMPTY_ROOT, [bytes(32)] * 100)


@short
@given(
    st.binary(min_size=32, max_size=32),
    st.integers(-3, 2**64),
    st.integers(-3, 2**64),
    st.lists(st.binary(min_size=32, max_size=32), max_size=70),
)
def test_random_proofs_are_refused(leaf: bytes, index: int, size: int, hashes: list[bytes]) -> None:
    assert not included(leaf, index, size, hashes, bytes(32))
    assert not consistent(index, leaf, size, bytes(32), hashes) or (leaf == bytes(32) and index == size)


# Consistency


def test_a_consistency_proof_joins_its_own_two_trees_only() -> None:
    tree = tree_of(scaled(14, 40))
    sizes = range(tree.size + 1)
    for old, new in product(sizes, sizes):
        if old > new:
            assert not consistent(old, tree.root(old), new, tree.root(new), [])
            continue
        hashes = tree.consistency_proof(old, new)
        assert consistent(old, tree.root(old), new, tree.root(new), hashes)
        for other in sizes:
            if other != old:
                assert not consistent(old, tree.root(other), new, tree.root(new), hashes)
            # Every tree extends the empty one.
            if old and other != new:
                assert not consistent(old, tree.root(old), new, tree.root(other), hashes)
        if old not in (0, new):
            assert not consistent(old, tree.root(old), new, tree.root(new), [])
        assert not consistent(old, tree.root(old), new, tree.root(new), [*hashes, bytes(32)])
        for place in range(len(hashes)):
            assert not consistent(
                old, tree.root(old), new, tree.root(new), hashes[:place] + hashes[place + 1 :]
            )
            wrong = [*hashes]
            wrong[place] = bytes(32)
            assert not consistent(old, tree.root(old), new, tree.root(new), wrong)


def test_a_rewritten_leaf_is_never_consistent() -> None:
    for size, rewritten in product(range(2, 12), range(12)):
        honest, forged = tree_of(12), data_of(12)
        if rewritten >= size:
            continue
        forged[rewritten] = b"rewritten"
        tree = Tree(map(leaf_hash, forged))
        hashes = tree.consistency_proof(size, 12)
        assert not consistent(size, honest.root(size), 12, tree.root(), hashes)


# Arguments


def test_sizes_and_indices_outside_the_tree_are_errors() -> None:
    tree = tree_of(5)
    for size in (-1, 6):
        with pytest.raises(ValueError):
            tree.root(size)
    for index in (-1, 5, 6):
        with pytest.raises(ValueError):
            tree.inclusion_proof(index)
    for old in (-1, 6):
        with pytest.raises(ValueError):
            tree.consistency_proof(old)


def test_proofs_ask_only_for_subtrees_of_the_recursion() -> None:
    """So that they can be made from stored tiles: aligned powers of two, or the right edge."""
    asked = []

    def subtree_root(start: int, end: int) -> bytes:
        asked.append((start, end))
        return bytes(32)

    for index in range(21):
        inclusion_proof(index, 21, subtree_root)
    for old in range(22):
        consistency_proof(old, 21, subtree_root)
    for start, end in asked:
        width = end - start
        assert end == 21 or (width & (width - 1) == 0 and start % width == 0)


def test_the_split_point_is_below_the_size() -> None:
    assert [split_point(size) for size in (2, 3, 4, 5, 8, 9, 2**40 + 1)] == [1, 2, 2, 4, 4, 8, 2**40]
