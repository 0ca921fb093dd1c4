"""Reads the whole log over and over, slowly, to find what went bad where nobody looks.

An append reads the tiles on the right edge only, and so finds a flipped bit in them before it signs. A bit
that flips in an old tile or entry changes no root; it would be found by whoever asks for a proof there,
years later. So every bundle is read in turn: its entries must hash to their tile, and every full tile to
the hash that the level above has for it.

Each process on a database walks by itself, from a place of its own. What one of them finds is written into
the head's row, which everybody locks before signing, and stays there over restarts until somebody has looked
at the very place again and found it well.
"""

from __future__ import annotations

import logging
import random

from mizheng.notary.database import reading, writing
from mizheng.notary.log.append import check_head
from mizheng.notary.log.guard import LogGuard
from mizheng.notary.log.head import load_head, lock_head, note_damage
from mizheng.notary.log.tiles import LogCorruptError, TileReader, read_entries
from mizheng.verifier.merkle import compute_root, leaf_hash
from mizheng.verifier.tiles import HASH_SIZE, TILE_WIDTH
from sqlalchemy import Connection, Engine

logger = logging.getLogger(__name__)

# Some 500 entries in a few milliseconds, four times a second: a log of ten million in an hour and a half.
# More at once would be felt by whoever waits for an answer.
BUNDLES = 2
PAUSE_SECONDS = 0.25


class Scrubber:
    """One walk through the log after the other. `step` from one thread."""

    def __init__(self, engine: Engine, guard: LogGuard) -> None:
        self._engine = engine
        self._guard = guard
        self._next: int | None = None
        self._found: str | None = None

    def step(self) -> bool:
        """Look at some bundles; stays where something is damaged until it no longer is."""
        known: int | None = None
        index: int | None = None
        try:
            with reading(self._engine) as connection:
                head = load_head(connection)
                known = head.damaged_bundle
                check_head(connection, head)
                for index in self._places(known, head.tree_size // TILE_WIDTH):
                    _check_bundle(connection, index)
        except LogCorruptError as error:
            if self._found != str(error):
                logger.critical("the log is damaged, nothing is signed: %s", error)
            self._found = str(error)
        else:
            self._found = None
            self._next = 0 if index is None else index + 1
        # First for this process, which needs no database for it.
        self._guard.note_damage(self._found)
        if self._found is None and known is not None:
            self._tell(known, None)
        elif self._found is not None and known is None and index is not None:
            self._tell(None, index)
        return False

    def _places(self, known: int | None, full: int) -> list[int]:
        """The bundles to look at now: the one that is known to be damaged, else the next ones, around."""
        if known is not None:
            return [known]
        if self._next is None:
            # Which one has no weight; that processes begin at different ones finds damage sooner.
            self._next = random.randrange(full or 1)  # noqa: S311
        return [(self._next + number) % full for number in range(min(BUNDLES, full))]

    def _tell(self, before: int | None, now: int | None) -> None:
        """Write down for all processes what was found, unless another one has written something meanwhile."""
        with writing(self._engine) as connection:
            if lock_head(connection).damaged_bundle == before:
                note_damage(connection, now)


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
