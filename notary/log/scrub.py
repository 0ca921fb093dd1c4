"""Reads the whole log over and over, slowly, to find what went bad where nobody looks.

An append reads the tiles on the right edge only, and so finds a flipped bit in them before it signs. A bit
that flips in an old tile or entry changes no root; it would be found by whoever asks for a proof there,
years later. So every bundle is read in turn: its entries must hash to their tile, and every full tile to
the hash that the level above has for it.
"""

from __future__ import annotations

import logging

from mizheng.notary.database import reading
from mizheng.notary.log.append import check_head
from mizheng.notary.log.guard import LogGuard
from mizheng.notary.log.head import load_head
from mizheng.notary.log.tiles import LogCorruptError, TileReader, read_entries
from mizheng.verifier.merkle import compute_root, leaf_hash
from mizheng.verifier.tiles import HASH_SIZE, TILE_WIDTH
from sqlalchemy import Connection, Engine

logger = logging.getLogger(__name__)

# Some 2,000 entries in some ten milliseconds, once a second: a log of ten million in an hour and a half.
BUNDLES = 8
PAUSE_SECONDS = 1.0


class Scrubber:
    """One walk through the log after the other. `step` from one thread."""

    def __init__(self, engine: Engine, guard: LogGuard) -> None:
        self._engine = engine
        self._guard = guard
        self._next = 0
        self._found: str | None = None

    def step(self) -> bool:
        """Look at some bundles; stays where something is damaged until it no longer is."""
        try:
            with reading(self._engine) as connection:
                head = load_head(connection)
                check_head(connection, head)
                full = head.tree_size // TILE_WIDTH
                start = self._next if self._next < full else 0
                end = min(start + BUNDLES, full)
                for index in range(start, end):
                    _check_bundle(connection, index)
        except LogCorruptError as error:
            if self._found != str(error):
                logger.critical("the log is damaged, nothing is signed: %s", error)
            self._found = str(error)
        else:
            self._next, self._found = end, None
        self._guard.note_damage(self._found)
        return False


def _check_bundle(connection: Connection, index: int) -> None:
    reader = TileReader(connection)
    tile = reader.tile(0, index)
    entries = read_entries(connection, index * TILE_WIDTH, (index + 1) * TILE_WIDTH)
    if b"".join(leaf_hash(entry) for entry in entries) != tile or len(entries) != TILE_WIDTH:
        raise LogCorruptError(f"entry bundle {index} does not hash to its tile")
    level = 0
    while True:
        hashes = [tile[offset : offset + HASH_SIZE] for offset in range(0, len(tile), HASH_SIZE)]
        above, place = divmod(index, TILE_WIDTH)
        parent = reader.tile(level + 1, above)
        if parent[place * HASH_SIZE : (place + 1) * HASH_SIZE] != compute_root(hashes):
            raise LogCorruptError(f"tile {index} of level {level} is not what the level above says")
        # The last child of a full tile: then that one is looked at, too.
        if place != TILE_WIDTH - 1:
            return
        level, index, tile = level + 1, above, parent
