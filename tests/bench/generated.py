"""A log of any size, written straight into a notary's SQLite: what years of deposits leave behind.

Entries are generated; their tiles, bundles, rows and the signed head are as the notary would have written
them. Digests are spread evenly over their range and ascend, so that the rows are written quickly and a new,
random digest still meets the index anywhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mizheng.notary.config import load_settings
from mizheng.notary.database import reading, writing
from mizheng.notary.instance import open_instance
from mizheng.notary.log.head import load_head, sign_head, store_head
from mizheng.notary.log.tiles import TileReader, read_entries
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.merkle import compute_root, leaf_hash

_WIDTH = 256


def grow_log(data_dir: Path, size: int) -> None:
    """Make the log of a stopped notary `size` entries long; what it has stays as it is."""
    instance = open_instance(load_settings({"MIZHENG_DATA_DIR": str(data_dir)}))
    with reading(instance.engine) as connection:
        present = load_head(connection).tree_size
        first = read_entries(connection, 0, present) if present else []
    instance.engine.dispose()
    database = sqlite3.connect(data_dir / "mizheng.db", isolation_level=None)
    # Made again from nothing if it breaks off, so nothing has to be synced on the way.
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN IMMEDIATE")
    database.execute("DELETE FROM tiles")
    database.execute("DELETE FROM entry_bundles")
    database.executemany(
        "INSERT INTO entries (leaf_index, envelope_sha256, kind) VALUES (?, ?, 'deposit')",
        ((place, _digest(place, size)) for place in range(present, size)),
    )
    hashes: list[bytes] = []
    for index, bundle in enumerate(_bundles(first, size)):
        data = b"".join(len(entry).to_bytes(2, "big") + entry for entry in bundle)
        database.execute("INSERT INTO entry_bundles VALUES (?, ?)", (index, data))
        _write_tile(database, 0, index, [leaf_hash(entry) for entry in bundle], hashes)
    level = 1
    while hashes:
        above: list[bytes] = []
        for start in range(0, len(hashes), _WIDTH):
            _write_tile(database, level, start // _WIDTH, hashes[start : start + _WIDTH], above)
        hashes, level = above, level + 1
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with writing(instance.engine) as connection:
        root = TileReader(connection).subtree_root(0, size)
        store_head(connection, sign_head(instance.signer, size, root))
    instance.engine.dispose()


def _bundles(first: list[bytes], size: int) -> Iterator[list[bytes]]:
    for start in range(0, size, _WIDTH):
        yield [
            first[place] if place < len(first) else dump_entry(_digest(place, size))
            for place in range(start, min(start + _WIDTH, size))
        ]


def _digest(place: int, size: int) -> bytes:
    return (place * (2**256 // size)).to_bytes(32, "big")


def _write_tile(
    database: sqlite3.Connection, level: int, index: int, hashes: list[bytes], above: list[bytes]
) -> None:
    database.execute("INSERT INTO tiles VALUES (?, ?, ?)", (level, index, b"".join(hashes)))
    if len(hashes) == _WIDTH:
        above.append(compute_root(hashes))
