"""Small files at rest, many in a row: what nearly all files of a company are.

Each takes one read between two looks at its state; what is odd about a file ends the row, and that file is
read with all the care of `hashing`. Every step counts: of each microsecond a million files make a second.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from operator import attrgetter

from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.sealing.folder import Folder
from mizheng.cli.sealing.hashing import FLAGS, TICK_NS, Digests, Tick
from mizheng.cli.sealing.sm3 import digest_all

# Read at once; in pieces from here on.
SMALL_BYTES = 1 << 20
# Content of so many bytes waits for its digests: bounds memory, and fills the lanes of SM3 with any sizes.
_ROW_BYTES = 8 << 20
# Open at once, and asked of the disk at once when it has to be waited for.
_OPEN = 32
# A file that is in the cache takes a tenth of this.
_WAIT_NS = 60_000
_REGULAR = 0o100000
_TYPE = 0o170000

_state = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_dev", "st_mode")


def digest_row(folder: Folder, names: Sequence[bytes], tick: Tick) -> list[Digests]:
    """The digests of the first of `names`, as many as are small files at rest in an open folder; none when
    the very first is something else."""
    stamps, contents = _read_row(folder, names)
    tick(sum(map(len, contents)))
    sha256 = hashlib.sha256
    return [
        Digests(stamp.size, sha256(content).hexdigest(), sm3, stamp.mtime_ns // 10**9, stamp)
        for stamp, content, sm3 in zip(stamps, contents, digest_all(contents), strict=True)
    ]


def _read_row(folder: Folder, names: Sequence[bytes]) -> tuple[list[Stamp], list[bytes]]:
    stamps: list[Stamp] = []
    contents: list[bytes] = []
    # Written to after this, or dated in time to come: not at rest. Asked once, so older than it might be.
    at_rest = time.time_ns() - TICK_NS
    is_waiting = False
    room = _ROW_BYTES
    for start in range(0, len(names), _OPEN):
        some = names[start : start + _OPEN]
        descriptors = _open(folder, some)
        try:
            if is_waiting:
                _announce(descriptors)
            began = time.perf_counter_ns()
            room = _read_open(descriptors, at_rest, room, stamps, contents)
            is_waiting = is_waiting or time.perf_counter_ns() - began > _WAIT_NS * len(some)
        except OSError:
            break
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if len(contents) < start + len(some) or room < 0:
            break
    return stamps, contents


def _read_open(
    descriptors: Iterable[int], at_rest: int, room: int, stamps: list[Stamp], contents: list[bytes]
) -> int:
    """Bytes of `room` that are left; none, or what is not small and at rest, ends it."""
    fstat, read, state = os.fstat, os.read, _state
    for descriptor in descriptors:
        before = state(fstat(descriptor))
        size, modified_ns, changed_ns, inode, _device, mode = before
        if size >= SMALL_BYTES or modified_ns > at_rest or changed_ns > at_rest or mode & _TYPE != _REGULAR:
            break
        content = read(descriptor, size + 1)
        if len(content) != size or state(fstat(descriptor)) != before:
            break
        stamps.append(Stamp(size, modified_ns, changed_ns, inode))
        contents.append(content)
        room -= size
        if room < 0:
            break
    return room


def _open(folder: Folder, names: Iterable[bytes]) -> list[int]:
    """The first of the files, as many as can be opened."""
    opening = folder.opener(FLAGS)
    descriptors: list[int] = []
    try:
        for name in names:
            descriptors.append(opening(name))
    except OSError:
        pass
    return descriptors


def _announce(descriptors: Iterable[int]) -> None:
    """Let the disk fetch them all while the first is read, where the system can be told."""
    if hasattr(os, "posix_fadvise"):
        for descriptor in descriptors:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
