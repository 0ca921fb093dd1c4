"""Stored tiles and what is read from them, against the tree in memory as the model."""

from __future__ import annotations

import hashlib
import itertools
import random
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.log.append import NewEntry, append, check_head
from mizheng.notary.log.head import create_log, lock_head
from mizheng.notary.log.proofs import consistency_proof, inclusion_proof, root_hash
from mizheng.notary.log.publish import read_bundle, read_tile
from mizheng.notary.log.tiles import LogCorruptError, TileReader, append_tiles, split_bundle
from mizheng.notary.models import entry_bundles, metadata, tiles
from mizheng.verifier.checkpoint import open_checkpoint
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.errors import ConsistencyError
from mizheng.verifier.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.tiles import format_tile_path, parse_tile_path
from sqlalchemy import Engine, select, update

# Emptied when the tests end.
_FOLDER = tempfile.TemporaryDirectory()
_NUMBERS = itertools.count()
SIGNER = NoteSigner("log.example/tiles", PrivateKey.generate())


def make_log() -> Engine:
    engine = create_engine(f"sqlite:///{_FOLDER.name}/{next(_NUMBERS)}.db")
    metadata.create_all(engine)
    with writing(engine) as connection:
        create_log(connection, SIGNER)
    return engine


def entries_from(start: int, count: int) -> list[NewEntry]:
    return [
        NewEntry(hashlib.sha256(b"%d" % number).digest(), "deposit") for number in range(start, start + count)
    ]


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(dump_entry(entry.envelope_sha256)) for entry in entries_from(0, size)]


def grow(engine: Engine, count: int) -> int:
    with writing(engine) as connection:
        head = lock_head(connection)
        return append(connection, SIGNER, head, entries_from(head.tree_size, count)).head.tree_size


@pytest.fixture(scope="module")
def big() -> tuple[Engine, Tree]:
    """A log of three levels: 66,000 entries, appended in batches of uneven sizes."""
    engine = make_log()
    size, batches = 0, random.Random(3)
    hashes = leaves(66_000)
    # Straight into the tiles: what is tested here is their arithmetic, not the checks around it.
    with writing(engine) as connection:
        while size < len(hashes):
            count = min(batches.choice([1, 255, 256, 257, 3_000, 20_000]), len(hashes) - size)
            append_tiles(connection, size, hashes[size : size + count])
            size += count
    return engine, Tree(hashes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_every_batching_gives_the_model_tree(batches: list[int]) -> None:
    engine = make_log()
    for count in batches:
        grow(engine, count)
    size = sum(batches)
    tree = Tree(leaves(size))
    with reading(engine) as connection:
        head = lock_head(connection)
        assert (head.tree_size, head.root_hash) == (size, tree.root())
        checkpoint, signed = open_checkpoint(head.checkpoint, [SIGNER.verifier])
        assert (checkpoint.size, checkpoint.root, len(signed)) == (size, tree.root(), 1)
        check_head(connection, head)
        for index in {0, size // 2, size - 1}:
            assert inclusion_proof(connection, index, size) == tree.inclusion_proof(index)


def test_roots_and_proofs_of_every_kind_of_size(big: tuple[Engine, Tree]) -> None:
    engine, tree = big
    chosen = random.Random(5)
    sizes = [1, 2, 3, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000]
    sizes += [chosen.randrange(1, 66_001) for _ in range(30)]
    with reading(engine) as connection:
        for size in sizes:
            root = root_hash(connection, size)
            assert root == tree.root(size)
            index = chosen.randrange(size)
            proof = inclusion_proof(connection, index, size)
            assert proof == tree.inclusion_proof(index, size)
            verify_inclusion(
                leaf_hash(dump_entry(entries_from(index, 1)[0].envelope_sha256)), index, size, proof, root
            )
            old = chosen.randrange(1, size + 1)
            joined = consistency_proof(connection, old, size)
            assert joined == tree.consistency_proof(old, size)
            verify_consistency(old, tree.root(old), size, root, joined)


def test_a_proof_reads_a_few_tiles(big: tuple[Engine, Tree]) -> None:
    engine, _ = big
    with reading(engine) as connection:
        reader = TileReader(connection)
        reader.subtree_root(0, 66_000)
        # The right edge: one tile on each of the three levels.
        assert len(reader._tiles) <= 3


def test_appending_touches_few_rows(big: tuple[Engine, Tree]) -> None:
    engine, _ = big
    with writing(engine) as connection:
        before = dict(_all_tiles(connection.execute(select(tiles)).all()))
        append_tiles(connection, 66_000, leaves(1_000))
        after = dict(_all_tiles(connection.execute(select(tiles)).all()))
        touched = [key for key, hashes in after.items() if before.get(key) != hashes]
        connection.rollback()
    assert len(touched) <= 1_000 // 256 + 3


def _all_tiles(rows: object) -> list[tuple[tuple[int, int], bytes]]:
    return [((row.level, row.tile_index), row.hashes) for row in rows]  # type: ignore[attr-defined]


def test_partial_tiles_are_prefixes() -> None:
    engine = make_log()
    size = grow(engine, 300)
    hashes = leaves(size)
    with reading(engine) as connection:
        assert read_tile(connection, 0, 0, 256) == b"".join(hashes[:256])
        for width in (1, 43, 44):
            assert read_tile(connection, 0, 1, width) == b"".join(hashes[256 : 256 + width])
        assert read_tile(connection, 1, 0, 1) == Tree(hashes[:256]).root()
        for level, index, width in ((0, 1, 45), (0, 1, 256), (0, 2, 1), (1, 0, 2), (2, 0, 1), (8, 0, 1)):
            assert read_tile(connection, level, index, width) is None
        bundle = read_bundle(connection, 1, 44)
        assert bundle is not None
        assert [leaf_hash(entry) for entry in split_bundle(bundle)] == hashes[256:300]
        assert read_bundle(connection, 1, 3) == bundle[: 3 * len(bundle) // 44]
        assert read_bundle(connection, 1, 45) is None


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("000", (0, 256)),
        ("067.p/1", (67, 1)),
        ("x001/234", (1234, 256)),
        ("x001/x234/067.p/255", (1_234_067, 255)),
    ],
)
def test_tile_paths(path: str, place: tuple[int, int]) -> None:
    assert parse_tile_path(path) == place
    assert format_tile_path(*place) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "0", "00", "0000", "x000/001", "001/002", "x001", "x001/", "000.p/0", "000.p/256", "000.p/01"),
        *(
            "000.p/",
            "000.p",
            "-01",
            "+01",
            "０00",
            " 000",
            "000/",
            "000.p/1/",
            "x0010/000",
            "x999/" * 9 + "000",
        ),
    ],
)
def test_other_spellings_of_tile_paths_are_none(path: str) -> None:
    assert parse_tile_path(path) is None


@pytest.mark.parametrize("table", [tiles, entry_bundles], ids=["tile", "bundle"])
@pytest.mark.parametrize("size", [100, 256 + 100])
def test_what_was_changed_behind_our_back_stops_the_log(table: object, size: int) -> None:
    """A byte of the right-most tile or bundle is another one: the next append must not be committed."""
    engine = make_log()
    grow(engine, size)
    column = tiles.c.hashes if table is tiles else entry_bundles.c.data
    with writing(engine) as connection:
        stored = connection.execute(select(column).where(_last(table, size))).scalar_one()
        broken = bytes([stored[0] ^ (1 if table is tiles else 0)]) + stored[1:]
        if table is entry_bundles:
            # One entry longer than the log says.
            broken = stored + b"\x00\x01x"
        connection.execute(update(table).where(_last(table, size)).values({column.name: broken}))  # type: ignore[arg-type]
    with pytest.raises((LogCorruptError, ConsistencyError)):
        grow(engine, 1)
    with reading(engine) as connection:
        assert lock_head(connection).tree_size == size


def _last(table: object, size: int) -> object:
    if table is tiles:
        return (tiles.c.level == 0) & (tiles.c.tile_index == size // 256)
    return entry_bundles.c.tile_index == size // 256


def test_check_head_sees_a_changed_tile() -> None:
    engine = make_log()
    grow(engine, 600)
    with writing(engine) as connection:
        connection.execute(update(tiles).where(tiles.c.level == 1).values(hashes=bytes(64)))
    with reading(engine) as connection, pytest.raises(LogCorruptError):
        check_head(connection, lock_head(connection))
