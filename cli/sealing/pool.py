"""Chunks to record lines on all cores.

Hashing a small file is mostly Python's own work, which threads cannot share (measured on two cores,
10,000 files of 4 KiB: one thread 0.32 s, two threads 0.39 s, two processes 0.22 s). So many files go
in chunks to processes, each of which builds the records too; few files stay in this process. A
large file uses two threads wherever it is hashed (see `hashing`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.sealing.chunks import Chunk
from mizheng.cli.sealing.hashing import Tick
from mizheng.cli.sealing.quick import Quick, find_quick
from mizheng.cli.sealing.recording import Batch, Gathering, Reading, record_chunk
from mizheng.cli.sealing.records import RecordWriter

if TYPE_CHECKING:
    from mizheng.cli.sealing.workers import Workers

# Starting workers takes about 50 ms; below this much work they cannot earn it back.
_FEW_FILES = 1500
_FEW_BYTES = 256 << 20
# More readers than cores: while one waits for the disk, another hashes.
_READERS_PER_CORE = 3
# Chunks whose records wait for those of an earlier one: bounds memory to some tens of MiB.
_WINDOW = 64


def record_all(chunks: Iterable[Chunk], manifest_key: bytes, tick: Tick) -> Iterator[Batch]:
    """The records of everything in `chunks`, in order; `tick` hears of bytes as they are read."""
    waiting = iter(chunks)
    first: list[Chunk] = []
    while sum(chunk.size for chunk in first) < _FEW_FILES and (chunk := next(waiting, None)) is not None:
        first.append(chunk)
    cores = os.cpu_count() or 1
    is_little = _is_little(first)
    if not is_little and any(chunk.earlier for chunk in first) and (quick := find_quick()) is not None:
        return _record_renewed(chain(first, waiting), manifest_key, tick, cores, quick)
    if cores == 1 or is_little:
        return _record_here(chain(first, waiting), manifest_key, tick)
    return _record_in_processes(chain(first, waiting), manifest_key, tick, cores * _READERS_PER_CORE)


def _is_little(chunks: list[Chunk]) -> bool:
    count = sum(chunk.size for chunk in chunks)
    return count < 2 or (count < _FEW_FILES and sum(map(_size, chunks)) < _FEW_BYTES)


def _size(chunk: Chunk) -> int:
    size = 0
    for part in chunk.parts:
        for name in part.names.split(b"\0"):
            try:
                size += Path(os.fsdecode(part.base + part.folder + name)).lstat().st_size
            except OSError:
                continue
    return size


def _record_here(chunks: Iterable[Chunk], manifest_key: bytes, tick: Tick) -> Iterator[Batch]:
    writer = RecordWriter(manifest_key)
    for chunk in chunks:
        yield from (item for item in record_chunk(chunk, writer, tick) if isinstance(item, Batch))


class _Slot:
    """A place in the order: what was asked for, and what came of it."""

    __slots__ = ("chunk", "parts")

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.parts: list[Batch | _Slot] | None = None


def _record_in_processes(
    chunks: Iterator[Chunk], manifest_key: bytes, tick: Tick, readers: int
) -> Iterator[Batch]:
    from mizheng.cli.sealing.workers import Workers

    order: deque[Batch | _Slot] = deque()
    apart: deque[_Slot] = deque()
    """Large files, which go before the next chunk: each takes long."""
    with Workers(readers, manifest_key) as workers:
        while True:
            while workers.idle and (slot := _next(apart, chunks, order)) is not None:
                workers.give(slot.chunk, slot)
            if not order:
                return
            for slot, result in workers.wait():
                apart += _put(slot, result)
            tick(workers.bytes_read())
            yield from _ready(order)


def _record_renewed(
    chunks: Iterator[Chunk], manifest_key: bytes, tick: Tick, cores: int, quick: Quick
) -> Iterator[Batch]:
    """What has not changed by threads, the few files that have by this one, all else by processes."""
    from mizheng.cli.sealing.renewing import Renewers, record_renewed

    order: deque[Batch | _Slot] = deque()
    apart: deque[_Slot] = deque()
    writer = RecordWriter(manifest_key)
    with Renewers(quick, manifest_key, cores) as renewers, ExitStack() as stack:
        workers: Workers | None = None
        while True:
            # Processes come when there is work for them, and part from this one while its threads do nothing.
            if apart and workers is None and not renewers.busy:
                from mizheng.cli.sealing.workers import Workers

                workers = stack.enter_context(Workers(cores * _READERS_PER_CORE, manifest_key))
            while (workers or not apart) and renewers.has_room and (slot := _next(deque(), chunks, order)):
                renewers.give(slot.chunk, slot)
            while workers and workers.idle and apart:
                slot = apart.popleft()
                workers.give(slot.chunk, slot)
            if not order:
                return
            if workers:
                for done, result in workers.wait(0) if renewers.busy else workers.wait():
                    apart += _put(done, result)
                tick(workers.bytes_read())
            if renewers.busy:
                slot, found = renewers.wait()
                reading = Reading(Gathering(writer), tick, is_splitting=True)
                result = [slot.chunk] if found is None else record_renewed(slot.chunk, found, reading)
                apart += _put(slot, result)
            yield from _ready(order)


def _put(slot: _Slot, result: Iterable[Batch | Chunk]) -> list[_Slot]:
    """Into its place in the order; the places of what has to be done apart."""
    slot.parts = [_Slot(item) if isinstance(item, Chunk) else item for item in result]
    return [item for item in slot.parts if isinstance(item, _Slot)]


def _next(apart: deque[_Slot], chunks: Iterator[Chunk], order: deque[Batch | _Slot]) -> _Slot | None:
    if apart:
        return apart.popleft()
    if len(order) >= _WINDOW or (chunk := next(chunks, None)) is None:
        return None
    slot = _Slot(chunk)
    order.append(slot)
    return slot


def _ready(order: deque[Batch | _Slot]) -> Iterator[Batch]:
    while order:
        item = order.popleft()
        if isinstance(item, Batch):
            yield item
        elif item.parts is None:
            order.appendleft(item)
            return
        else:
            order.extendleft(reversed(item.parts))
