"""The manifest: a padded, sorted hash tree of records, and the commitment that leaves the house (formats §2).

Padded to a power of two and sorted by hash, so that the index and size of an opened record tell
nothing about how many records there are or what lies between two of them.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .canonical import dump, from_base64, from_hex, parse_object, to_base64
from .errors import FormatError, InclusionError
from .keyed import KeyedHash
from .merkle import Tree, leaf_hash, root_from_inclusion
from .record import MANIFEST_KEY_BYTES, MAX_RECORD_BYTES
from .signature import PublicKey

# Small manifests all look alike below this many leaves.
MIN_TREE_SIZE = 1024
# 2^32 records would be a seal of a terabyte; proofs stay below 33 hashes.
MAX_TREE_SIZE = 2**32

_COMMITMENT_CONTEXT = b"mizheng/manifest/v1\n"
PAD_CONTEXT = b"mizheng/pad/v1\n"


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """A record with its inclusion proof in the manifest: member records/NNNN.json."""

    record: bytes
    index: int
    tree_size: int
    hashes: tuple[bytes, ...]

    def dump(self) -> bytes:
        return dump(
            {
                "record": to_base64(self.record),
                "index": self.index,
                "tree_size": self.tree_size,
                "hashes": [item.hex() for item in self.hashes],
            }
        )

    def verify(self, commitment: bytes, depositor_key: PublicKey) -> None:
        """Check that the record belongs to `commitment`, bound to the depositor's key, or raise."""
        root = root_from_inclusion(leaf_hash(self.record), self.index, self.tree_size, self.hashes)
        if compute_commitment(depositor_key, self.tree_size, root) != commitment:
            raise InclusionError("the record does not belong to the commitment of this statement and key")


def parse_opened_record(data: bytes) -> OpenedRecord:
    """Read records/NNNN.json; FormatError when malformed."""
    fields = parse_object(
        data,
        {"record": str, "index": int, "tree_size": int, "hashes": list},
        max_bytes=2 * MAX_RECORD_BYTES,
    )
    size = fields["tree_size"]
    if not MIN_TREE_SIZE <= size <= MAX_TREE_SIZE or size & (size - 1):
        raise FormatError("a manifest's tree size is a power of two, at least {least}", least=MIN_TREE_SIZE)
    hashes = tuple(from_hex(item, 32) for item in fields["hashes"])
    return OpenedRecord(from_base64(fields["record"]), fields["index"], size, hashes)


class Manifest:
    """The whole tree, on the machine that made it. Needs 32 bytes a leaf and as much for the inner nodes."""

    __slots__ = ("_leaves", "_tree", "root", "tree_size")

    def __init__(self, leaf_hashes: Iterable[bytes], manifest_key: bytes) -> None:
        """`leaf_hashes` are those of the records' bytes, in any order; free places are padded."""
        if len(manifest_key) != MANIFEST_KEY_BYTES:
            raise ValueError("a manifest key has 32 bytes")
        leaves = list(leaf_hashes)
        self.tree_size = compute_tree_size(len(leaves))
        pads = range(self.tree_size - len(leaves))
        pad = KeyedHash(manifest_key, PAD_CONTEXT)
        leaves += (pad.digest(i.to_bytes(8, "big")) for i in pads)
        leaves.sort()
        self._leaves = leaves
        self._tree = Tree(leaves)
        self.root = self._tree.root()

    def levels(self) -> Sequence[Sequence[bytes]]:
        """The tree level by level, the sorted leaves first, the root last."""
        return self._tree.levels()

    def commitment(self, depositor_key: PublicKey) -> bytes:
        return compute_commitment(depositor_key, self.tree_size, self.root)

    def open(self, record: bytes) -> OpenedRecord:
        """The record with its proof; InclusionError when it is not one of this manifest."""
        leaf = leaf_hash(record)
        position = bisect_left(self._leaves, leaf)
        if position == self.tree_size or self._leaves[position] != leaf:
            raise InclusionError("the record is not one of this manifest")
        return OpenedRecord(record, position, self.tree_size, tuple(self._tree.inclusion_proof(position)))


def compute_tree_size(records: int) -> int:
    """The number of leaves for this many records: the next power of two, at least 1,024."""
    return max(MIN_TREE_SIZE, 1 << max(records - 1, 0).bit_length())


def compute_commitment(depositor_key: PublicKey, tree_size: int, root: bytes) -> bytes:
    """SHA-256 over context, the key's SHA-256, the size and the root: useless to any other key."""
    key_digest = hashlib.sha256(depositor_key.spki).digest()
    return hashlib.sha256(_COMMITMENT_CONTEXT + key_digest + tree_size.to_bytes(8, "big") + root).digest()
