"""Proofs from stored tiles: a proof reads a few rows, however large the log is."""

from bisect import bisect_left
from collections.abc import Iterable

from mizheng.notary.log.head import Head
from mizheng.notary.log.tiles import TileReader
from mizheng.verifier import merkle
from mizheng.verifier.checkpoint import TlogProof, dump_tlog_proof, hash_line
from sqlalchemy import Connection


def root_hash(connection: Connection, tree_size: int) -> bytes:
    """Root over the first `tree_size` entries, which must be stored."""
    if tree_size == 0:
        return merkle.EMPTY_ROOT
    return TileReader(connection).subtree_root(0, tree_size)


def inclusion_proof(connection: Connection, leaf_index: int, tree_size: int) -> list[bytes]:
    """RFC 6962 §2.1.1, lowest node first."""
    return merkle.inclusion_proof(leaf_index, tree_size, TileReader(connection).subtree_root)


def consistency_proof(connection: Connection, old_size: int, new_size: int) -> list[bytes]:
    """RFC 6962 §2.1.2; the same nodes as RFC 9162 §2.1.4.1."""
    return merkle.consistency_proof(old_size, new_size, TileReader(connection).subtree_root)


def tlog_proof(reader: TileReader, leaf_index: int, head: Head) -> bytes:
    """C2SP .tlog-proof: entry `leaf_index` is in the tree that `head` signed."""
    return tlog_proof_for(reader, leaf_index, head.tree_size, head.checkpoint)


def tlog_proofs(reader: TileReader, leaf_indices: Iterable[int], head: Head) -> dict[int, bytes]:
    """The same for many entries, by their leaf index: what their paths share is read and written once."""
    found: dict[int, bytes] = {}

    def descend(indices: list[int], start: int, end: int, siblings: str) -> None:
        # RFC 6962 §2.1.1 from the root down: `siblings` are the lines of the hashes above.
        if end - start == 1:
            found[start] = dump_tlog_proof(start, siblings, head.checkpoint)
            return
        middle = start + merkle.split_point(end - start)
        place = bisect_left(indices, middle)
        if place:
            line = hash_line(reader.subtree_root(middle, end))
            descend(indices[:place], start, middle, line + siblings)
        if place < len(indices):
            line = hash_line(reader.subtree_root(start, middle))
            descend(indices[place:], middle, end, line + siblings)

    wanted = sorted(set(leaf_indices))
    if wanted:
        if wanted[0] < 0 or wanted[-1] >= head.tree_size:
            raise ValueError("index outside the tree")
        descend(wanted, 0, head.tree_size, "")
    return found


def tlog_proof_for(reader: TileReader, leaf_index: int, tree_size: int, checkpoint: bytes) -> bytes:
    """The same against any signed checkpoint of `tree_size`, such as one that was kept."""
    hashes = merkle.inclusion_proof(leaf_index, tree_size, reader.subtree_root)
    return TlogProof(leaf_index, tuple(hashes), checkpoint).dump()
