"""Proofs from stored tiles: a proof reads a few rows, however large the log is."""

from mizheng.notary.log.head import Head
from mizheng.notary.log.tiles import TileReader
from mizheng.verifier import merkle
from mizheng.verifier.checkpoint import TlogProof
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


def tlog_proof_for(reader: TileReader, leaf_index: int, tree_size: int, checkpoint: bytes) -> bytes:
    """The same against any signed checkpoint of `tree_size`, such as one that was kept."""
    hashes = merkle.inclusion_proof(leaf_index, tree_size, reader.subtree_root)
    return TlogProof(leaf_index, tuple(hashes), checkpoint).dump()
