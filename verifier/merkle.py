"""The hash tree of RFC 6962 §2.1 with SHA-256: building, proving, checking. Written once, used by all.

Proofs are made from any source of subtree roots, so that the notary can prove from stored tiles
with the same code that a test runs over a list in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from .errors import ConsistencyError, InclusionError

_sha256 = hashlib.sha256

EMPTY_ROOT = _sha256(b"").digest()

SubtreeRoot = Callable[[int, int], bytes]
"""Root over leaves [start, end). Asked only for ranges that RFC 6962's recursion forms."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return _sha256(b"\x01" + left + right).digest()


def split_point(size: int) -> int:
    """The largest power of two smaller than `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def complete_levels(leaf_hashes: Iterable[bytes]) -> list[list[bytes]]:
    """The leaf hashes, and the roots of all complete subtrees of 2, 4, 8 … of them."""
    level = list(leaf_hashes)
    levels = [level]
    sha256 = _sha256
    while len(level) > 1:
        pairs = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        levels.append(level)
    return levels


class Tree:
    """A tree over leaf hashes in memory, all complete levels kept: 10⁶ leaves take about 64 MB."""

    __slots__ = ("_edges", "_levels", "size")

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        self._levels = complete_levels(leaf_hashes)
        self.size = len(self._levels[0])
        # At each height the root over what is left at the right edge, where it is no complete subtree.
        self._edges = [
            self.subtree_root(len(level) << height, self.size) if len(level) << height < self.size else b""
            for height, level in enumerate(self._levels)
        ]

    def levels(self) -> Sequence[Sequence[bytes]]:
        """All complete nodes, the leaves first; level n has size >> n of them."""
        return self._levels

    def subtree_root(self, start: int, end: int) -> bytes:
        """Root over leaves [start, end) as the recursion of RFC 6962 forms them."""
        width = end - start
        if width & (width - 1) == 0 and width:
            height = width.bit_length() - 1
            return self._levels[height][start >> height]
        middle = start + split_point(width)
        return node_hash(self.subtree_root(start, middle), self.subtree_root(middle, end))

    def root(self, size: int | None = None) -> bytes:
        """Root over the first `size` leaves (all by default)."""
        size = self._size(size)
        return self.subtree_root(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH(index, D[size]) of RFC 6962 §2.1.1, lowest node first."""
        if size is not None and size != self.size:
            return inclusion_proof(index, self._size(size), self.subtree_root)
        if not 0 <= index < self.size:
            raise ValueError("index outside the tree")
        # The same nodes, looked up from the leaf upwards.
        proof: list[bytes] = []
        last = self.size - 1
        for level, edge in zip(self._levels, self._edges, strict=True):
            if not last:
                break
            sibling = index ^ 1
            if sibling < len(level):
                proof.append(level[sibling])
            elif sibling <= last:
                proof.append(edge)
            # Otherwise the last node of this height is alone and is the one above, too.
            index >>= 1
            last >>= 1
        return proof

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        return consistency_proof(old, self._size(new), self.subtree_root)

    def _size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError("size outside the tree")
        return size


def compute_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root over leaf hashes, with memory for one path only."""
    stack: list[bytes] = []
    for position, leaf in enumerate(leaf_hashes):
        node = leaf
        # Each trailing one bit of the position is a complete subtree waiting to be joined.
        waiting = position
        while waiting & 1:
            node = node_hash(stack.pop(), node)
            waiting >>= 1
        stack.append(node)
    if not stack:
        return EMPTY_ROOT
    root = stack.pop()
    while stack:
        root = node_hash(stack.pop(), root)
    return root


def inclusion_proof(index: int, size: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, lowest node first."""
    if not 0 <= index < size:
        raise ValueError("index outside the tree")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            proof.append(subtree_root(middle, end))
            end = middle
        else:
            proof.append(subtree_root(start, middle))
            start = middle
    proof.reverse()
    return proof


def consistency_proof(old: int, new: int, subtree_root: SubtreeRoot) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 §2.1.2; empty when old is 0 or equals new."""
    if not 0 <= old <= new:
        raise ValueError("sizes out of order")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, end, known = 0, new, True
    while old != end:
        middle = start + split_point(end - start)
        if old <= middle:
            proof.append(subtree_root(middle, end))
            end = middle
        else:
            proof.append(subtree_root(start, middle))
            start, known = middle, False
    if not known:
        proof.append(subtree_root(start, end))
    proof.reverse()
    return proof


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 §2.1.3.2. Binds the position: index < size and exactly the right number of hashes."""
    if root_from_inclusion(leaf, index, size, proof) != root:
        raise InclusionError("the inclusion proof does not lead to the tree's root")


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that `proof` leads to from `leaf` at `index` in a tree of `size`."""
    if not 0 <= index < size:
        raise InclusionError("leaf index {index} is outside a tree of {size}", index=index, size=size)
    node, last = leaf, size - 1
    # `node_hash` written out: the calls would take a quarter of the time.
    sha256 = _sha256
    for sibling in proof:
        if last == 0:
            raise InclusionError("the inclusion proof is longer than the tree is high")
        if index & 1 or index == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    if last:
        raise InclusionError("the inclusion proof is shorter than the tree is high")
    return node


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """RFC 9162 §2.1.4.2: the tree of new_size begins with the tree of old_size."""
    if not 0 <= old_size <= new_size:
        raise ConsistencyError("the tree shrank from {old} to {new}", old=old_size, new=new_size)
    if old_size == new_size:
        if proof or old_root != new_root:
            raise ConsistencyError("two different roots for one tree size {size}", size=new_size)
        return
    if old_size == 0:
        if proof or old_root != EMPTY_ROOT:
            raise ConsistencyError("an empty tree has one root and needs no proof")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ConsistencyError("the consistency proof is empty")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ConsistencyError("the consistency proof is longer than the tree is high")
        if position & 1 or position == last:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ConsistencyError("the consistency proof is shorter than the tree is high")
    if old_node != old_root or new_node != new_root:
        raise ConsistencyError("the consistency proof does not join the two roots")
