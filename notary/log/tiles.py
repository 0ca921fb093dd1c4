"""The log's tiles and entry bundles in the database (C2SP tlog-tiles).

A tile holds up to 256 hashes of one level; level L counts in subtrees of 256^L leaves. Tiles grow at the
right edge only, so a partial tile of an earlier size is a prefix of what is stored, and appending n entries
writes about n/256 rows and a few more.
"""

from collections.abc import Sequence

from mizheng.notary.intake.rows import Asked, Insert, Statement
from mizheng.notary.models import entry_bundles, tiles
from mizheng.verifier import tiles as format_of_tiles
from mizheng.verifier.errors import TruncatedError
from mizheng.verifier.merkle import complete_levels
from mizheng.verifier.tiles import HASH_SIZE, TILE_WIDTH, TileTree, split_hashes
from sqlalchemy import Connection, bindparam, select, update

_TILE = Statement(
    select(tiles.c.hashes).where(
        tiles.c.level == bindparam("at_level"), tiles.c.tile_index == bindparam("at_index")
    )
)
_ADD_TILES = Insert(tiles, tiles.c.level, tiles.c.tile_index, tiles.c.hashes)
_GROW_TILE = Statement(
    update(tiles)
    .where(tiles.c.level == bindparam("at_level"), tiles.c.tile_index == bindparam("at_index"))
    .values(hashes=bindparam("grown"))
)
_BUNDLES = Statement(
    select(entry_bundles.c.data)
    .where(entry_bundles.c.tile_index.between(bindparam("first"), bindparam("last")))
    .order_by(entry_bundles.c.tile_index)
)
_ADD_BUNDLES = Insert(entry_bundles, entry_bundles.c.tile_index, entry_bundles.c.data)
_GROW_BUNDLE = Statement(
    update(entry_bundles)
    .where(entry_bundles.c.tile_index == bindparam("at_index"))
    .values(data=bindparam("grown"))
)


class LogCorruptError(Exception):
    """What is stored is not what was written: the log must not go on."""


class TileReader(TileTree):
    """Hashes of the tree as they stand in the database, within one transaction.

    Each tile is fetched once and each inner node computed once; the reader must not outlive its transaction.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(self.tile)
        self._connection = connection
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._asked: dict[tuple[int, int], Asked] = {}

    def ask_edge(self, old_size: int, size: int) -> None:
        """Ask for what a tree of `size` has beyond full tiles of one of `old_size`, all at once: each level's
        tiles from the one where the old tree ends.
        """
        level = 0
        while count := size >> (8 * level):
            for index in range((old_size >> (8 * level)) // TILE_WIDTH, (count - 1) // TILE_WIDTH + 1):
                self.ask(level, index)
            level += 1

    def ask(self, level: int, index: int) -> None:
        """Ask for a tile that will be needed; see `Asked`."""
        self._asked[level, index] = _TILE.ask(self._connection, at_level=level, at_index=index)

    def tile(self, level: int, index: int) -> bytes:
        """The stored hashes of a tile, concatenated; empty where there is none."""
        key = (level, index)
        if key not in self._tiles:
            if key not in self._asked:
                self.ask(level, index)
            found = self._asked.pop(key).rows()
            self._tiles[key] = found[0][0] if found else b""
        return self._tiles[key]

    def subtree_root(self, start: int, end: int) -> bytes:
        """Root over leaves [start, end); LogCorruptError where a stored tile ends too early."""
        try:
            return super().subtree_root(start, end)
        except TruncatedError as error:
            raise LogCorruptError(str(error)) from error


def append_tiles(
    connection: Connection, tree_size: int, leaf_hashes: Sequence[bytes], before: TileReader | None = None
) -> None:
    """Write the hashes of new leaves behind the `tree_size` existing ones, and what they complete above.

    `before` reads the tiles as they are before this; a new reader if there is none.
    """
    before = before or TileReader(connection)
    level, start, hashes = 0, tree_size, list(leaf_hashes)
    while hashes:
        first, filled = divmod(start, TILE_WIDTH)
        stored = _read_partial(before, level, first, filled)
        data = stored + b"".join(hashes)
        size = TILE_WIDTH * HASH_SIZE
        chunks = [data[offset : offset + size] for offset in range(0, len(data), size)]
        fresh = [(level, first + number, chunk) for number, chunk in enumerate(chunks)]
        if filled:
            _GROW_TILE.run(connection, at_level=level, at_index=first, grown=fresh.pop(0)[2])
        if fresh:
            _ADD_TILES.run(connection, fresh)
        # Each tile that is now full is one hash of the level above.
        hashes = [complete_levels(split_hashes(chunk))[-1][0] for chunk in chunks if len(chunk) == size]
        level, start = level + 1, first


def append_entries(connection: Connection, tree_size: int, data: Sequence[bytes]) -> None:
    """Write the entries themselves behind the `tree_size` existing ones."""
    position, rest = tree_size, list(data)
    fresh: list[tuple[int, bytes]] = []
    while rest:
        index, filled = divmod(position, TILE_WIDTH)
        taken, rest = rest[: TILE_WIDTH - filled], rest[TILE_WIDTH - filled :]
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in taken)
        if filled:
            found = _BUNDLES.run(connection, first=index, last=index)
            if not found:
                raise LogCorruptError(f"entry bundle {index} is missing")
            _GROW_BUNDLE.run(connection, at_index=index, grown=found[0][0] + bundle)
        else:
            fresh.append((index, bundle))
        position += len(taken)
    if fresh:
        _ADD_BUNDLES.run(connection, fresh)


def read_entries(connection: Connection, start: int, end: int) -> list[bytes]:
    """The entries [start, end), read back from their bundles."""
    first, last = start // TILE_WIDTH, (end - 1) // TILE_WIDTH
    rows = _BUNDLES.run(connection, first=first, last=last)
    found = [entry for (data,) in rows for entry in split_bundle(data)]
    offset = first * TILE_WIDTH
    return found[start - offset : end - offset]


def split_bundle(data: bytes) -> list[bytes]:
    """The entries of a stored bundle."""
    try:
        return format_of_tiles.split_bundle(data)
    except TruncatedError as error:
        raise LogCorruptError(str(error)) from error


def _read_partial(before: TileReader, level: int, index: int, filled: int) -> bytes:
    if not filled:
        return b""
    stored = before.tile(level, index)
    if len(stored) != filled * HASH_SIZE:
        raise LogCorruptError(f"tile {index} of level {level} does not end where the log ends")
    return stored
