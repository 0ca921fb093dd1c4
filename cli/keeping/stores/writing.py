"""Writing one new file; a large one past the page cache where that can be done (Linux, O_DIRECT).

A copy into the cache and its upkeep take as much processor time as encrypting does, and nobody reads what was
kept soon. What goes past the cache is whole blocks that start at a multiple of their size, in memory as in
the file. The end, and everything where the system refuses, goes through the cache.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

BLOCK = 4096
# Pieces of less are not worth it.
_LEAST = 1 << 20
_BEGIN_BYTES = 32 << 20


class NewFile:
    """Takes pieces in order; less than a block waits for the next, or for `finish`."""

    def __init__(self, file: BinaryIO) -> None:
        """`file`: unbuffered, new, at its start."""
        self._file = file
        self._block = memoryview(mmap.mmap(-1, BLOCK))
        self._held = self._size = self._begun = 0
        self._is_direct = False
        # Shares name larger blocks than disks do: there, waiting for each piece would take longer.
        self._may = sys.platform == "linux" and os.fstat(file.fileno()).st_blksize == BLOCK

    def write(self, piece: bytes | memoryview) -> None:
        """One that lies in its page of memory where it comes in its block of the file is not copied."""
        piece = memoryview(piece)
        if self._may and len(piece) >= _LEAST:
            self._may, self._is_direct = False, _begin_direct(self._file)
        start = 0
        if self._held:
            start = min(BLOCK - self._held, len(piece))
            self._block[self._held : self._held + start] = piece[:start]
            self._held += start
            if self._held < BLOCK:
                return
        end = len(piece) - (len(piece) - start) % BLOCK
        self._put(self._block[: self._held], piece[start:end])
        self._held = len(piece) - end
        self._block[: self._held] = piece[end:]

    def finish(self) -> None:
        """Write the rest, and wait until all of it is on the disk."""
        if self._is_direct:
            self._end_direct()
        write_all(self._file, self._block[: self._held])
        os.fsync(self._file.fileno())

    def _put(self, *parts: memoryview) -> None:
        done = self._past_cache(parts) if self._is_direct else 0
        for part in parts:
            skip = min(done, len(part))
            done -= skip
            write_all(self._file, part[skip:])
        self._size += sum(map(len, parts))
        if not self._is_direct and self._size - self._begun >= _BEGIN_BYTES:
            _begin_writing(self._file, self._begun, self._size)
            self._begun = self._size

    def _past_cache(self, parts: Sequence[memoryview]) -> int:
        """How many bytes of them were; if not all, nothing is any more from now on."""
        try:
            done = os.writev(self._file.fileno(), parts)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            done = 0
        if done < sum(map(len, parts)):
            self._end_direct()
        return done

    def _end_direct(self) -> None:
        self._is_direct = False
        _set_direct(self._file, False)


def write_all(file: BinaryIO, piece: bytes | memoryview) -> None:
    """An unbuffered file may take less than it is given, for instance where a disk is nearly full."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _begin_direct(file: BinaryIO) -> bool:
    """Whether the file system can do it; some say so here, some at the first piece."""
    try:
        _set_direct(file, True)
    except OSError:
        return False
    return True


def _set_direct(file: BinaryIO, is_direct: bool) -> None:
    if sys.platform == "linux":
        import fcntl

        flags = fcntl.fcntl(file, fcntl.F_GETFL) & ~os.O_DIRECT
        fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_DIRECT if is_direct else flags)


def _begin_writing(file: BinaryIO, start: int, end: int) -> None:
    """Have these bytes begin their way to the disk, without waiting for it: the end then waits for few."""
    if sys.platform == "linux":
        # Linux starts what it could not drop from memory (mm/fadvise.c).
        os.posix_fadvise(file.fileno(), start, end - start, os.POSIX_FADV_DONTNEED)
