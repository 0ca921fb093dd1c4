"""Hash trees: every group leads to the root, nothing else does, and RFC 4998's own example comes out."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.errors import FormatError, InclusionError
from mizheng.verifier.renewal.tree import HashTree, compute_root
from mizheng.verifier.timestamp.algorithms import SHA256, find_hash

GROUPS = st.lists(
    st.lists(st.binary(max_size=3).map(SHA256.digest), min_size=1, max_size=3, unique=True),
    min_size=1,
    max_size=20,
)


@given(GROUPS)
def test_every_group_leads_to_the_root(groups: list[list[bytes]]) -> None:
    tree = HashTree(SHA256, groups)
    for place, group in enumerate(groups):
        assert compute_root(SHA256, tree.reduced(place), group) == tree.root


@given(GROUPS, st.binary(min_size=4, max_size=4).map(SHA256.digest))
def test_nothing_else_does(groups: list[list[bytes]], stranger: bytes) -> None:
    tree = HashTree(SHA256, groups)
    for place, group in enumerate(groups):
        reduced = tree.reduced(place)
        if reduced:
            with pytest.raises(InclusionError):
                compute_root(SHA256, reduced, [stranger])
            with pytest.raises(InclusionError):
                compute_root(SHA256, reduced, [*group, stranger])


def test_example_of_the_rfc() -> None:
    """RFC 4998 §4.2, figures 1 and 2: documents 1, 2a-2c and 3 with other contents, by hand."""

    def digest(*parts: bytes) -> bytes:
        return hashlib.sha256(b"".join(sorted(parts))).digest()

    one, two, three = b"\1" * 32, [b"\2" * 32, b"\3" * 32, b"\0" * 32], b"\4" * 32
    group = digest(*two)
    root = digest(digest(one, group), three)
    tree = HashTree(SHA256, [[one], two, [three]])
    assert tree.root == root
    assert tree.reduced(0) == (tuple(sorted((one, group))), (three,))
    assert tree.reduced(1) == (tuple(sorted(two)), (one,), (three,))
    assert tree.reduced(2) == (tuple(sorted((three, digest(one, group)))),)


def test_member_of_a_group_alone() -> None:
    """One document may be shown of a group, but never be passed off as the whole of it."""
    two = [b"\2" * 32, b"\3" * 32]
    tree = HashTree(SHA256, [two, [b"\1" * 32]])
    assert compute_root(SHA256, tree.reduced(0), two[:1]) == tree.root
    three = HashTree(SHA256, [[*two, b"\5" * 32]])
    with pytest.raises(InclusionError):
        compute_root(SHA256, three.reduced(0), two)


def test_one_object_alone_has_no_tree() -> None:
    tree = HashTree(SHA256, [[b"\1" * 32]])
    assert (tree.root, tree.reduced(0)) == (b"\1" * 32, ())
    with pytest.raises(InclusionError):
        compute_root(SHA256, (), [b"\1" * 32, b"\2" * 32])


@pytest.mark.parametrize(
    "reduced", [((b"\1" * 32,),), ((b"\1" * 32, b"\2" * 32), ()), ((b"\1" * 32, b"\2" * 31),)]
)
def test_lists_that_join_nothing(reduced: tuple[tuple[bytes, ...], ...]) -> None:
    with pytest.raises(FormatError):
        compute_root(SHA256, reduced, [b"\1" * 32])


def test_another_hash() -> None:
    algorithm = find_hash("sha512")
    groups = [[algorithm.digest(bytes([n]))] for n in range(5)]
    tree = HashTree(algorithm, groups)
    assert len(tree.root) == 64
    assert compute_root(algorithm, tree.reduced(4), groups[4]) == tree.root
