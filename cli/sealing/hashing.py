"""Digests of one file: SHA-256, SM3 and size in one pass, in constant memory, noticing changes.

SM3 is about four times slower than SHA-256 on today's processors, so for a large file it gets a
thread of its own (hashlib releases the interpreter lock) and the file takes as long as its SM3.

A file counts as unchanged when size, modification and status-change time and inode are the same
before and after, and as many bytes were read as it has. Writing through a memory map can escape
this until the kernel writes the page back; nothing short of a snapshot would notice.
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.terminal.language import N_

# Large enough that a thread switch per chunk costs nothing, small enough to stay in the cache.
CHUNK = 1 << 20
# Below this a second thread costs more than it saves.
_THREADED_SIZE = 8 << 20
# Chunks waiting for the SM3 thread: bounds memory to a few MiB whatever the file's size.
_QUEUED_CHUNKS = 4
# File systems keep times in ticks of up to 10 ms: two writes within one tick look like one.
_TICK_NS = 20_000_000

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    # Between the walk and here the name may have become a link or a pipe: do not follow, do not wait.
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)

CHANGED = N_("changed while being read")
_SM3 = hashlib.new("sm3")

_REASONS = {
    errno.EACCES: N_("permission denied"),
    errno.EPERM: N_("permission denied"),
    errno.ENOENT: N_("vanished before it was read"),
    errno.ENOTDIR: N_("vanished before it was read"),
    errno.ELOOP: N_("became a link before it was read"),
    errno.EIO: N_("input/output error"),
    errno.ENXIO: N_("a special file"),
    errno.ESTALE: N_("the network file system lost it"),
}

Tick = Callable[[int], None]
"""Called with the number of bytes just read."""


class UnreadableError(Exception):
    """A file that cannot be sealed; the message is the reason, a message id of the catalogue."""


@dataclass(frozen=True, slots=True)
class Digests:
    """What one pass over a file found; digests in hex, `modified` in whole seconds since 1970."""

    size: int
    sha256: str
    sm3: str
    modified: int
    stamp: Stamp
    """As the disk had the file before and after."""


def digest_file(path: bytes, tick: Tick | None = None) -> Digests:
    """Read the regular file at `path`; UnreadableError with the reason when that is not possible.

    A file that changes while it is read is read once more; when it changes again, it is unreadable.
    """
    for _attempt in range(2):
        try:
            descriptor = open_deep(path, _FLAGS)
        except OSError as error:
            raise UnreadableError(reason_of(error)) from error
        try:
            digests = _digest(descriptor, tick or _ignore)
        except OSError as error:
            raise UnreadableError(reason_of(error)) from error
        finally:
            os.close(descriptor)
        if digests is not None:
            return digests
    raise UnreadableError(CHANGED)


def open_deep(path: bytes, flags: int) -> int:
    """`os.open` for paths longer than the system takes at once: opened directory by directory."""
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG or os.open not in os.supports_dir_fd:
            raise
    head, tail = path.rsplit(b"/", 1)
    directory = os.open(b"/" if path.startswith(b"/") else b".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in filter(None, head.split(b"/")):
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = inner
        return os.open(tail or b".", flags, dir_fd=directory)
    finally:
        os.close(directory)


def reason_of(error: OSError) -> str:
    """A short reason that says nothing of the path and is the same in every locale."""
    code = error.errno or 0
    return _REASONS.get(code) or errno.errorcode.get(code, "error")


def stamp_of(state: os.stat_result) -> Stamp:
    """What tells whether a file was written to since."""
    return Stamp(state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


def special_reason(mode: int) -> str:
    """Why something that is neither file, directory nor link is not read."""
    if stat.S_ISFIFO(mode):
        return N_("a named pipe")
    if stat.S_ISSOCK(mode):
        return N_("a socket")
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return N_("a device")
    return N_("a special file")


def _digest(descriptor: int, tick: Tick) -> Digests | None:
    """The digests, or None when the file changed meanwhile."""
    before = _settled(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise UnreadableError(special_reason(before.st_mode))
    sha256 = hashlib.sha256()
    sm3 = _SM3.copy()
    if before.st_size < _THREADED_SIZE:
        size = _read_plain(descriptor, before.st_size, sha256, sm3, tick)
    else:
        size = _read_threaded(descriptor, before.st_size, sha256, sm3, tick)
    after = os.fstat(descriptor)
    if size != before.st_size or _identity(before) != _identity(after):
        return None
    return Digests(size, sha256.hexdigest(), sm3.hexdigest(), before.st_mtime_ns // 10**9, stamp_of(before))


def _read_plain(descriptor: int, expected: int, sha256: hashlib._Hash, sm3: hashlib._Hash, tick: Tick) -> int:
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


def _read_threaded(
    descriptor: int, expected: int, sha256: hashlib._Hash, sm3: hashlib._Hash, tick: Tick
) -> int:
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
    age = time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns)
    if 0 <= age < _TICK_NS:
        time.sleep(_TICK_NS / 10**9)
        state = os.fstat(descriptor)
    return state


def _identity(state: os.stat_result) -> tuple[int, ...]:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_dev


def _ignore(_size: int) -> None:
    pass
