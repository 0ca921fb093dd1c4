"""Tiles of a log (C2SP tlog-tiles): how they are named, split and joined to roots. Written once, used by all.

A tile holds up to 256 hashes of one level; level L counts in subtrees of 256^L leaves. An entry bundle
holds the entries of one tile of level 0, each with its length before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .errors import TruncatedError
from .merkle import complete_levels, node_hash, split_point

TILE_WIDTH = 256
HASH_SIZE = 32
# A 63-bit tree has no hash above: 256^8 is more leaves than it may have.
MAX_LEVEL = 7

# Groups of three digits, all but the last with x before them.
_TILE_PATH = re.compile(r"((?:x\d{3}/)*)(\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)
# 7 groups hold every index of a 63-bit tree.
_MAX_GROUPS = 7


def parse_tile_path(path: str) -> tuple[int, int] | None:
    """`x001/x234/067.p/8` → (1234067, 8); full tiles have width 256. None for any other spelling."""
    match = _TILE_PATH.fullmatch(path)
    if not match:
        return None
    groups = [group[1:] for group in match[1].split("/")[:-1]] + [match[2]]
    # One index has one path: no leading groups of zeros.
    if len(groups) > _MAX_GROUPS or (len(groups) > 1 and groups[0] == "000"):
        return None
    width = int(match[3]) if match[3] else TILE_WIDTH
    if match[3] and width >= TILE_WIDTH:
        return None
    return int("".join(groups)), width


def format_tile_path(index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile below its level."""
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def tile_width(level: int, index: int, tree_size: int) -> int:
    """How many hashes this tile has in a tree of this size: 0 to 256."""
    hashes = tree_size >> (8 * level)
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def split_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle, u16be length and bytes each; TruncatedError where it ends early."""
    entries: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        entries.append(data[start:position])
    if position != end:
        raise TruncatedError("an entry bundle ends in the middle of an entry")
    return entries


class TileTree:
    """Roots of a log's subtrees, from its tiles. What is computed is kept."""

    def __init__(self, read_tile: Callable[[int, int], bytes]) -> None:
        """`read_tile(level, index)` gives a tile's hashes, concatenated."""
        self._read_tile = read_tile
        self._edges: dict[tuple[int, int], bytes] = {}
        self._grown: dict[tuple[int, int], list[list[bytes]]] = {}

    def subtree_root(self, start: int, end: int) -> bytes:
        """Root over leaves [start, end), for the ranges that RFC 6962's recursion forms (§2.1)."""
        width = end - start
        if not width & (width - 1):
            return self._complete(start, width.bit_length() - 1)
        # Not a power of two: it ends at the right edge of a tree.
        key = (start, end)
        node = self._edges.get(key)
        if node is None:
            middle = start + split_point(width)
            node = node_hash(self.subtree_root(start, middle), self.subtree_root(middle, end))
            self._edges[key] = node
        return node

    def forget(self) -> None:
        """Compute anew from here on: the tiles may be others now."""
        self._edges.clear()
        self._grown.clear()

    def _complete(self, start: int, height: int) -> bytes:
        """Root over the 2^height leaves from `start`."""
        level, inner = divmod(height, 8)
        index, place = divmod(start >> 8 * level, TILE_WIDTH)
        if not inner:
            offset = place * HASH_SIZE
            found = self._read_tile(level, index)[offset : offset + HASH_SIZE]
            if len(found) == HASH_SIZE:
                return found
        else:
            nodes = self.levels(level, index)
            place >>= inner
            if inner < len(nodes) and place < len(nodes[inner]):
                return nodes[inner][place]
        raise TruncatedError("tile {index} of level {level} is too short", index=index, level=level)

    def levels(self, level: int, index: int) -> list[list[bytes]]:
        """A tile's hashes and all complete nodes above them within the tile.

        All at once: a path through a tile needs nearly all of them, and a loop takes a tenth of the time.
        """
        key = (level, index)
        nodes = self._grown.get(key)
        if nodes is None:
            nodes = self._grown[key] = complete_levels(split_hashes(self._read_tile(level, index)))
        return nodes


def split_hashes(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[offset : offset + HASH_SIZE] for offset in range(0, len(tile) - HASH_SIZE + 1, HASH_SIZE)]
