"""One pass, right digests, constant memory, and changes noticed."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from mizheng.cli.sealing import hashing
from mizheng.cli.sealing.hashing import CHANGED, CHUNK, UnreadableError, digest_file

from tests.support.scale import scaled


@pytest.mark.parametrize(
    "size", [0, 1, 63, 64, 4096, CHUNK - 1, CHUNK, CHUNK + 1, (8 << 20) - 1, 8 << 20, (9 << 20) + 7]
)
def test_digests_are_those_of_the_content(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    seen: list[int] = []
    found = digest_file(bytes(path), seen.append)
    assert found.size == size == sum(seen)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.sm3 == hashlib.new("sm3", data).hexdigest()
    assert found.modified == int(path.stat().st_mtime)


def test_a_large_sparse_file_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    size = scaled(96 << 20, 5 << 30)
    with path.open("wb") as file:
        file.truncate(size)
    tracemalloc.start()
    found = digest_file(bytes(path))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.size == size
    assert peak < 16 * CHUNK


@pytest.mark.parametrize("size", [0, 100, 9 << 20])
def test_a_growing_file_is_noticed(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something appends for as long as we read: reading ends all the same, twice, and says so."""
    path = tmp_path / "growing"
    path.write_bytes(bytes(size))

    def grow(_size: int) -> None:
        with path.open("ab") as file:
            file.write(b"x")

    if size == 0:
        # Nothing is read of an empty file, so the writer comes first.
        def grow_first(descriptor: int) -> os.stat_result:
            state = honest(descriptor)
            grow(0)
            return state

        honest = hashing._settled
        monkeypatch.setattr(hashing, "_settled", grow_first)
    with pytest.raises(UnreadableError, match=CHANGED):
        digest_file(bytes(path), grow)


@pytest.mark.parametrize("size", [100, 9 << 20])
def test_a_file_that_changes_once_is_read_again(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    changes = iter([b"changed" * (size // 7 + 1)])

    def change(_size: int) -> None:
        data = next(changes, None)
        if data is not None:
            path.write_bytes(data[:size])

    found = digest_file(bytes(path), change)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_change_of_the_same_size_within_a_tick_is_noticed(tmp_path: Path) -> None:
    """File times move in steps: a file written a moment ago is left to settle before it is read."""
    path = tmp_path / "file"
    for round_ in range(20):
        path.write_bytes(b"a" * 5000)
        written = threading.Event()

        def rewrite(_size: int, written: threading.Event = written) -> None:
            if not written.is_set():
                path.write_bytes(b"b" * 5000)
                written.set()

        found = digest_file(bytes(path), rewrite)
        assert found.sha256 == hashlib.sha256(b"b" * 5000).hexdigest(), round_


def test_old_files_are_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")
    time.sleep(0.05)
    start = time.monotonic()
    digest_file(bytes(path))
    assert time.monotonic() - start < 0.02


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket")[:100])
    for name, reason in (
        ("pipe", "a named pipe"),
        ("link", "became a link before it was read"),
        ("socket", "a special file"),
        ("missing", "vanished before it was read"),
    ):
        with pytest.raises(UnreadableError, match=reason):
            digest_file(bytes(tmp_path / name))
    with pytest.raises(UnreadableError, match="a device"):
        digest_file(b"/dev/null")


def test_an_unreadable_file_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is made."""
    path = tmp_path / "file"
    path.write_bytes(b"x")

    def refuse(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(hashing, "open_deep", refuse)
    with pytest.raises(UnreadableError, match="permission denied") as caught:
        digest_file(bytes(path))
    assert str(path) not in str(caught.value)


def test_a_disk_error_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")

    def fail(*_arguments: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(hashing.os, "read", fail)
    with pytest.raises(UnreadableError, match="input/output error"):
        digest_file(bytes(path))


def test_the_descriptor_is_closed_whatever_happens(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(9 << 20))
    open_files = Path("/proc/self/fd")
    before = sum(1 for _ in open_files.iterdir())

    def grow(_size: int) -> None:
        with path.open("ab") as file:
            file.write(b"x")

    for _ in range(3):
        with pytest.raises(UnreadableError):
            digest_file(bytes(path), grow)
    assert sum(1 for _ in open_files.iterdir()) == before
    assert threading.active_count() == 1 or not any(thread.name == "sm3" for thread in threading.enumerate())
