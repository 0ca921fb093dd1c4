"""A signed checkpoint's tree as its log shows it, checked from the root down.

The right edge (at most eight partial tiles) is fetched first and has to lead to the signed root. From then
on a tile counts only if its hash stands in the tile above it. So a fault is found at the tile that has it,
and every root that is computed here is one of the signed tree.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from mizheng.cli.auditing.faults import MisbehaviourFault
from mizheng.cli.auditing.source import DeniedFault, Source
from mizheng.verifier.canonical import Json, to_base64
from mizheng.verifier.checkpoint import Checkpoint
from mizheng.verifier.merkle import EMPTY_ROOT
from mizheng.verifier.tiles import (
    HASH_SIZE,
    MAX_LEVEL,
    TILE_WIDTH,
    TileTree,
    format_tile_path,
    tile_width,
)

TILE_BYTES = TILE_WIDTH * HASH_SIZE
# u16 lengths: no entry is longer, no bundle holds more.
BUNDLE_BYTES = TILE_WIDTH * (2 + 0xFFFF)
# Full tiles kept: those above the place where the walk is, and some for proofs.
_KEPT = 64
# More than this is named by its digest in evidence.
_SHOWN_BYTES = 1 << 20


def tile_root(hashes: bytes) -> bytes:
    """The root over a full tile's 256 hashes."""
    sha256 = hashlib.sha256
    while len(hashes) > HASH_SIZE:
        pairs = (b"\x01" + hashes[start : start + 64] for start in range(0, len(hashes), 64))
        hashes = b"".join([sha256(pair).digest() for pair in pairs])
    return hashes


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    return f"tile/{level}/{format_tile_path(index, width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    return f"tile/entries/{format_tile_path(index, width)}"


def served(path: str, data: bytes) -> Json:
    """What a log answered, for evidence."""
    shown = {"bytes": to_base64(data)} if len(data) <= _SHOWN_BYTES else {}
    return {"path": path, "sha256": hashlib.sha256(data).hexdigest(), **shown}


def missing(path: str, size: int) -> MisbehaviourFault:
    return MisbehaviourFault(
        "missing",
        "the log signed {size} entries and does not show {path}",
        "if the address is right, the log hides what it signed, or has lost it",
        details={"path": path},
        size=size,
        path=path,
    )


class LogTree(TileTree):
    """Tiles and subtree roots of one signed checkpoint."""

    def __init__(self, source: Source, checkpoint: Checkpoint) -> None:
        """Fetch the right edge; MisbehaviourFault when it does not lead to the signed root."""
        super().__init__(self.tile)
        self.source = source
        self.size = checkpoint.size
        self._edge: dict[int, bytes] = {}
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        # Asked a second time past all caches before anybody is accused.
        if not self._leads_to(checkpoint.root, fresh=False) and not self._leads_to(
            checkpoint.root, fresh=True
        ):
            edge = {level: to_base64(data) for level, data in self._edge.items()}
            raise MisbehaviourFault(
                "root",
                "the tiles at the log's right edge do not lead to the root that it signed for {size} entries",
                details={"edge": [{"level": level, "hashes": data} for level, data in edge.items()]},
                size=self.size,
            )

    def root_at(self, size: int) -> bytes:
        """The root of this tree's first `size` leaves."""
        return self.subtree_root(0, size) if size else EMPTY_ROOT

    def tile(self, level: int, index: int) -> bytes:
        """A tile of the signed tree."""
        key = (level, index)
        if tile_width(level, index, self.size) < TILE_WIDTH:
            return self._edge[level]
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        data = self.fetch(level, index)
        if not self.accept(level, index, data):
            data = self.fetch(level, index, fresh=True)
            if not self.accept(level, index, data):
                raise self.wrong_tile(level, index, data)
        return data

    def accept(self, level: int, index: int, data: bytes) -> bool:
        """Whether these are the tile's bytes: its hash stands in the tile above, or it is the edge itself."""
        width = tile_width(level, index, self.size)
        if width < TILE_WIDTH:
            return data == self._edge[level]
        offset = index % TILE_WIDTH * HASH_SIZE
        above = self.tile(level + 1, index // TILE_WIDTH)[offset : offset + HASH_SIZE]
        if len(data) != TILE_BYTES or tile_root(data) != above:
            return False
        self._kept[(level, index)] = data
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return True

    def fetch(self, level: int, index: int, *, fresh: bool = False) -> bytes:
        """A tile as the log shows it now, unchecked; of a full tile the part that this tree has."""
        width = tile_width(level, index, self.size)
        data = read_tile(self.source, level, index, width, fresh=fresh)
        if data is None:
            data = read_tile(self.source, level, index, width, fresh=True)
        if data is None:
            raise missing(tile_path(level, index, width), self.size)
        return data

    def wrong_tile(self, level: int, index: int, data: bytes) -> MisbehaviourFault:
        path = tile_path(level, index, tile_width(level, index, self.size))
        return MisbehaviourFault(
            "tile",
            "{path} is not the tile that the tile above it, and so the signed root, names",
            details={"served": [served(path, data)]},
            path=path,
        )

    def _leads_to(self, root: bytes, *, fresh: bool) -> bool:
        self.forget()
        for level in range(MAX_LEVEL + 1):
            index = (self.size >> (8 * level)) // TILE_WIDTH
            width = tile_width(level, index, self.size)
            if width:
                self._edge[level] = self.fetch(level, index, fresh=fresh)
                if len(self._edge[level]) != width * HASH_SIZE:
                    return False
        return self.root_at(self.size) == root


def read_tile(source: Source, level: int, index: int, width: int, *, fresh: bool = False) -> bytes | None:
    """The tile, or its part of the full tile where the partial one is gone (C2SP tlog-tiles)."""
    paths = tile_path(level, index, width), tile_path(level, index)
    data = _read_either(source, *paths, TILE_BYTES, fresh=fresh)
    # Longer than the partial tile, it is the full one.
    return data[: width * HASH_SIZE] if data is not None and len(data) == TILE_BYTES else data


def read_bundle(source: Source, index: int, width: int, *, fresh: bool = False) -> bytes | None:
    """The bundle, or the full one where the partial one is gone."""
    return _read_either(source, bundle_path(index, width), bundle_path(index), BUNDLE_BYTES, fresh=fresh)


def _read_either(source: Source, path: str, full: str, limit: int, *, fresh: bool) -> bytes | None:
    if path == full:
        return source.read(full, limit, fresh=fresh)
    try:
        data = source.read(path, limit, fresh=fresh)
    except DeniedFault:
        # Object stores answer so for what they do not have.
        return source.read(full, limit, fresh=fresh)
    return source.read(full, limit, fresh=fresh) if data is None else data
