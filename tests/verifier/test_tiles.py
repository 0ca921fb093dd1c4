"""Names of tiles, bundles, and roots from tiles, against the tree in memory as the model."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.errors import TruncatedError
from mizheng.verifier.merkle import Tree, leaf_hash
from mizheng.verifier.tiles import (
    HASH_SIZE,
    TILE_WIDTH,
    TileTree,
    format_tile_path,
    parse_tile_path,
    split_bundle,
    tile_width,
)


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [
        (0, 256, "000"),
        (999, 1, "999.p/1"),
        (1000, 256, "x001/000"),
        (1234067, 256, "x001/x234/067"),
        (1234067, 255, "x001/x234/067.p/255"),
    ],
)
def test_names_of_the_standard(index: int, width: int, path: str) -> None:
    assert format_tile_path(index, width) == path
    assert parse_tile_path(path) == (index, width)


@given(st.integers(0, 2**55), st.integers(1, 256))
def test_every_place_has_one_name(index: int, width: int) -> None:
    assert parse_tile_path(format_tile_path(index, width)) == (index, width)


@pytest.mark.parametrize(
    "path", ["", "0", "x000/001", "x001/1", "001/002", "000.p/0", "000.p/256", "000.p/01", "000/", "٠٠٠"]
)
def test_other_spellings_are_no_names(path: str) -> None:
    assert parse_tile_path(path) is None


def test_widths_of_the_standards_example() -> None:
    # C2SP tlog-tiles: a tree of 70,000.
    assert [tile_width(0, index, 70_000) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [tile_width(1, index, 70_000) for index in (0, 1, 2)] == [256, 17, 0]
    assert [tile_width(2, index, 70_000) for index in (0, 1)] == [1, 0]
    assert [tile_width(0, 0, 256), tile_width(1, 0, 256)] == [256, 1]


@given(st.lists(st.binary(max_size=300)))
def test_bundles_are_split_where_they_were_joined(entries: list[bytes]) -> None:
    assert split_bundle(b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)) == entries


@given(st.lists(st.binary(max_size=40), min_size=1), st.data())
def test_a_bundle_that_ends_early_is_refused_or_lacks_whole_entries(
    entries: list[bytes], data: st.DataObject
) -> None:
    pieces = [len(entry).to_bytes(2, "big") + entry for entry in entries]
    whole = b"".join(pieces)
    cut = data.draw(st.integers(0, len(whole) - 1))
    borders = [0, *itertools.accumulate(len(piece) for piece in pieces)]
    if cut in borders:
        assert split_bundle(whole[:cut]) == entries[: borders.index(cut)]
    else:
        with pytest.raises(TruncatedError):
            split_bundle(whole[:cut])


def test_roots_are_those_of_the_tree() -> None:
    size = 66_000
    tree = Tree(leaf_hash(b"%d" % number) for number in range(size))

    def read(level: int, index: int) -> bytes:
        span = TILE_WIDTH**level
        first = index * TILE_WIDTH
        places = range(first, first + tile_width(level, index, size))
        return b"".join(tree.subtree_root(place * span, (place + 1) * span) for place in places)

    tiles = TileTree(read)
    for end in (1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, size):
        assert tiles.subtree_root(0, end) == tree.root(end)


def test_a_tile_that_is_too_short_is_refused() -> None:
    with pytest.raises(TruncatedError, match="tile 0 of level 0 is too short"):
        TileTree(lambda _level, _index: bytes(2 * HASH_SIZE)).subtree_root(0, 3)
