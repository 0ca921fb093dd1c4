"""Small files at rest, many in a row: what nearly all files of a company are.

Each takes one read between two looks at its state; what is odd about a file ends the row, and that file is
read with all the care of `hashing`. Every step counts: of each microsecond a million files make a second.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from operator import attrgetter

from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.sealing.folder import Folder
from mizheng.cli.sealing.hashing import FLAGS, TICK_NS, Digests, Tick
from mizheng.cli.sealing.sm3 import digest_all

# Read at once; in pieces from here on.
SMALL_BYTES = 1 << 20
# Content of so many bytes waits for its digests: bounds memory, and fills the lanes of SM3 with any sizes.
_ROW_BYTES = 8 << 20
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
    opening, fstat, read, close, state = folder.opener(FLAGS), os.fstat, os.read, os.close, _state
    # Written to after this, or dated in time to come: not at rest. Asked once, so older than it might be.
    at_rest = time.time_ns() - TICK_NS
    stamps: list[Stamp] = []
    contents: list[bytes] = []
    room = _ROW_BYTES
    for name in names:
        try:
            descriptor = opening(name)
        except OSError:
            break
        try:
            before = state(fstat(descriptor))
            size, modified_ns, changed_ns, inode, _device, mode = before
            if (
                size >= SMALL_BYTES
                or modified_ns > at_rest
                or changed_ns > at_rest
                or mode & _TYPE != _REGULAR
            ):
                break
            content = read(descriptor, size + 1)
            if len(content) != size or state(fstat(descriptor)) != before:
                break
        except OSError:
            break
        finally:
            close(descriptor)
        stamps.append(Stamp(size, modified_ns, changed_ns, inode))
        contents.append(content)
        room -= size
        if room < 0:
            break
    return stamps, contents
