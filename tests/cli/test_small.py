"""Rows of small files: the same digests as with all care, and whatever is odd about a file ends the row."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mizheng.cli.sealing import small
from mizheng.cli.sealing.folder import Folder
from mizheng.cli.sealing.hashing import Digests, digest_file
from mizheng.cli.sealing.small import SMALL_BYTES, digest_row

NAMES = [b"0", b"1", b"2", b"3"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four files at rest."""
    for number, name in enumerate(NAMES):
        (tmp_path / name.decode()).write_bytes(bytes(number * 1000))
    time.sleep(0.03)
    return tmp_path


def row_of(folder: Path) -> list[Digests]:
    with Folder(bytes(folder) + b"/") as opened:
        return digest_row(opened, NAMES, lambda _size: None)


def test_digests_and_stamps_are_those_of_one_by_one(folder: Path) -> None:
    assert row_of(folder) == [digest_file(bytes(folder) + b"/" + name) for name in NAMES]


def _vanish(path: Path) -> None:
    path.unlink()


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("0")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _grow_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SMALL_BYTES)


def _date_ahead(path: Path) -> None:
    os.utime(path, (2**32, 2**32))


ODD: list[Callable[[Path], None]] = [_vanish, _link, _pipe, _folder, _grow_large, _date_ahead]


@pytest.mark.parametrize("change", ODD)
def test_what_is_odd_ends_the_row(folder: Path, change: Callable[[Path], None]) -> None:
    change(folder / "2")
    time.sleep(0.03)
    assert len(row_of(folder)) == 2


def test_what_was_written_a_moment_ago_ends_the_row(folder: Path) -> None:
    """A further write within the same tick of the clock would not show."""
    (folder / "2").write_bytes(b"new")
    assert len(row_of(folder)) == 2


def test_a_change_between_the_two_looks_ends_the_row(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    read = os.read

    def meanwhile(descriptor: int, size: int) -> bytes:
        seen.append(descriptor)
        if len(seen) == 3:
            (folder / "2").write_bytes(bytes(2000))
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", meanwhile)
    assert len(row_of(folder)) == 2


def test_a_row_holds_no_more_than_its_bound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "_ROW_BYTES", 2500)
    assert len(row_of(folder)) == 3


@pytest.mark.parametrize("change", [None, *ODD])
def test_every_descriptor_is_closed(folder: Path, change: Callable[[Path], None] | None) -> None:
    if change:
        change(folder / "2")
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    row_of(folder)
    assert len(list(descriptors.iterdir())) == before


def test_a_disk_that_is_waited_for_is_told_what_comes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once reading has taken long: of all that is open then, and with the same result."""
    told: list[int] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda descriptor, *_how: told.append(descriptor))
    monkeypatch.setattr(small, "_OPEN", 2)
    # However busy the machine is, an hour is not waited for.
    monkeypatch.setattr(small, "_WAIT_NS", 3_600_000_000_000)
    expected = row_of(folder)
    assert not told
    monkeypatch.setattr(small, "_WAIT_NS", -1)
    assert row_of(folder) == expected
    assert len(told) == 2
