"""Proofs from stored tiles: a proof reads a few rows, however large the log is."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from mizheng.notary.log.head import Head
from mizheng.notary.log.tiles import TileReader
from mizheng.verifier import merkle
from mizheng.verifier.checkpoint import TlogProof, dump_tlog_proof, hash_line
from mizheng.verifier.tiles import TILE_WIDTH
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
        width = end - start
        if width <= TILE_WIDTH and not width & (width - 1):
            # A complete subtree within one tile, which `levels` has all nodes of.
            lines = _lines_in_tile(reader.levels(0, start // TILE_WIDTH), indices, width, siblings)
            for index in indices:
                found[index] = dump_tlog_proof(index, lines[index % TILE_WIDTH], head.checkpoint)
            return
        middle = start + merkle.split_point(width)
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


def _lines_in_tile(
    levels: Sequence[Sequence[bytes]], indices: Iterable[int], width: int, above: str
) -> dict[int, str]:
    """The proof lines of these leaves of one tile, by their place in it: `above` are those of the subtree of
    `width` leaves that they are in.
    """
    places = [{index % TILE_WIDTH for index in indices}]
    while width > 1:
        places.append({place >> 1 for place in places[-1]})
        width >>= 1
    lines = dict.fromkeys(places.pop(), above)
    for height in range(len(places) - 1, -1, -1):
        nodes = levels[height]
        lines = {place: hash_line(nodes[place ^ 1]) + lines[place >> 1] for place in places[height]}
    return lines


def tlog_proof_for(reader: TileReader, leaf_index: int, tree_size: int, checkpoint: bytes) -> bytes:
    """The same against any signed checkpoint of `tree_size`, such as one that was kept."""
    hashes = merkle.inclusion_proof(leaf_index, tree_size, reader.subtree_root)
    return TlogProof(leaf_index, tuple(hashes), checkpoint).dump()
