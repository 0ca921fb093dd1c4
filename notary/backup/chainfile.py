"""The embedded chain's file, copied while the notary that serves it goes on.

It is held exclusively, so SQLite's own backup is not open to us; the file and its write-ahead log are copied
as they lie. That is sound if no checkpoint wrote into the file, and none restarted the log, meanwhile: both
are looked at before and after, and else it is copied again. The chain is for trying only; it never is
evidence.
"""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from mizheng.notary.backup.archive import copy_file
from mizheng.notary.errors import OperatorError

_TRIES = 40
_PAUSE = 0.25
# The kernel's clock for files ticks every few milliseconds: younger changes could hide another one.
_SETTLED = 0.05
# WAL file header: magic, version, page size, checkpoint number, two salts, checksum.
_WAL_HEADER = 32


def copy_chain(source: Path, target: Path) -> None:
    """Copy the chain into the new file `target`; OperatorError when it does not stand still."""
    log, copied_log = source.with_name(source.name + "-wal"), target.with_name(target.name + "-wal")
    for _ in range(_TRIES):
        before = _state(source, log)
        if time.time() - before[1] / 1e9 >= _SETTLED:
            for path in (target, copied_log):
                path.unlink(missing_ok=True)
            copy_file(source, target)
            if log.exists():
                copy_file(log, copied_log)
            if _state(source, log) == before and _fold(target):
                return
        time.sleep(_PAUSE)
    raise OperatorError(
        "the embedded chain does not stand still long enough to be copied",
        hint="stop the notary, then back up",
    )


def _state(source: Path, log: Path) -> tuple[int, int, bytes]:
    found = source.stat()
    try:
        handle = os.open(log, os.O_RDONLY)
    except FileNotFoundError:
        return found.st_size, found.st_mtime_ns, b""
    try:
        return found.st_size, found.st_mtime_ns, os.read(handle, _WAL_HEADER)
    finally:
        os.close(handle)


def _fold(target: Path) -> bool:
    """Bring the copy's log into the copy; whether it is a sound database then."""
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(found == "ok")
