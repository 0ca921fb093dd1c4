"""The ZIP reader and writer by themselves; what tricks they refuse stands with the attacks."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mizheng.verifier.archive import CHUNK_BYTES, ArchiveReader, write_archive
from mizheng.verifier.errors import FormatError, LimitError, TruncatedError
from mizheng.verifier.zipformat import (
    END_BYTES,
    Directory,
    Entry,
    parse_directory,
    parse_end,
    verify_local,
)

from tests.support.scale import scaled
from tests.support.zips import DEFLATED, Member, build_zip

MEMBERS = {"README.txt": b"hello", "empty": b"", "records/0001.json": b"{}" * 1000}
LARGE = 2**32 + 5


def written(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    write_archive(target, ((name, len(data), (data,)) for name, data in members.items()))
    return target.getvalue()


def test_what_is_written_is_read_back() -> None:
    with ArchiveReader(written(MEMBERS)) as archive:
        assert {name: archive.read(name) for name in archive.names} == MEMBERS
        assert archive.names == list(MEMBERS)
        assert archive.size("README.txt") == 5
        assert archive.folders == []
        assert archive.is_canonical


def test_other_readers_read_it_too() -> None:
    with zipfile.ZipFile(io.BytesIO(written(MEMBERS))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
        assert archive.testzip() is None
        for info in archive.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert (info.compress_type, info.extra, info.comment) == (zipfile.ZIP_STORED, b"", b"")


def test_the_same_members_give_the_same_bytes() -> None:
    assert written(MEMBERS) == written(MEMBERS)
    assert written({}) == b"PK\x05\x06" + bytes(18)


def test_a_path_a_file_and_bytes_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(written(MEMBERS))
    for source in (path, path.open("rb"), path.read_bytes()):
        with ArchiveReader(source) as archive:
            assert archive.read("README.txt") == b"hello"


def test_a_path_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.zip", tmp_path):
        with pytest.raises(OSError):
            ArchiveReader(path)


def test_a_file_is_closed_when_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(b"no ZIP")
    with path.open("rb") as file:
        with pytest.raises(FormatError):
            ArchiveReader(file)
        assert file.closed


def test_a_member_is_read_up_to_a_limit() -> None:
    with ArchiveReader(written(MEMBERS)) as archive:
        assert archive.read("README.txt", 5) == b"hello"
        with pytest.raises(LimitError):
            archive.read("README.txt", 4)


def test_two_members_are_read_side_by_side() -> None:
    """Neither's place in the file is lost by reading the other."""
    members = {"a": bytes(3 * CHUNK_BYTES), "b": b"\1" * (3 * CHUNK_BYTES)}
    data = build_zip([Member("a", members["a"]), Member("b", members["b"], DEFLATED)])
    with ArchiveReader(data) as archive:
        pieces = list(zip(archive.chunks("a"), archive.chunks("b"), strict=False))
        assert len(pieces) == 3
        assert b"".join(piece for piece, _ in pieces) == members["a"]
        assert b"".join(piece for _, piece in pieces) == members["b"]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
@pytest.mark.parametrize("method", [0, DEFLATED])
def test_members_of_the_sizes_of_chunks(size: int, method: int) -> None:
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with ArchiveReader(build_zip([Member("a", data, method)])) as archive:
        pieces = list(archive.chunks("a"))
        assert b"".join(pieces) == data
        assert all(len(piece) <= CHUNK_BYTES for piece in pieces)


def test_a_file_that_grows_or_shrinks_while_it_is_written_is_noticed() -> None:
    for size in (4, 6):
        with pytest.raises(ValueError):
            write_archive(io.BytesIO(), [("a", size, (b"hello",))])


@settings(max_examples=scaled(100, 3000), deadline=None)
@given(st.dictionaries(st.text("abcXYZ/._-", min_size=1, max_size=8), st.binary(max_size=50), max_size=6))
def test_any_members_are_read_back_or_refused(members: dict[str, bytes]) -> None:
    folded = {name.lower() for name in members}
    names = [name for name in members if not name.endswith("/")]
    try:
        with ArchiveReader(written(members)) as archive:
            assert {name: archive.read(name) for name in archive.names} == {n: members[n] for n in names}
    except FormatError:
        assert (
            len(folded) < len(members)
            or any(n.endswith("/") and members[n] for n in members)
            or len(names) < len(members)
        )


@settings(max_examples=scaled(200, 5000), deadline=None)
@given(st.binary(max_size=200), st.integers(0, 10**6))
def test_any_bytes_are_read_or_refused(data: bytes, place: int) -> None:
    file = written(MEMBERS)
    place %= len(file)
    for changed in (data, file[:place] + data + file[place:], file[:place] + data):
        try:
            with ArchiveReader(changed) as archive:
                for name in archive.names:
                    archive.read(name)
        except FormatError:
            continue
        assert changed == file or not archive.is_canonical


# Zip64: headers whose numbers do not fit into 32 bits


@pytest.mark.parametrize(
    "entry",
    [
        Entry("originals/0001", 0, 1, LARGE, LARGE, 0),
        Entry("originals/0001", 0, 1, LARGE, LARGE, LARGE),
        Entry("README.txt", 0, 1, 5, 5, LARGE),
        Entry("README.txt", 0, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        Entry("README.txt", 0, 1, 0xFFFFFFFE, 0xFFFFFFFE, 0xFFFFFFFE),
    ],
    ids=["large", "large and far", "far", "just too large", "just small enough"],
)
def test_large_entries_are_read_back(entry: Entry) -> None:
    assert parse_directory(entry.directory_header(), 1) == [entry]
    header = entry.local_header()
    assert verify_local(entry, header + b"data") == len(header)
    is_large = max(entry.size, entry.offset) >= 0xFFFFFFFF
    assert (struct.pack("<H", 45) in entry.directory_header()[4:8]) == is_large


def test_a_header_of_another_large_size_is_refused() -> None:
    entry = Entry("originals/0001", 0, 1, LARGE, LARGE, 0)
    other = Entry("originals/0001", 0, 1, LARGE + 1, LARGE + 1, 0)
    with pytest.raises(FormatError):
        verify_local(entry, other.local_header())
    with pytest.raises(TruncatedError):
        verify_local(entry, entry.local_header()[:-1])


@pytest.mark.parametrize(
    "directory",
    [
        Directory(0, 0, 0),
        Directory(10**6, 4000, 50),
        Directory(2**33, 4000, 50),
        Directory(10**6, 2**33, 10),
        Directory(10**6, 4000, 70_000),
        Directory(0xFFFFFFFF, 0, 0xFFFF),
        Directory(0xFFFFFFFE, 0, 0xFFFE),
    ],
)
def test_ends_are_read_back(directory: Directory) -> None:
    end = directory.end()
    size = directory.offset + directory.size + len(end)
    assert parse_end(end, size) == directory
    is_large = max(directory.offset, directory.size) >= 0xFFFFFFFF or directory.count >= 0xFFFF
    assert (len(end) > END_BYTES) == is_large
    with pytest.raises(FormatError):
        parse_end(end, size + 1)


class Sparse(io.FileIO):
    """A file in which zeros take no room."""

    def write(self, data: object) -> int:
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        if size == CHUNK_BYTES:
            self.seek(size, io.SEEK_CUR)
            return size
        return super().write(data)  # type: ignore[arg-type,return-value]


def zeros(size: int) -> Iterator[bytes]:
    chunk = bytes(CHUNK_BYTES)
    yield from (chunk for _ in range(size // CHUNK_BYTES))
    yield bytes(size % CHUNK_BYTES)


def test_a_large_original_is_written_and_read_by_all(tmp_path: Path) -> None:
    """Past four gigabytes in `make soak`."""
    path, size = tmp_path / "large.zip", scaled(20 * CHUNK_BYTES + 7, LARGE)
    with Sparse(path, "w+") as target:
        write_archive(target, [("originals/0001", size, zeros(size)), ("verify.html", 3, (b"end",))])  # type: ignore[arg-type]
    with ArchiveReader(path) as archive:
        assert archive.is_canonical
        assert archive.size("originals/0001") == size
        assert sum(len(piece) for piece in archive.chunks("originals/0001")) == size
        assert archive.read("verify.html") == b"end"
    with zipfile.ZipFile(path) as other:
        assert [info.file_size for info in other.infolist()] == [size, 3]
        assert other.read("verify.html") == b"end"
