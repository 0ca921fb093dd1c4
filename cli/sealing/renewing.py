"""Files that have not changed since an earlier seal, in threads: the compiled part needs no lock of Python's.

What else a chunk holds is read by whoever asks for it; a chunk with many changes goes to processes that hash.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Any

from mizheng.cli.sealing.chunks import Chunk
from mizheng.cli.sealing.folder import Folder
from mizheng.cli.sealing.quick import Quick, Run
from mizheng.cli.sealing.recording import Batch, Reading, readable
from mizheng.cli.sealing.records import FILE_SALT

# More of one folder than this are hashed elsewhere, on all cores.
_CHANGED = 16
# Waiting for each thread: as much as keeps it busy while its last chunk is recorded.
_AHEAD = 2

Runs = list[list[Run]]
"""Of each part of a chunk."""


class Renewers:
    """Threads that are given chunks and answer with what has not changed in them."""

    def __init__(self, quick: Quick, manifest_key: bytes, count: int) -> None:
        self._quick = quick
        self._key = manifest_key
        self._todo: SimpleQueue[tuple[Chunk, Any] | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[Any, Runs | BaseException | None]] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name="renew", daemon=True) for _ in range(count)]
        self.busy = 0

    def __enter__(self) -> Renewers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_details: object) -> None:
        """Each thread ends with the chunk that it has."""
        if kind is not None:
            while not self._todo.empty():
                self._todo.get()
        for _thread in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join()

    @property
    def has_room(self) -> bool:
        return self.busy < _AHEAD * len(self._threads)

    def give(self, chunk: Chunk, slot: Any) -> None:
        self.busy += 1
        self._todo.put((chunk, slot))

    def wait(self) -> tuple[Any, Runs | None]:
        """What a chunk's slot was, and what was found; None: it is to be read whole."""
        slot, found = self._done.get()
        self.busy -= 1
        if isinstance(found, BaseException):
            raise found
        return slot, found

    def _work(self) -> None:
        while (item := self._todo.get()) is not None:
            chunk, slot = item
            try:
                self._done.put((slot, self._renew(chunk)))
            except BaseException as error:
                self._done.put((slot, error))

    def _renew(self, chunk: Chunk) -> Runs | None:
        table = self._quick.table(tuple(readable(chunk.earlier)), self._key, FILE_SALT)
        found: Runs = []
        for part in chunk.parts:
            with Folder(part.base, part.folder) as folder:
                if folder.descriptor is None:
                    return None
                runs = self._quick.renew(table, folder.descriptor, part.folder, part.names, _CHANGED)
            # What the listing saw is no file, whatever stands there now.
            if runs is None or any(
                run[0] <= place < run[0] + run[1] for run in runs for place in part.others
            ):
                return None
            found.append(runs)
        return found


def record_renewed(chunk: Chunk, found: Runs, reading: Reading) -> list[Batch | Chunk]:
    """The records of a chunk, `found` being what has not changed in it."""
    for part, runs in zip(chunk.parts, found, strict=True):
        count = part.names.count(b"\0") + 1
        if len(runs) == 1 and runs[0][1] == count:
            reading.gathering.run(runs[0])
            continue
        names = part.names.split(b"\0")
        with Folder(part.base, part.folder) as folder:
            start = 0
            for run in runs:
                reading.read_between(part, folder, names, start, run[0])
                reading.gathering.run(run)
                start = run[0] + run[1]
            reading.read_between(part, folder, names, start, count)
    return reading.take()
