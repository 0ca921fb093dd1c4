"""A file that is hashed as it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

_CHUNK = 1 << 20

Tick = Callable[[int], None]
"""Called with the number of bytes of the original just read."""


class HashedFile:
    """Read from where the file stands to its end; pyrage asks for 8 KiB at a time."""

    def __init__(self, file: BinaryIO, tick: Tick = lambda _size: None) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.error: BaseException | None = None
        self._file = file
        self._tick = tick
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = memoryview(self._chunk())
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)

    def _chunk(self) -> bytes:
        try:
            data = self._file.read(_CHUNK)
        except BaseException as error:
            self.error = error
            raise
        self.digest.update(data)
        self.size += len(data)
        self._tick(len(data))
        return data
