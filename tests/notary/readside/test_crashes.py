"""The publisher dies, or its disk fails, at every single line: what readers find then, and how it goes on.

A fault is *lost* (the call did nothing) or *persisted* (it was done, but nobody heard of it). After each one
the head that stands is whole, and a publisher that knows nothing of it finishes the work.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.publishing.directory import DirectoryTarget
from mizheng.notary.publishing.step import FilePublisher
from sqlalchemy import Engine

from tests.notary.readside.folders import check_readable, published_size, read_files
from tests.notary.readside.logs import grow, make_log, tile_files
from tests.support.scale import scaled

CALLS = ("write", "fsync", "link", "replace", "unlink", "mkdir", "rmdir", "chmod", "fchmod")

# Number and name of the call, and the call itself.
Fail = Callable[[int, str, Callable[[], Any]], Any]


class Crash(BaseException):
    """Nothing in the publisher may handle it: as good as the end of the process."""


@contextmanager
def faults(
    monkeypatch: pytest.MonkeyPatch, fail: Callable[[int, str, Callable[[], Any]], Any]
) -> Iterator[None]:
    """Each call that changes the disk goes through `fail(number, name, call)`, numbered from 0."""
    guard, numbers = threading.Lock(), iter(range(10**9))

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            with guard:
                number = next(numbers)
            return fail(number, name, lambda: real(*args, **kwargs))

        return run

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, wrapped(name, getattr(os, name)))
        yield


def publish(engine: Engine, folder: Path) -> None:
    """By a publisher that was just started."""
    FilePublisher(engine, DirectoryTarget(folder)).publish()


def run_with_fault(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, folder: Path, at: set[int], kind: str
) -> bool:
    """One publication; whether a fault came."""
    hit = threading.Event()

    def fail(number: int, name: str, call: Callable[[], Any]) -> Any:
        # Once dead, nothing more is done.
        if kind.startswith("crash") and hit.is_set():
            raise Crash
        if number not in at:
            return call()
        hit.set()
        if kind.endswith("persisted"):
            call()
        raise Crash if kind.startswith("crash") else OSError(errno.EIO, "input/output error")

    with faults(monkeypatch, fail):
        try:
            publish(engine, folder)
        except (Crash, OSError):
            assert hit.is_set()
    return hit.is_set()


KINDS = ("crash, lost", "crash, persisted", "error, lost", "error, persisted")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("old", "new"), [(0, 3), (250, 515)])
def test_every_call_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, old: int, new: int
) -> None:
    engine, before = make_log(tmp_path / "log", old), tmp_path / "before"
    publish(engine, before)
    grow(engine, new)
    calls = count_calls(monkeypatch, engine, shutil.copytree(before, tmp_path / "counted"))
    # Every call in the long form; in the short one some, others of each kind.
    step = scaled(max(1, calls // 8), 1)
    for point in range(KINDS.index(kind) % step, calls, step):
        folder = shutil.copytree(before, tmp_path / f"{point}")
        # Once and twice in a row: the second fault meets the publisher that cleans up after the first one.
        for _ in range(2):
            run_with_fault(monkeypatch, engine, folder, {point}, kind)
            assert check_readable(folder) in (old, new)
        publish(engine, folder)
        assert published_size(folder) == new
        left = {path for path in tile_files(old) if path.partition(".p/")[0] not in tile_files(new)}
        assert set(read_files(folder)) - left == {"checkpoint", *tile_files(new)}
        assert not list((folder / ".publishing").glob("*.new"))


def count_calls(monkeypatch: pytest.MonkeyPatch, engine: Engine, folder: Path) -> int:
    """How many calls one publication makes."""
    numbers = [0]

    def count(number: int, _name: str, call: Callable[[], Any]) -> Any:
        numbers.append(number)
        return call()

    with faults(monkeypatch, count):
        publish(engine, folder)
    assert max(numbers) > 15
    return max(numbers) + 1


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, folder = make_log(tmp_path / "log", 600), tmp_path / "public"
    publish(engine, folder)
    grow(engine, 1_200)
    publisher = FilePublisher(engine, DirectoryTarget(folder))
    for room in range(0, 60_000, scaled(9_000, 1_000)):
        left = [room]

        def fail(_number: int, name: str, call: Callable[[], Any], left: list[int] = left) -> Any:
            if name == "write":
                left[0] -= 4_000
                if left[0] < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
            return call()

        with faults(monkeypatch, fail):
            publisher.step()
        if publisher.state == "ok":
            break
        assert publisher.state == "target-unwritable"
        assert check_readable(folder) == 600
        # What could not be finished takes no room.
        assert not list((folder / ".publishing").glob("*.new"))
    publisher.step()
    assert publisher.state == "ok"
    assert check_readable(folder) == 1_200


def test_a_write_may_be_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, folder = make_log(tmp_path / "log", 300), tmp_path / "public"
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: real(handle, bytes(data)[:1000]))
        publish(engine, folder)
    assert check_readable(folder) == 300
