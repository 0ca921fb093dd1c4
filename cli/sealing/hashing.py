"""Digests of one file: SHA-256, SM3 and size in one pass, in constant memory, noticing changes.

SM3 is three to four times slower than SHA-256 on today's processors, so for a large file it gets a
thread of its own (whoever computes it releases the interpreter lock) and the file takes as long as its SM3.

A file counts as unchanged when size, modification and status-change time and inode are the same
before and after, and as many bytes were read as it has. Writing through a memory map can escape
this until the kernel writes the page back; nothing short of a snapshot would notice.
"""

from __future__ import annotations

import hashlib
import os
import queue
import stat
import threading
import time
from collections.abc import Callable
from operator import attrgetter
from typing import NamedTuple

from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.sealing.folder import Folder, open_deep, reason_of, special_reason, stamp_of
from mizheng.cli.sealing.sm3_stream import Digest, start_sm3
from mizheng.cli.terminal.language import N_

# Large enough that a thread switch per chunk costs nothing, small enough to stay in the cache.
CHUNK = 1 << 20
# Below this a second thread costs more than it saves.
_THREADED_SIZE = 8 << 20
# Chunks waiting for the SM3 thread: bounds memory to a few MiB whatever the file's size.
_QUEUED_CHUNKS = 4
# File systems keep times in ticks of up to 10 ms: two writes within one tick look like one.
TICK_NS = 20_000_000

FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    # Between the walk and here the name may have become a link or a pipe: do not follow, do not wait.
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)

_identity: Callable[[os.stat_result], tuple[int, ...]] = attrgetter(
    "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_dev"
)

CHANGED = N_("changed while being read")
_SM3 = hashlib.new("sm3")

Tick = Callable[[int], None]
"""Called with the number of bytes just read."""


def _ignore(_size: int) -> None:
    pass


class UnreadableError(Exception):
    """A file that cannot be sealed; the message is the reason, a message id of the catalogue."""


class Digests(NamedTuple):
    """What one pass over a file found; digests in hex, `modified` in whole seconds since 1970."""

    size: int
    sha256: str
    sm3: str
    modified: int
    stamp: Stamp
    """As the disk had the file before and after."""


def digest_file(path: bytes, tick: Tick = _ignore) -> Digests:
    """Read the regular file at `path`; UnreadableError with the reason when that is not possible.

    A file that changes while it is read is read once more; when it changes again, it is unreadable.
    """
    return _digest_twice(lambda: open_deep(path, FLAGS), tick)


def digest_within(folder: Folder, name: bytes, tick: Tick = _ignore) -> Digests:
    """The same of `name` in an open folder."""
    return _digest_twice(lambda: folder.open(name, FLAGS), tick)


def _digest_twice(opening: Callable[[], int], tick: Tick) -> Digests:
    for _attempt in range(2):
        try:
            descriptor = opening()
        except OSError as error:
            raise UnreadableError(reason_of(error)) from error
        try:
            digests = _digest(descriptor, tick)
        except OSError as error:
            raise UnreadableError(reason_of(error)) from error
        finally:
            os.close(descriptor)
        if digests is not None:
            return digests
    raise UnreadableError(CHANGED)


def _digest(descriptor: int, tick: Tick) -> Digests | None:
    """The digests, or None when the file changed meanwhile."""
    before = _settled(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise UnreadableError(special_reason(before.st_mode))
    sha256 = hashlib.sha256()
    if before.st_size < _THREADED_SIZE:
        sm3: Digest = _SM3.copy()
        size = _read_plain(descriptor, before.st_size, sha256, sm3, tick)
    else:
        sm3 = start_sm3()
        size = _read_threaded(descriptor, before.st_size, sha256, sm3, tick)
    after = os.fstat(descriptor)
    if size != before.st_size or _identity(before) != _identity(after):
        return None
    return Digests(size, sha256.hexdigest(), sm3.hexdigest(), before.st_mtime_ns // 10**9, stamp_of(before))


def _read_plain(descriptor: int, expected: int, sha256: hashlib._Hash, sm3: Digest, tick: Tick) -> int:
    """Bytes read; more than `expected` ends it: a file may grow as fast as it is read."""
    size, wanted = 0, min(expected + 1, CHUNK)
    while size <= expected and (chunk := os.read(descriptor, wanted)):
        sha256.update(chunk)
        sm3.update(chunk)
        size += len(chunk)
        tick(len(chunk))
        # One byte more than expected was asked for: that it did not come shows that nothing follows.
        if len(chunk) < wanted and size == expected:
            break
    return size


def _read_threaded(descriptor: int, expected: int, sha256: hashlib._Hash, sm3: Digest, tick: Tick) -> int:
    """As `_read_plain`, with SM3 in a thread of its own."""
    waiting: queue.Queue[bytes] = queue.Queue(_QUEUED_CHUNKS)

    def follow() -> None:
        while chunk := waiting.get():
            sm3.update(chunk)

    thread = threading.Thread(target=follow, name="sm3")
    thread.start()
    size = 0
    try:
        while size <= expected and (chunk := os.read(descriptor, CHUNK)):
            waiting.put(chunk)
            sha256.update(chunk)
            size += len(chunk)
            tick(len(chunk))
    finally:
        waiting.put(b"")
        thread.join()
    return size


def _settled(descriptor: int) -> os.stat_result:
    """The file's state, once its times are old enough that a further write must change them."""
    state = os.fstat(descriptor)
    if _unsettled(state.st_mtime_ns, state.st_ctime_ns):
        time.sleep(TICK_NS / 10**9)
        state = os.fstat(descriptor)
    return state


def _unsettled(modified_ns: int, changed_ns: int) -> bool:
    """Whether it was written to a moment ago. Times to come are somebody's word, or another clock's."""
    now = time.time_ns()
    return 0 <= now - changed_ns < TICK_NS or 0 <= now - modified_ns < TICK_NS
