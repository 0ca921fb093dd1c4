"""What is written past the page cache is what was given, whatever the system refuses or cuts short."""

from __future__ import annotations

import errno
import fcntl
import io
import mmap
import os
from pathlib import Path
from typing import Any

import pyrage
import pytest
from mizheng.cli.keeping.encrypting import encrypt
from mizheng.cli.keeping.stores import writing
from mizheng.cli.keeping.stores.writing import BLOCK, NewFile
from pyrage import x25519

LARGE = 1 << 20


def laid_out(place: int, data: bytes) -> memoryview:
    """In memory where it comes in the file, as the pieces of an age file are."""
    room = memoryview(mmap.mmap(-1, len(data) + BLOCK))[place % BLOCK :]
    room[: len(data)] = data
    return room[: len(data)]


def write(path: Path, *sizes: int, shift: int = 0) -> bytes:
    """What was given, of which each byte is random; `shift`: pieces lie elsewhere than in the file."""
    whole = os.urandom(sum(sizes))
    place = 0
    with path.open("w+b", buffering=0) as file:
        new = NewFile(file)
        for size in sizes:
            new.write(laid_out(place + shift, whole[place : place + size]))
            place += size
        new.finish()
        assert not fcntl.fcntl(file, fcntl.F_GETFL) & os.O_DIRECT
    return whole


@pytest.mark.parametrize(
    "sizes",
    [
        (),
        (0,),
        (1, BLOCK - 2),
        (1, BLOCK - 1),
        (BLOCK, BLOCK + 1, 5),
        (3 * BLOCK + 5, 2, LARGE),
        (200, LARGE, LARGE + 16, 3),
        (200, LARGE + BLOCK - 200, LARGE, 0),
        (BLOCK + 7, 2 * LARGE, 4080, 9, LARGE, 2 * BLOCK),
    ],
)
def test_pieces_of_any_size(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    whole = write(tmp_path / "file", *sizes)
    assert (tmp_path / "file").read_bytes() == whole


def test_an_original_goes_past_the_cache_without_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is whole blocks, where the file system can do it; the next test is of those that cannot."""
    past: list[int] = []
    honest = os.writev

    def count(descriptor: int, parts: Any) -> int:
        assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT
        past.append(done := honest(descriptor, parts))
        return done

    monkeypatch.setattr(os, "writev", count)
    with (tmp_path / "try").open("wb", buffering=0) as file:
        if not writing._begin_direct(file) or os.fstat(file.fileno()).st_blksize != BLOCK:
            pytest.skip("the folder of this test is on a file system without O_DIRECT")
    data, identity = os.urandom(5 * LARGE + 7), x25519.Identity.generate()
    with (tmp_path / "file").open("w+b", buffering=0) as file:
        new = NewFile(file)
        made = encrypt(io.BytesIO(data), [identity.to_public()], new.write).ciphertext
        new.finish()
    assert sum(past) == made.size // BLOCK * BLOCK
    assert pyrage.decrypt((tmp_path / "file").read_bytes(), [identity]) == data


@pytest.mark.parametrize("where", ["fcntl", "writev", "memory", "share"])
def test_where_it_cannot_be_done_it_goes_through_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def refuse(*_arguments: Any) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    if where == "fcntl":
        monkeypatch.setattr(writing, "_set_direct", lambda _file, is_direct: is_direct and refuse())
    elif where == "writev":
        monkeypatch.setattr(os, "writev", refuse)
    elif where == "share":
        monkeypatch.setattr(os, "fstat", lambda _descriptor: os.stat_result([0] * 10))
    whole = write(tmp_path / "file", 200, LARGE, LARGE, 40 * LARGE, 5, shift=1 if where == "memory" else 0)
    assert (tmp_path / "file").read_bytes() == whole


@pytest.mark.parametrize("most", [0, 512, BLOCK, 3 * BLOCK, LARGE])
def test_what_was_cut_short_is_written_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """In the first of two parts, at its end, within the second."""
    honest = os.write
    monkeypatch.setattr(os, "writev", lambda file, parts: honest(file, b"".join(parts)[:most]) if most else 0)
    monkeypatch.setattr(writing, "_set_direct", lambda _file, _is_direct: None)
    whole = write(tmp_path / "file", 200, 2 * LARGE, LARGE, 7)
    assert (tmp_path / "file").read_bytes() == whole


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    monkeypatch.setattr(writing, "_begin_direct", lambda _file: True)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "file", 200, LARGE)
