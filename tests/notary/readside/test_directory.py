"""Publication to a directory: what stands there, in which order it comes, and what is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from mizheng.notary.database import reading, writing
from mizheng.notary.log.head import keep_checkpoint, load_head
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.models import entry_bundles, tiles
from mizheng.notary.publishing.directory import DirectoryTarget
from mizheng.notary.publishing.step import FilePublisher, PublicationError
from mizheng.verifier.checkpoint import Checkpoint, sign_checkpoint
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import Table, select, update

from tests.notary.readside.asking import Reader
from tests.notary.readside.folders import check_readable, published_size, read_files
from tests.notary.readside.logs import SIGNER, grow, make_log, make_log_at, tile_files

SIZES = (0, 1, 2, 255, 256, 257, 511, 512)


def test_every_size_leaves_exactly_its_files(tmp_path: Path) -> None:
    engine, folder = make_log(tmp_path), tmp_path / "public"
    publisher = FilePublisher(engine, DirectoryTarget(folder))
    for size in SIZES:
        note = grow(engine, size)
        publisher.publish()
        files = read_files(folder)
        assert files.pop("checkpoint") == note
        # Partial tiles of earlier heads stay until their full tile stands.
        earlier = {
            path: data
            for old in SIZES
            if old < size
            for path, data in tile_files(old).items()
            if path.partition(".p/")[0] not in tile_files(size)
        }
        assert files == earlier | tile_files(size)


def test_on_either_database(tmp_path: Path, database_url: str) -> None:
    engine, folder = make_log_at(database_url, 300), tmp_path / "public"
    with writing(engine) as connection:
        keep_checkpoint(connection, load_head(connection))
    grow(engine, 520)
    publisher, reader = FilePublisher(engine, DirectoryTarget(folder)), Reader(engine)
    publisher.publish()
    files = read_files(folder)
    # The kept checkpoint's tile of level 1 is not full yet; that of level 0 is.
    assert set(files) == {"checkpoint", *tile_files(520), "tile/1/000.p/1"}
    assert {path: reader.get(f"/{path}") for path in files} == files
    engine.dispose()


def test_a_long_log_at_once(tmp_path: Path) -> None:
    engine, folder = make_log(tmp_path, 65_537), tmp_path / "public"
    FilePublisher(engine, DirectoryTarget(folder)).publish()
    assert check_readable(folder) == 65_537
    assert set(read_files(folder)) == {"checkpoint", *tile_files(65_537)}


def test_partial_tiles_of_kept_checkpoints_are_published(tmp_path: Path) -> None:
    engine, folder = make_log(tmp_path, 300), tmp_path / "public"
    with writing(engine) as connection:
        keep_checkpoint(connection, load_head(connection))
    grow(engine, 310)
    FilePublisher(engine, DirectoryTarget(folder)).publish()
    assert set(read_files(folder)) == {"checkpoint", *tile_files(300), *tile_files(310)}


def test_everybody_may_read_what_is_published(tmp_path: Path) -> None:
    engine, folder = make_log(tmp_path, 257), tmp_path / "public" / "log"
    before = os.umask(0o077)
    try:
        FilePublisher(engine, DirectoryTarget(folder)).publish()
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        if ".publishing" in path.parts:
            continue
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path
    assert not list((folder / ".publishing").glob("*.new"))


def test_published_twice_nothing_is_written(tmp_path: Path) -> None:
    engine, folder = make_log(tmp_path, 300), tmp_path / "public"
    FilePublisher(engine, DirectoryTarget(folder)).publish()
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("tile/**/*")}
    FilePublisher(engine, DirectoryTarget(folder)).publish()
    assert before == {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("tile/**/*")
    }


def refusal(publisher: FilePublisher) -> str:
    """The code of a step that must not change anything; the log says it once."""
    with pytest.raises(PublicationError) as caught:
        publisher.publish()
    publisher.step()
    assert publisher.state == caught.value.code
    return caught.value.code


def test_a_file_with_other_bytes_is_refused(tmp_path: Path) -> None:
    engine, folder = make_log(tmp_path, 300), tmp_path / "public"
    publisher = FilePublisher(engine, DirectoryTarget(folder))
    publisher.publish()
    grow(engine, 600)
    other = folder / "tile" / "0" / "001"
    other.write_bytes(b"something else")
    assert refusal(publisher) == "target-differs"
    assert published_size(folder) == 300
    assert other.read_bytes() == b"something else"
    other.unlink()
    publisher.step()
    assert publisher.state == "ok"
    assert check_readable(folder) == 600


def test_a_smaller_log_never_replaces_a_larger_one(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    FilePublisher(make_log(tmp_path / "new", 300), DirectoryTarget(folder)).publish()
    files = read_files(folder)
    restored = FilePublisher(make_log(tmp_path / "old", 200), DirectoryTarget(folder))
    assert refusal(restored) == "target-ahead"
    with pytest.raises(PublicationError, match="has 300 entries, the log only 200"):
        restored.check()
    assert read_files(folder) == files


def test_a_fork_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    engine = make_log(tmp_path / "log", 300)
    FilePublisher(engine, DirectoryTarget(folder)).publish()
    note = (folder / "checkpoint").read_bytes()
    # The same log once more, but one entry is another one: the same size, and a larger one.
    with writing(engine) as connection:
        first = connection.execute(select(tiles).where(tiles.c.level == 0, tiles.c.tile_index == 0)).one()
        assert first.hashes
    lines = note.split(b"\n")
    lines[2] = b"A" * 43 + b"="
    (folder / "checkpoint").write_bytes(b"\n".join(lines))
    assert refusal(FilePublisher(engine, DirectoryTarget(folder))) == "target-fork"
    grow(engine, 400)
    assert refusal(FilePublisher(engine, DirectoryTarget(folder))) == "target-fork"


def test_a_made_up_head_does_not_stop_the_log(tmp_path: Path) -> None:
    engine, folder = make_log(tmp_path / "log", 300), tmp_path / "public"
    forged = sign_checkpoint(
        Checkpoint(SIGNER.verifier.name, 10**6, bytes(32)),
        NoteSigner(SIGNER.verifier.name, PrivateKey.generate()),
    )
    folder.mkdir()
    (folder / "checkpoint").write_bytes(forged)
    publisher = FilePublisher(engine, DirectoryTarget(folder), asks_who_signed=True)
    # Nothing that would keep the notary from serving, but nothing is published over it either.
    publisher.check()
    assert refusal(publisher) == "target-differs"
    assert (folder / "checkpoint").read_bytes() == forged
    # What the log did sign is another matter.
    ahead = sign_checkpoint(Checkpoint(SIGNER.verifier.name, 10**6, bytes(32)), SIGNER)
    (folder / "checkpoint").write_bytes(ahead)
    with pytest.raises(PublicationError, match="1000000 entries"):
        publisher.check()


def test_another_log_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    FilePublisher(make_log(tmp_path / "one", 5), DirectoryTarget(folder)).publish()
    signer = NoteSigner("log.example/another", PrivateKey.generate())
    other = make_log(tmp_path / "two", 0, signer)
    grow(other, 9, signer)
    assert refusal(FilePublisher(other, DirectoryTarget(folder))) == "target-other-log"


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    folder.mkdir()
    (folder / "checkpoint").write_bytes(b"<html>")
    publisher = FilePublisher(make_log(tmp_path / "log", 5), DirectoryTarget(folder))
    assert refusal(publisher) == "target-differs"


@pytest.mark.parametrize(
    ("table", "place"),
    [
        (tiles, {"level": 0, "tile_index": 0}),
        (tiles, {"level": 0, "tile_index": 2}),
        (tiles, {"level": 1, "tile_index": 0}),
        (entry_bundles, {"tile_index": 1}),
        (entry_bundles, {"tile_index": 2}),
    ],
)
def test_a_flipped_bit_is_not_published(tmp_path: Path, table: Table, place: dict[str, int]) -> None:
    engine, folder = make_log(tmp_path, 600), tmp_path / "public"
    column = table.c.hashes if table is tiles else table.c.data
    row = [table.c[name] == value for name, value in place.items()]
    with writing(engine) as connection:
        data = bytearray(connection.execute(select(column).where(*row)).scalar_one())
        data[40] ^= 1
        connection.execute(update(table).where(*row).values({column: bytes(data)}))
    publisher = FilePublisher(engine, DirectoryTarget(folder))
    with pytest.raises(LogCorruptError):
        publisher.publish()
    publisher.step()
    assert publisher.state == "log-damaged"
    assert published_size(folder) is None
    with reading(engine) as connection:
        assert load_head(connection).tree_size == 600


def test_a_lost_head_is_found_by_another_process(tmp_path: Path) -> None:
    # Two processes on one directory, in turns: neither goes back behind the other.
    engine, folder = make_log(tmp_path, 10), tmp_path / "public"
    one, other = (FilePublisher(engine, DirectoryTarget(folder)) for _ in range(2))
    for size, publisher in ((10, one), (20, other), (30, one), (30, other), (40, other)):
        grow(engine, size)
        publisher.publish()
        assert check_readable(folder) == size
    assert SIGNER.verifier.name.encode() in (folder / "checkpoint").read_bytes()
