"""From one published size to the next: which files a reader of the new head needs that are not out yet.

What is published stays published, and no file is ever written twice with other bytes. So each file is checked
before it leaves: a tile against the hash that the level above holds for it, the last tile of each level and
with them all others against the signed root, entries against their leaf hashes.
"""

from collections.abc import Iterable, Iterator, Sequence

from mizheng.notary.log.head import Head
from mizheng.notary.log.publish import Place, read_place
from mizheng.notary.log.tiles import LogCorruptError, TileReader, split_bundle
from mizheng.verifier.merkle import EMPTY_ROOT, compute_root, leaf_hash
from mizheng.verifier.tiles import HASH_SIZE, MAX_LEVEL, TILE_WIDTH, tile_width
from sqlalchemy import Connection


def list_changed(old_size: int, size: int, kept_sizes: Sequence[int] = ()) -> Iterator[Place]:
    """Every file that a log of `size` entries has and one of `old_size` has not; entries beside their hashes.

    `kept_sizes`: sizes of checkpoints kept for good; their partial tiles are published as well, where the
    full tile does not stand yet.
    """
    for level in range(MAX_LEVEL + 1):
        old_count, count = old_size >> (8 * level), size >> (8 * level)
        if count == old_count:
            return
        for index in range(old_count // TILE_WIDTH, count // TILE_WIDTH):
            yield from _places(level, index, TILE_WIDTH)
        last = count // TILE_WIDTH
        widths = {tile_width(level, last, kept) for kept in (*kept_sizes, size) if kept <= size}
        for width in sorted(widths - {0}):
            yield from _places(level, last, width)


def list_completed(old_size: int, size: int) -> Iterator[Place]:
    """Full tiles of `size` that were partial at `old_size`: their partial files are not needed any more."""
    for level in range(MAX_LEVEL + 1):
        old_count = old_size >> (8 * level)
        if old_count % TILE_WIDTH and (size >> (8 * level)) // TILE_WIDTH > old_count // TILE_WIDTH:
            yield from _places(level, old_count // TILE_WIDTH, TILE_WIDTH)


def check_root(connection: Connection, tree_size: int, root_hash: bytes) -> None:
    """LogCorruptError unless the stored tiles lead to this root: also checks the last tile of each level."""
    stored = TileReader(connection).subtree_root(0, tree_size) if tree_size else EMPTY_ROOT
    if stored != root_hash:
        raise LogCorruptError("the log's tiles do not lead to its head")


def read_checked(connection: Connection, places: Iterable[Place], head: Head) -> list[tuple[Place, bytes]]:
    """The bytes of these places under `head`, whose root was checked; LogCorruptError if one is not sound."""
    reader = TileReader(connection)
    found = []
    for place in places:
        data = read_place(connection, place, head.tree_size)
        if data is None:
            raise LogCorruptError(f"{place.path} is beyond the log's head")
        if place.level is None:
            hashes = reader.tile(0, place.index)[: place.width * HASH_SIZE]
            if b"".join(leaf_hash(entry) for entry in split_bundle(data)) != hashes:
                raise LogCorruptError(f"{place.path} does not hold the entries that were logged")
        elif place.width == TILE_WIDTH:
            _check_full(reader, place, data)
        found.append((place, data))
    return found


def _check_full(reader: TileReader, place: Place, data: bytes) -> None:
    assert place.level is not None  # noqa: S101
    hashes = (data[offset : offset + HASH_SIZE] for offset in range(0, len(data), HASH_SIZE))
    offset = place.index % TILE_WIDTH * HASH_SIZE
    above = reader.tile(place.level + 1, place.index // TILE_WIDTH)[offset : offset + HASH_SIZE]
    if compute_root(hashes) != above:
        raise LogCorruptError(f"{place.path} is not what the level above says")


def _places(level: int, index: int, width: int) -> Iterator[Place]:
    yield Place(level, index, width)
    if level == 0:
        yield Place(None, index, width)
