"""What the log shows the world: places of tiles (C2SP tlog-tiles) to stored bytes."""

from mizheng.notary.log.tiles import TileReader, split_bundle
from mizheng.notary.models import entry_bundles
from mizheng.verifier.tiles import HASH_SIZE, MAX_LEVEL
from sqlalchemy import Connection, select


def read_tile(connection: Connection, level: int, index: int, width: int) -> bytes | None:
    """The first `width` hashes of a tile; None where the log has not got that far."""
    if not 0 <= level <= MAX_LEVEL:
        return None
    hashes = TileReader(connection).tile(level, index)[: width * HASH_SIZE]
    return hashes if len(hashes) == width * HASH_SIZE else None


def read_bundle(connection: Connection, index: int, width: int) -> bytes | None:
    """The first `width` entries of a bundle; None where the log has not got that far."""
    query = select(entry_bundles.c.data).where(entry_bundles.c.tile_index == index)
    data = connection.execute(query).scalar_one_or_none() or b""
    taken = split_bundle(data)[:width]
    if len(taken) != width:
        return None
    return data[: sum(2 + len(entry) for entry in taken)]
