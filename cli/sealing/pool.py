"""From things found to record lines, on all cores.

Hashing a small file is mostly Python's own work, which threads cannot share (measured on two cores,
10,000 files of 4 KiB: one thread 0.32 s, two threads 0.39 s, two processes 0.22 s). So many files go
in batches to processes, each of which builds the records too; few files stay in this process. A
large file uses two threads wherever it is hashed (see `hashing`).

The manifest key goes to the worker processes over a pipe of this machine and nowhere else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, TimeoutError
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import Any

from mizheng.cli.sealfile.labels import NO_STAMP, pack_entry
from mizheng.cli.sealing.hashing import UnreadableError, digest_file
from mizheng.cli.sealing.records import RecordWriter
from mizheng.cli.sealing.walking import Found
from mizheng.verifier.merkle import leaf_hash

# A batch keeps a worker busy for about ten milliseconds, so that handing it over costs nothing …
_BATCH_FILES = 250
# … and no longer than this many bytes, so that large files spread over the workers.
_BATCH_BYTES = 32 << 20
# Starting workers takes about 50 ms; below this much work they cannot earn it back.
_FEW_FILES = 1500
_FEW_BYTES = 256 << 20
# Batches in flight for each worker: bounds memory, keeps every worker fed.
_WINDOW = 4
_POLL_SECONDS = 0.2
_TELL_BYTES = 4 << 20


@dataclass(slots=True)
class Batch:
    """Records of some things found, in order."""

    lines: bytes = b""
    """Canonical JSON, one record a line."""
    leaves: bytes = b""
    """Their leaf hashes, 32 bytes each."""
    labels: bytes = b""
    """Their names and stamps, packed."""
    count: int = 0
    size: int = 0
    """Bytes of file content."""
    reused: int = 0
    """Files that were not read, because an earlier seal has them."""
    links: int = 0
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)
    """(label, reason)."""


Tick = Callable[[int], None]


def record_all(found: Iterable[Found], manifest_key: bytes, tick: Tick) -> Iterator[Batch]:
    """The records of everything in `found`, in order; `tick` hears of bytes as they are read."""
    items = iter(found)
    first = list(islice(items, _FEW_FILES))
    workers = os.cpu_count() or 1
    is_little = len(first) < _FEW_FILES and sum(item.size for item in first) < _FEW_BYTES
    batches = _batches(chain(first, items))
    if workers == 1 or is_little or sum(item.kind == "file" for item in first) < 2:
        writer = RecordWriter(manifest_key)
        return (_record_batch(batch, writer, tick) for batch in batches)
    return _record_in_processes(batches, manifest_key, tick, workers)


def _batches(found: Iterable[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for item in found:
        batch.append(item)
        size += item.size
        if len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _record_batch(batch: Iterable[Found], writer: RecordWriter, tick: Tick) -> Batch:
    result = Batch()
    records: list[bytes] = []
    labels: list[bytes] = []
    for item in batch:
        kind, stamp = item.kind, NO_STAMP
        if item.record:
            stamp = item.stamp
            result.size += item.size
            result.reused += 1
            records.append(writer.renew(item.label, item.record))
        elif kind == "file":
            try:
                digests = digest_file(item.path, tick)
            except UnreadableError as error:
                kind, reason = "unreadable", str(error)
                result.unreadable.append((item.label, reason))
                records.append(writer.unreadable(item.label, reason))
            else:
                stamp = digests.stamp
                result.size += digests.size
                records.append(writer.file(item.label, digests))
        elif kind == "link":
            result.links += 1
            records.append(writer.link(item.label, item.detail))
        else:
            reason = item.detail.decode()
            result.unreadable.append((item.label, reason))
            records.append(writer.unreadable(item.label, reason))
        labels.append(pack_entry(kind, item.label, stamp))
    result.labels = b"".join(labels)
    result.count = len(records)
    result.lines = b"\n".join(records) + b"\n"
    result.leaves = b"".join(map(leaf_hash, records))
    return result


def _record_in_processes(
    batches: Iterator[list[Found]], manifest_key: bytes, tick: Tick, workers: int
) -> Iterator[Batch]:
    # Forking is quick and safe here: this process has no other threads yet.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    counter = context.Value("Q", 0)
    stop = context.Event()
    seen = 0

    def report() -> None:
        nonlocal seen
        now = int(counter.value)
        tick(now - seen)
        seen = now

    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start_worker, initargs=(manifest_key, counter, stop)
    )
    waiting: deque[Future[Batch]] = deque()
    packed = map(_pack, batches)
    try:
        waiting.extend(pool.submit(_work, batch) for batch in islice(packed, workers * _WINDOW))
        while waiting:
            try:
                result = waiting[0].result(timeout=_POLL_SECONDS)
            except TimeoutError:
                report()
                continue
            waiting.popleft()
            waiting.extend(pool.submit(_work, batch) for batch in islice(packed, 1))
            report()
            yield result
    finally:
        # However this ends: a worker in the middle of a large file must not hold us up.
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """What a worker process keeps between batches."""

    writer: RecordWriter
    counter: Synchronized[int]
    stop: Event


class _StoppedError(Exception):
    """The parent has given up; nobody looks at this."""


def _start_worker(manifest_key: bytes, counter: Synchronized[int], stop: Event) -> None:
    # Ctrl-C reaches the whole process group; only the parent answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _Worker.writer = RecordWriter(manifest_key)
    _Worker.counter = counter
    _Worker.stop = stop


def _leave_with_parent() -> None:
    """A parent that is killed cannot tell its workers: they watch for its end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


_Packed = tuple[bytes, list[bytes | tuple[Any, ...]]]


def _pack(batch: list[Found]) -> list[_Packed]:
    """A batch as it goes to a worker: of most things the name is enough, and it is read there anyway."""
    packed: list[_Packed] = []
    for item in batch:
        if not packed or packed[-1][0] != item.base:
            packed.append((item.base, []))
        is_plain = item.kind == "file" and not item.record
        packed[-1][1].append(item.label if is_plain else tuple(item))
    return packed


def _unpack(packed: list[_Packed]) -> Iterator[Found]:
    for base, items in packed:
        for item in items:
            yield Found("file", base, item) if isinstance(item, bytes) else Found(*item)


def _work(packed: list[_Packed]) -> Batch:
    pending = 0

    def tell() -> None:
        nonlocal pending
        if _Worker.stop.is_set():
            raise _StoppedError
        with _Worker.counter.get_lock():
            _Worker.counter.value += pending
        pending = 0

    def tick(size: int) -> None:
        nonlocal pending
        pending += size
        # The counter is shared: talking to it for every small file would cost more than hashing it.
        if pending >= _TELL_BYTES:
            tell()

    result = _record_batch(_unpack(packed), _Worker.writer, tick)
    tell()
    return result
