"""From entries to leaf hashes to a signed tree, one bundle after the other, in constant memory."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from mizheng.cli.auditing.faults import MisbehaviourFault
from mizheng.cli.auditing.source import IN_FLIGHT
from mizheng.cli.auditing.tree import LogTree, bundle_path, missing, read_bundle, read_tile, served, tile_path
from mizheng.verifier.entry import is_entry
from mizheng.verifier.errors import TruncatedError
from mizheng.verifier.tiles import HASH_SIZE, TILE_WIDTH, split_bundle, tile_width

# Bundles fetched ahead: enough that no connection idles, at most 16 times the largest bundle in memory.
_AHEAD = 4 * IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Step:
    """One bundle that holds."""

    end: int
    """Leaf index behind its last entry."""
    new: int
    """Entries that had not been checked before."""
    bytes: int
    unknown: tuple[int, ...]
    """Leaf indices of new entries of another format than mizheng/entry/v1."""


def walk(tree: LogTree, start: int) -> Iterator[Step]:
    """Check the entries from `start` to the end of the tree; MisbehaviourFault at the first that is wrong.

    A bundle that was begun before is read whole again: its tile can only be compared whole.
    """
    first, last = start // TILE_WIDTH, -(-tree.size // TILE_WIDTH)
    for index, bundle, tile in _fetch_ahead(tree, first, last):
        hashes, entries, size = _check(tree, index, bundle, tile)
        # The level above is fetched here, on the way, and checked against the signed root.
        if not tree.accept(0, index, hashes):
            raise tree.wrong_tile(0, index, hashes)
        offset = index * TILE_WIDTH
        fresh = max(0, start - offset)
        unknown = tuple(
            offset + place for place in range(fresh, len(entries)) if not is_entry(entries[place])
        )
        yield Step(offset + len(entries), len(entries) - fresh, size, unknown)


def leaf_hashes(entries: Sequence[bytes]) -> bytes:
    """The leaf hashes of entries, concatenated (RFC 6962 §2.1)."""
    sha256 = hashlib.sha256
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def _check(
    tree: LogTree, index: int, bundle: bytes | None, tile: bytes | None
) -> tuple[bytes, list[bytes], int]:
    """Hashes of the tile, entries and bytes of the bundle, that agree; asked a second time if they do not."""
    width = tile_width(0, index, tree.size)
    for fresh in (False, True):
        if fresh:
            bundle = read_bundle(tree.source, index, width, fresh=True)
            tile = read_tile(tree.source, 0, index, width, fresh=True)
        if bundle is None or tile is None:
            continue
        try:
            entries = split_bundle(bundle)
        except TruncatedError:
            continue
        # The full bundle stands in for a partial one that is gone.
        entries = entries[:width] if len(entries) == TILE_WIDTH else entries
        if len(entries) == width and leaf_hashes(entries) == tile:
            return tile, entries, len(bundle) + len(tile)
    paths = bundle_path(index, width), tile_path(0, index, width)
    if bundle is None or tile is None:
        raise missing(paths[0] if bundle is None else paths[1], tree.size)
    # The tree says which of the two is wrong.
    if not tree.accept(0, index, tile):
        raise tree.wrong_tile(0, index, tile)
    raise MisbehaviourFault(
        "entry",
        "{path} does not hold the entries that the signed tree names, first at entry {entry}",
        details={"served": [served(paths[0], bundle), served(paths[1], tile)]},
        path=paths[0],
        entry=index * TILE_WIDTH + _first_difference(bundle, tile, width),
    )


def _first_difference(bundle: bytes, tile: bytes, width: int) -> int:
    try:
        entries = split_bundle(bundle)
    except TruncatedError:
        return 0
    hashes = leaf_hashes(entries)
    return next(
        (
            place
            for place in range(width)
            if hashes[place * HASH_SIZE : (place + 1) * HASH_SIZE]
            != tile[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        ),
        width,
    )


def _fetch_ahead(tree: LogTree, first: int, last: int) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """Bundle and level-0 tile of each index in order, a few being fetched meanwhile."""
    source = tree.source

    def fetch(index: int) -> tuple[int, bytes | None, bytes | None]:
        width = tile_width(0, index, tree.size)
        return index, read_bundle(source, index, width), read_tile(source, 0, index, width)

    pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="audit")
    under_way: deque[Future[tuple[int, bytes | None, bytes | None]]] = deque()
    try:
        for index in range(first, last):
            under_way.append(pool.submit(fetch, index))
            if len(under_way) >= _AHEAD:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        # What is still under way ends with the source.
        pool.shutdown(wait=False, cancel_futures=True)
