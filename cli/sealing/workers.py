"""Processes that read and hash, each on a pipe of its own: one chunk at a time, one answer each.

No thread and no queue stands between, so that a chunk costs its bytes and little more. The manifest key goes
to them over memory or a pipe of this machine and nowhere else.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from mizheng.cli.errors import CommandError, SoftwareFault
from mizheng.cli.sealing.chunks import Chunk
from mizheng.cli.sealing.recording import Batch, record_chunk
from mizheng.cli.sealing.records import RecordWriter
from mizheng.cli.sealing.sm3 import find_lanes

_POLL_SECONDS = 0.2
# The counter is shared memory: talking to it for every small file would cost more than hashing it.
_TELL_BYTES = 4 << 20
_END_SECONDS = 5


class _StoppedError(Exception):
    """The parent has given up; nobody looks at this."""


class Workers:
    """Idle ones are given chunks, busy ones waited for."""

    def __init__(self, count: int, manifest_key: bytes) -> None:
        # Forking is quick and safe here: this process has no other thread that holds anything.
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        # Bytes read by each worker, written by it alone; the last place says that they are to stop.
        self._counters = context.RawArray("Q", count + 1)
        self._seen = 0
        self._processes: list[BaseProcess] = []
        self._busy: dict[Connection, Any] = {}
        self.idle: list[Connection] = []
        # Before the processes part, so that it is looked for once.
        find_lanes()
        is_forked = context.get_start_method() == "fork"
        for number in range(count):
            ours, theirs = context.Pipe()
            # What a fork inherits it has to close, or no pipe would end with this process.
            inherited = [*self.idle, ours] if is_forked else []
            arguments = (theirs, inherited, manifest_key, self._counters, number, os.getpid())
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self.idle.append(ours)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_details: object) -> None:
        """However this ends: a worker in the middle of a large file must not hold us up."""
        self._counters[len(self._processes)] = 1
        for connection in (*self.idle, *self._busy):
            connection.close()
        for process in self._processes:
            process.join(_END_SECONDS)
            if process.exitcode is None:
                process.terminate()

    def give(self, chunk: Chunk, slot: Any) -> None:
        """Let an idle worker do `chunk`; `slot` comes back with what it makes of it."""
        connection = self.idle.pop()
        self._busy[connection] = slot
        with contextlib.suppress(BrokenPipeError):
            connection.send(chunk)

    def wait(self, seconds: float = _POLL_SECONDS) -> Iterator[tuple[Any, list[Batch | Chunk]]]:
        """What is done, after a moment at most; CommandError when a worker died or failed."""
        connection: Any
        for connection in wait(list(self._busy), seconds):
            slot = self._busy.pop(connection)
            try:
                result = connection.recv()
            except (EOFError, ConnectionResetError) as error:
                connection.close()
                raise SoftwareFault(
                    "a process that was reading files ended unexpectedly",
                    "is there enough memory? run the same again",
                ) from error
            self.idle.append(connection)
            if isinstance(result, Exception):
                raise result
            yield slot, result

    def bytes_read(self) -> int:
        """Since the last time."""
        now: int = sum(self._counters[: len(self._processes)])
        read, self._seen = now - self._seen, now
        return read


def _work(
    connection: Connection,
    inherited: list[Connection],
    manifest_key: bytes,
    counters: Any,
    number: int,
    parent: int,
) -> None:
    # Ctrl-C reaches the whole process group; only the parent answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:
        other.close()
    # Nothing here makes circles; looking for them takes time and copies what a fork shares.
    gc.disable()
    writer = RecordWriter(manifest_key)
    stop = len(counters) - 1
    pending = 0

    def tell() -> None:
        nonlocal pending
        counters[number] += pending
        pending = 0
        # A parent that is killed cannot tell its workers.
        if counters[stop] or (os.getppid() != parent and sys.platform != "win32"):
            raise _StoppedError

    def tick(size: int) -> None:
        nonlocal pending
        pending += size
        if pending >= _TELL_BYTES:
            tell()

    with contextlib.suppress(EOFError, OSError, _StoppedError):
        while True:
            chunk = connection.recv()
            try:
                result: Any = record_chunk(chunk, writer, tick, split=True)
            except CommandError as error:
                result = error
            tell()
            connection.send(result)
