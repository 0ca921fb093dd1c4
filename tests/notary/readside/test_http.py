"""The log over HTTP: byte for byte C2SP tlog-tiles, at every size, and what HTTP says about it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from mizheng.notary.database import writing
from mizheng.notary.models import entry_bundles, tiles
from mizheng.notary.routes.negotiation import accepts_gzip, is_matched
from sqlalchemy import Engine, delete

from tests.notary.readside.asking import Reader
from tests.notary.readside.logs import bundle, entry, grow, levels, make_log, number_path, tile_files

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, list[int]]:
    """A log that grows as the tests of this module go on, and how far it has."""
    return make_log(tmp_path_factory.mktemp("grown")), [0]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_every_file_of_every_size(grown: tuple[Engine, list[int]], size: int) -> None:
    engine, sizes = grown
    note = grow(engine, size)
    sizes[0] = size
    reader = Reader(engine)
    assert reader.get("/checkpoint") == note
    files = tile_files(size)
    for path, data in files.items():
        assert reader.get(f"/{path}") == data
    # One more is not there: neither as a full tile nor as a partial one, on no level.
    counts = [size >> (8 * level) for level in range(8)]
    for level, count in [("entries", size), *enumerate(counts)]:
        last, width = divmod(count, 256)
        assert reader.ask(f"/tile/{level}/{number_path(last)}").status == 404
        assert reader.ask(f"/tile/{level}/{number_path(last)}.p/{width + 1}").status == 404
        assert reader.ask(f"/tile/{level}/{number_path(last + 1)}.p/1").status == 404
    assert len(files) > 0 or size == 0


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Of a log of 70,000 entries, as the specification's example."""
    return Reader(make_log(tmp_path_factory.mktemp("log"), 70_000))


def test_every_width_stays(reader: Reader) -> None:
    # Of a tile that is full by now, and of the one at the edge.
    for index, most in ((3, 255), (273, 112)):
        for width in range(1, most + 1):
            start = index * 256
            path = f"{number_path(index)}.p/{width}"
            assert reader.get(f"/tile/0/{path}") == b"".join(levels(70_000)[0][start : start + width])
            assert reader.get(f"/tile/entries/{path}") == bundle(start, width)
    for width in range(1, 18):
        assert reader.get(f"/tile/1/001.p/{width}") == b"".join(levels(70_000)[1][256 : 256 + width])
    assert reader.ask("/tile/1/001.p/18").status == 404


def test_the_example_of_the_specification(reader: Reader) -> None:
    found = [
        path
        for path in ("tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1")
        if reader.ask(f"/{path}").status == 200
    ]
    assert len(found) == 5
    assert reader.get("/tile/entries/273.p/112").endswith(entry(69_999))


@pytest.mark.parametrize(
    "path",
    [
        *("/tile/0/x000/000", "/tile/0/x000/001", "/tile/0/0", "/tile/0/00", "/tile/0/0000", "/tile/0/x000"),
        *("/tile/0/000/000", "/tile/0/x00/000", "/tile/0/X000/001", "/tile/0/-01", "/tile/0/+01"),
        *("/tile/0/000.p", "/tile/0/000.p/", "/tile/0/000.p/0", "/tile/0/000.p/01", "/tile/0/000.p/256"),
        *(
            "/tile/0/000.p/257",
            "/tile/0/000.p/-1",
            "/tile/0/000.p/1/",
            "/tile/0/000.p/1.0",
            "/tile/0/000.P/1",
        ),
        *("/tile/00/000", "/tile/01/000", "/tile/8/000", "/tile/63/000", "/tile/64/000", "/tile/-1/000"),
        *("/tile/data/000", "/tile/Entries/000", "/tile/0/", "/tile/0", "/tile/", "/tile", "/tile//000"),
        *("/tile/0//000", "//tile/0/000", "/tile/0/000/", "/tile/0/./000", "/tile/0/../0/000"),
        *("/tile/0/%30%30%30", "/tile/%30/000", "/%74ile/0/000", "/tile%2F0%2F000", "/tile/0/000%2Ep/1"),
        *("/tile/0/x999/x999/x999/x999/x999/x999/999", "/tile/0/x001/x000/x000/x000/x000/x000/x000/x000/000"),
        *("/tile/0/x009/x223/x372/x036/x854/x775/808.p/1", "/tile/7/000.p/1", "/tile/0/000;v=1"),
        *("/tile/0/٠٠٠", "/tile/0/000.p/１", "/tile/0/000\n", "/tile/0/ 000", "/tile/entries/entries/000"),
        *("/checkpoint/", "/Checkpoint", "/%63heckpoint", "/checkpoint.txt", "/checkpoint/70000"),
    ],
)
def test_every_other_spelling_is_not_there(reader: Reader, path: str) -> None:
    answer = reader.ask(path)
    assert answer.status == 404
    assert json.loads(answer.body)["type"] == "urn:mizheng:problem:not-found"
    if path.startswith("/tile/"):
        # It may be there in a second: nobody in between should remember that it is missing.
        assert answer.headers["cache-control"] == "no-store"


def test_a_query_changes_nothing(reader: Reader) -> None:
    assert reader.get("/tile/0/000?again=1") == reader.get("/tile/0/000")


def test_headers(reader: Reader) -> None:
    note, tile, entries = (
        reader.ask(f"/{path}") for path in ("checkpoint", "tile/0/000", "tile/entries/000")
    )
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert note.headers["cache-control"] == "public, max-age=1"
    for answer in (tile, entries):
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == IMMUTABLE
    assert "vary" not in tile.headers
    assert entries.headers["vary"] == "Accept-Encoding"
    for answer in (note, tile, entries):
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert "last-modified" not in answer.headers


@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/001", "/tile/0/273.p/112", "/tile/entries/001"])
def test_head_is_get_without_the_body(reader: Reader, path: str) -> None:
    for encoding in ("identity", "gzip"):
        got = reader.ask(path, accept_encoding=encoding)
        head = reader.ask(path, "HEAD", accept_encoding=encoding)
        assert (head.status, head.headers, head.body) == (200, got.headers, b"")
    assert reader.ask("/tile/0/999", "HEAD").body == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/000"])
def test_there_is_nothing_but_reading(reader: Reader, path: str, method: str) -> None:
    answer = reader.ask(path, method)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_entries_are_compressed_for_those_who_ask(reader: Reader) -> None:
    plain = reader.ask("/tile/entries/005")
    packed = reader.ask("/tile/entries/005", accept_encoding="br, gzip;q=0.5")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == bundle(5 * 256, 256)
    assert len(packed.body) < 0.7 * len(plain.body)
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    # Strong tags: one for each form. And the same bytes from every process.
    assert packed.headers["etag"] != plain.headers["etag"]
    assert reader.ask("/tile/entries/005", accept_encoding="gzip").body == packed.body
    assert gzip.decompress(reader.ask("/tile/entries/273.p/9", accept_encoding="*").body) == bundle(
        273 * 256, 9
    )


@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/000", "/tile/1/000"])
def test_hashes_and_checkpoints_are_sent_as_they_are(reader: Reader, path: str) -> None:
    assert "content-encoding" not in reader.ask(path, accept_encoding="gzip").headers


@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/000", "/tile/entries/000", "/tile/0/273.p/7"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_the_reader_has_is_not_sent_again(reader: Reader, path: str, encoding: str) -> None:
    first = reader.ask(path, accept_encoding=encoding)
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            again = reader.ask(path, method, accept_encoding=encoding, if_none_match=sent)
            assert (again.status, again.body) == (304, b"")
            for name in ("etag", "cache-control", "vary"):
                assert again.headers.get(name) == first.headers.get(name)
    for sent in ('"other"', tag.strip('"'), ""):
        assert reader.ask(path, accept_encoding=encoding, if_none_match=sent).status == 200
    assert reader.ask("/tile/0/999", if_none_match="*").status == 404


def test_a_new_head_has_another_tag(tmp_path: Path) -> None:
    engine = make_log(tmp_path, 3)
    reader = Reader(engine)
    tag = reader.ask("/checkpoint").headers["etag"]
    note = grow(engine, 4)
    answer = reader.ask("/checkpoint", if_none_match=tag)
    assert (answer.status, answer.body) == (200, note)


def test_what_the_head_does_not_cover_is_not_served(tmp_path: Path) -> None:
    # Rows that no committed head covers cannot come about; if they did, nobody would see them.
    engine = make_log(tmp_path, 300)
    with writing(engine) as connection:
        connection.execute(tiles.insert(), {"level": 0, "tile_index": 2, "hashes": bytes(32)})
        connection.execute(entry_bundles.insert(), {"tile_index": 2, "data": b"\0\1x"})
    reader = Reader(engine)
    for path in ("/tile/0/002.p/1", "/tile/entries/002.p/1"):
        assert reader.ask(path).status == 404


def test_a_row_that_is_lost_is_no_404(tmp_path: Path) -> None:
    engine = make_log(tmp_path, 300)
    with writing(engine) as connection:
        connection.execute(delete(tiles).where(tiles.c.tile_index == 1))
    # A reader would take 404 for "not yet" and a cache would keep it.
    assert Reader(engine).ask("/tile/0/001.p/44").status == 503


def test_the_cache_is_bounded_and_changes_nothing(tmp_path: Path) -> None:
    engine = make_log(tmp_path, 2_000)
    small, none = Reader(engine, cache_bytes=20_000), Reader(engine, cache_bytes=0)
    for _ in range(3):
        for path, data in tile_files(2_000).items():
            assert small.get(f"/{path}") == none.get(f"/{path}") == data


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        *((None, False), ("", False), ("identity", False), ("gzip", True), ("GZIP", True), ("x-gzip", True)),
        *(("*", True), ("br", False), ("gzip;q=0", False), ("gzip; q=0.0, *", False), ("*;q=0", False)),
        *(
            ("gzip;q=0.001", True),
            ("deflate, gzip;q=1.0, *;q=0.5", True),
            ("gzip;q=x", False),
            (";;,", False),
        ),
    ],
)
def test_accept_encoding(header: str | None, expected: bool) -> None:
    assert accepts_gzip(header) is expected


def test_if_none_match() -> None:
    assert is_matched('"a","b"', '"b"')
    assert not is_matched(None, '"b"')
    assert not is_matched('"a b"', '"b"')
