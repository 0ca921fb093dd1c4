"""What the log shows the world: places of tiles (C2SP tlog-tiles) to stored bytes.

Everything here is bounded by one head, the published one: what it does not cover does not exist for readers,
whatever the database holds. Each answer reads a few rows, however large the log is.
"""

from dataclasses import dataclass

from mizheng.notary.log.tiles import LogCorruptError, TileReader, split_bundle
from mizheng.notary.models import entry_bundles
from mizheng.verifier.tiles import (
    HASH_SIZE,
    MAX_LEVEL,
    TILE_WIDTH,
    format_tile_path,
    parse_tile_path,
    tile_width,
)
from sqlalchemy import Connection, bindparam, select

# C2SP tlog-tiles names the bundles as if they were a level of their own.
ENTRIES = "entries"
_BUNDLE = select(entry_bundles.c.data).where(entry_bundles.c.tile_index == bindparam("at_index"))


@dataclass(frozen=True, slots=True)
class Place:
    """One file of the log: a tile of hashes, or an entry bundle."""

    level: int | None
    """None: entries."""
    index: int
    width: int = TILE_WIDTH
    """1 to 256; 256 is a full tile."""

    @property
    def path(self) -> str:
        """C2SP tlog-tiles, without a leading slash."""
        level = ENTRIES if self.level is None else self.level
        return f"tile/{level}/{format_tile_path(self.index, self.width)}"

    def is_covered_by(self, tree_size: int) -> bool:
        """Whether a tree of this size has it: as it is, or as the beginning of what it has."""
        return tile_width(self.level or 0, self.index, tree_size) >= self.width


def parse_place(path: str) -> Place | None:
    """`tile/0/x001/x234/067.p/8` → its place; None for every spelling but the one of C2SP."""
    folder, _, rest = path.partition("/")
    level, _, tile = rest.partition("/")
    if folder != "tile" or not (
        level == ENTRIES or (len(level) == 1 and level in "01234567"[: MAX_LEVEL + 1])
    ):
        return None
    found = parse_tile_path(tile)
    return None if found is None else Place(None if level == ENTRIES else int(level), *found)


def read_place(connection: Connection, place: Place, tree_size: int) -> bytes | None:
    """The bytes of a place; None where a log of `tree_size` entries has nothing there.

    LogCorruptError if it should be there and is not.
    """
    if not place.is_covered_by(tree_size):
        return None
    if place.level is None:
        data = read_bundle(connection, place.index, place.width)
    else:
        data = read_tile(connection, place.level, place.index, place.width)
    if data is None:
        raise LogCorruptError(f"{place.path} is not stored, though the log's head covers it")
    return data


def read_tile(connection: Connection, level: int, index: int, width: int) -> bytes | None:
    """The first `width` hashes of a tile; None where the log has not got that far."""
    if not 0 <= level <= MAX_LEVEL:
        return None
    hashes = TileReader(connection).tile(level, index)[: width * HASH_SIZE]
    return hashes if len(hashes) == width * HASH_SIZE else None


def read_bundle(connection: Connection, index: int, width: int) -> bytes | None:
    """The first `width` entries of a bundle; None where the log has not got that far."""
    data = connection.execute(_BUNDLE, {"at_index": index}).scalar_one_or_none() or b""
    taken = split_bundle(data)[:width]
    if len(taken) != width:
        return None
    return data[: sum(2 + len(entry) for entry in taken)]
