"""Appending to the log, inside a transaction that holds the head's lock.

What is true if the process dies:

1. before the commit: nothing happened; the database rolls back rows, tiles and head together;
2. during the commit: either all of it or nothing, and the database says which when it is asked again;
3. after the commit, before an answer: the entry stands, and sending the same envelope again finds it.

There is no second store to bring in line and no state in memory that outlives the transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mizheng.notary.intake.rows import Insert, Lookup
from mizheng.notary.log.head import Head, sign_head, store_head
from mizheng.notary.log.tiles import LogCorruptError, TileReader, append_entries, append_tiles, read_entries
from mizheng.notary.models import entries
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    leaf_hash,
    verify_consistency,
)
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.tiles import TILE_WIDTH
from sqlalchemy import Connection, select

_ADD = Insert(entries, entries.c.leaf_index, entries.c.envelope_sha256, entries.c.kind)
_BY_DIGEST = Lookup(select(entries.c.envelope_sha256, entries.c.leaf_index), entries.c.envelope_sha256)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An envelope that is to stand in the log."""

    envelope_sha256: bytes
    kind: str
    """deposit, event, enrolment or revocation: for the notary's own bookkeeping, invisible in the log."""


@dataclass(frozen=True, slots=True)
class Appended:
    """The head after an append, and a reader of exactly that tree."""

    head: Head
    reader: TileReader


def append(connection: Connection, signer: NoteSigner, head: Head, new: Sequence[NewEntry]) -> Appended:
    """Append `new` behind the locked `head`: entry i gets leaf index head.tree_size + i.

    No envelope of `new` may be in the log already; see `find_entries`. LogCorruptError or ConsistencyError
    when what is read back does not extend the old head: the caller's transaction must then roll back.
    """
    if not new:
        return Appended(head, TileReader(connection))
    size = head.tree_size + len(new)
    data = [dump_entry(entry.envelope_sha256) for entry in new]
    rows = [
        (place, entry.envelope_sha256, entry.kind) for place, entry in enumerate(new, start=head.tree_size)
    ]
    _ADD.run(connection, rows)
    before = TileReader(connection)
    before.ask(0, head.tree_size // TILE_WIDTH)
    append_entries(connection, head.tree_size, data)
    append_tiles(connection, head.tree_size, [leaf_hash(item) for item in data], before)
    # From here on only bytes that were read back count, not the ones that were meant to be written.
    reader = TileReader(connection)
    reader.ask_edge(head.tree_size, size)
    root = _check_extension(connection, reader, head, size, data)
    extended = sign_head(signer, size, root)
    store_head(connection, extended)
    return Appended(extended, reader)


def find_entries(connection: Connection, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Leaf indices of those envelope digests that are in the log."""
    return ask_entries(connection, digests)() if digests else {}


def ask_entries(connection: Connection, digests: Sequence[bytes]) -> Callable[[], dict[bytes, int]]:
    """The same, asked now and answered later."""
    asked = _BY_DIGEST.ask(connection, digests)
    return lambda: {row.envelope_sha256: row.leaf_index for row in asked()}


def check_head(connection: Connection, head: Head) -> None:
    """LogCorruptError when the stored tiles do not lead to the stored head."""
    root = TileReader(connection).subtree_root(0, head.tree_size) if head.tree_size else EMPTY_ROOT
    if root != head.root_hash:
        raise LogCorruptError("the log's tiles do not lead to its head")


def _check_extension(
    connection: Connection, reader: TileReader, head: Head, size: int, data: Sequence[bytes]
) -> bytes:
    # From the start of the bundle: what stood in it before was written anew as well.
    first = head.tree_size - head.tree_size % TILE_WIDTH
    stored = read_entries(connection, first, size)
    if stored[head.tree_size - first :] != list(data):
        raise LogCorruptError("the entries read back are not those that were written")
    for offset in range(0, len(stored), TILE_WIDTH):
        hashes = b"".join(leaf_hash(item) for item in stored[offset : offset + TILE_WIDTH])
        if reader.tile(0, (first + offset) // TILE_WIDTH) != hashes:
            raise LogCorruptError("the leaf hashes read back are not those of the entries")
    _check_full_tiles(reader, head.tree_size, size)
    root = reader.subtree_root(0, size)
    proof = consistency_proof(head.tree_size, size, reader.subtree_root)
    verify_consistency(head.tree_size, head.root_hash, size, root, proof)
    return root


def _check_full_tiles(reader: TileReader, old_size: int, size: int) -> None:
    """Every tile that this append filled is the hash that the level above holds for it."""
    level, old_count, count = 0, old_size // 256, size // 256
    while count > old_count:
        for index in range(old_count, count):
            span = 256 ** (level + 1)
            nodes, above = reader.levels(level, index), reader.subtree_root(index * span, (index + 1) * span)
            if len(nodes[0]) != TILE_WIDTH or nodes[-1][0] != above:
                raise LogCorruptError("a full tile is not what the level above says")
        level, old_count, count = level + 1, old_count // 256, count // 256
