"""The compiled part of sealing, where it was built and answers as Python does (decision 36).

It saves time and nothing else: the seal is the same without it. It is built when mizheng is installed, where
there is a C compiler, and never on Windows.
"""

from __future__ import annotations

import os
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from mizheng.cli.sealfile.labels import Stamp, pack_file
from mizheng.cli.sealing.folder import Folder, stamp_fields
from mizheng.cli.sealing.hashing import Digests
from mizheng.cli.sealing.records import FILE_SALT, RecordWriter
from mizheng.verifier.keyed import KeyedHash
from mizheng.verifier.manifest import PAD_CONTEXT
from mizheng.verifier.merkle import complete_levels, leaf_hash

# Trying it out takes as long as Python's own work on some hundred names does.
MANY = 2000

Run = tuple[int, int, int, bytes, bytes, bytes]
"""Of unchanged files: place of the first, count, bytes of content, record lines, leaf hashes, entries."""


class Quick(Protocol):
    """What native/quick.c says of each function."""

    def keyed_hash(self, key: bytes, message: bytes, is_portable: bool, /) -> bytes: ...
    def levels(self, leaves: bytes | bytearray, size: int, key: bytes, context: bytes, /) -> list[bytes]: ...
    def scan(self, descriptor: int, /) -> tuple[int, bytes, int, bytes] | None: ...
    def table(self, pieces: tuple[tuple[bytes, bytes], ...], key: bytes, context: bytes, /) -> Any: ...
    def renew(
        self, table: Any, descriptor: int, prefix: bytes, names: bytes, most: int, /
    ) -> list[Run] | None: ...


@lru_cache(maxsize=1)
def find_quick() -> Quick | None:
    """The compiled part, tried out; None where there is none, or it answers differently."""
    try:
        quick: Any = import_module("mizheng.cli.sealing._quick")
    except ImportError:
        return None
    return quick if is_right(quick) else None


def is_right(quick: Quick) -> bool:
    """Whether it answers as Python does: of hashes, a tree, and the files that this program consists of."""
    try:
        return _hashes_right(quick) and _tree_right(quick) and _files_right(quick)
    except (OSError, ValueError, TypeError):
        return False


def _hashes_right(quick: Quick) -> bool:
    import hmac

    message = bytes(range(256))
    return all(
        quick.keyed_hash(message[:size], message[:size], is_portable)
        == hmac.digest(message[:size], message[:size], "sha256")
        for size in (0, 1, 31, 32, 54, 55, 56, 57, 63, 64)
        for is_portable in (False, True)
    ) and all(
        quick.keyed_hash(b"", message[:size], False) == hmac.digest(b"", message[:size], "sha256")
        for size in (65, 119, 120, 127, 128, 255)
    )


def _tree_right(quick: Quick) -> bool:
    key, given = bytes(range(32)), [leaf_hash(bytes([number])) for number in range(11)]
    pad = KeyedHash(key, PAD_CONTEXT)
    leaves = sorted([*given, *(pad.digest(number.to_bytes(8, "big")) for number in range(5))])
    return quick.levels(b"".join(given), 16, key, PAD_CONTEXT) == list(map(b"".join, complete_levels(leaves)))


def _files_right(quick: Quick) -> bool:
    """One file that stands as it was, one that has changed, one that is gone."""
    key, prefix, here = bytes(range(32)), "改/".encode(), Path(__file__)
    writer, before = RecordWriter(key), RecordWriter(bytes(32))
    same, changed = os.fsencode(here.name), b"records.py"
    with Folder(os.fsencode(here.parent), to_list=True) as folder:
        if folder.descriptor is None:
            return False
        stamp = Stamp(*stamp_fields(folder.stat(same)))
        digests = Digests(stamp.size, "0" * 64, "1" * 64, 0, stamp)
        records = [before.file(prefix + name, digests) for name in (changed, same)]
        packed = pack_file(prefix + same, stamp)
        pieces = ((pack_file(prefix + changed, (0, 0, 0, 0)) + packed, b"\n".join([*records, b""])),)
        table = quick.table(pieces, key, FILE_SALT)
        runs = quick.renew(table, folder.descriptor, prefix, b"\0".join((changed, b"gone?", same)), 2)
        found = quick.scan(folder.descriptor)
        entries = folder.scan()
    line = writer.file(prefix + same, digests)
    files = [name for name, entry in entries if entry.is_file(follow_symlinks=False)]
    folders = [name for name, entry in entries if entry.is_dir(follow_symlinks=False)]
    listed = (len(files), b"\0".join(files), len(folders), b"\0".join(folders))
    return runs == [(2, 1, stamp.size, line + b"\n", leaf_hash(line), packed)] and found in (None, listed)
