"""The list of what was sealed, beside the records: kind and label of each, and how the file stood on the
disk.

Names are found in it without parsing a million records; and a later seal sees from the state (size, times,
inode) what has to be read again. Private like the records; the states are no evidence of anything.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from mizheng.verifier.errors import FormatError

# The place in this tuple is what is written: append only.
_KINDS = (
    "file",
    "link",
    "unreadable",
    "point",
    "locator",
    "measure",
    "carrier",
    "source",
    "corroboration",
    "environment",
    "authority",
    "previous",
    "supplement",
)
_CODES = {kind: code for code, kind in enumerate(_KINDS)}
# Kind, length of the label; size, mtime_ns, ctime_ns, inode.
_ENTRY = struct.Struct("<BIQqqQ")
_pack = _ENTRY.pack
_FILE = _CODES["file"]
_HEAD = struct.Struct("<BI")
# How many of the kinds, from the first on, are called by a path.
_PATH_KINDS = 3


class Stamp(NamedTuple):
    """A file as the disk had it when it was read."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


NO_STAMP = Stamp(0, 0, 0, 0)


class Entry(NamedTuple):
    """One record by its name."""

    kind: str
    label: bytes
    stamp: Stamp


def pack_entry(kind: str, label: bytes, stamp: Stamp = NO_STAMP) -> bytes:
    return _ENTRY.pack(_CODES[kind], len(label), *stamp) + label


def pack_file(label: bytes, stamp: tuple[int, int, int, int]) -> bytes:
    """`pack_entry` of a file; a million of them are made."""
    return _pack(_FILE, len(label), *stamp) + label


def split_entries(data: bytes) -> list[bytes]:
    """Each entry as `pack_entry` made it, still packed; FormatError when the bytes are none."""
    found, position, end = [], 0, len(data)
    try:
        while position < end:
            start = position
            position += _ENTRY.size + _HEAD.unpack_from(data, position)[1]
            found.append(data[start:position])
    except struct.error as error:
        raise FormatError("a list of names that is none") from error
    return found


def first_path(data: bytes) -> bytes | None:
    """The label of the first entry, if it is that of something on a disk; None for anything else."""
    if len(data) < _ENTRY.size or data[0] >= _PATH_KINDS:
        return None
    return data[_ENTRY.size : _ENTRY.size + _HEAD.unpack_from(data)[1]]


def unpack_entries(data: bytes) -> Iterator[Entry]:
    """The entries in order; FormatError when the bytes are not those of `pack_entry`."""
    position, size = 0, _ENTRY.size
    try:
        while position < len(data):
            code, length, *stamp = _ENTRY.unpack_from(data, position)
            position += size
            label = data[position : position + length]
            if len(label) != length:
                raise FormatError("a list of names that was cut off")
            position += length
            yield Entry(_KINDS[code], label, Stamp(*stamp))
    except (struct.error, IndexError) as error:
        raise FormatError("a list of names that is none") from error
