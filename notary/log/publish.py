"""What the log shows the world: C2SP tlog-tiles paths to stored bytes."""

import re

from mizheng.notary.log.tiles import HASH_SIZE, TILE_WIDTH, TileReader, split_bundle
from mizheng.notary.models import entry_bundles
from sqlalchemy import Connection, select

# C2SP tlog-tiles: groups of three digits, all but the last with x before them.
_TILE_PATH = re.compile(r"((?:x\d{3}/)*)(\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)
# 6 groups hold every index of a 63-bit tree.
_MAX_GROUPS = 7
_MAX_LEVEL = 7


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


def read_tile(connection: Connection, level: int, index: int, width: int) -> bytes | None:
    """The first `width` hashes of a tile; None where the log has not got that far."""
    if not 0 <= level <= _MAX_LEVEL:
        return None
    hashes = TileReader(connection).tile(level, index)[: width * HASH_SIZE]
    return hashes if len(hashes) == width * HASH_SIZE else None


def read_bundle(connection: Connection, index: int, width: int) -> bytes | None:
    """The first `width` entries of a bundle; None where the log has not got that far."""
    query = select(entry_bundles.c.data).where(entry_bundles.c.tile_index == index)
    data = connection.execute(query).scalar_one_or_none() or b""
    taken = list(split_bundle(data))[:width]
    if len(taken) != width:
        return None
    return data[: sum(2 + len(entry) for entry in taken)]
