"""The embedded chain's database: keys and values of py-evm in one SQLite file, one transaction a block.

Everything a block writes is one SQLite transaction, so a process that dies at any point leaves the chain
at a block's end: SQLite rolls back what was not committed when the file is opened next.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import RLock

from eth.db.backends.base import BaseDB
from mizheng.notary.chain.interface import ChainError, ChainInUseError

# "MZch" in the file's header tells `file` and us that this is such a database; the version is that of this
# layout.
_APPLICATION_ID = 0x4D5A6368
_VERSION = 1


class SqliteStore(BaseDB):
    """A key-value store for py-evm. Writes are seen at once and kept at `commit`.

    The connection is shared by threads under one lock. The file is held exclusively until `close`: two
    processes that build blocks on one chain would each lose the other's.
    """

    def __init__(self, path: Path) -> None:
        self._lock = RLock()
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(path)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise _as_chain_error(error, path) from error
        except ChainError:
            self._connection.close()
            raise

    def _prepare(self, path: Path) -> None:
        execute = self._connection.execute
        # The lock is SQLite's own: it needs no second file and the kernel drops it when the process dies.
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        # With WAL only FULL syncs at every commit; an anchored block must survive a power cut.
        execute("PRAGMA synchronous = FULL")
        execute("BEGIN IMMEDIATE")
        (application_id,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        if application_id == 0 and not execute("SELECT 1 FROM sqlite_master").fetchone():
            # One transaction: a file that is not empty has its marks.
            execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            execute(f"PRAGMA user_version = {_VERSION}")
            execute("CREATE TABLE nodes (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        elif (application_id, version) != (_APPLICATION_ID, _VERSION):
            raise ChainError(
                "{path} is not an embedded chain of this version",
                hint="use the version of mizheng-notary that made it, or another data directory",
                path=str(path),
            )
        execute("COMMIT")

    def __getitem__(self, key: bytes) -> bytes:
        with self._lock:
            row = self._connection.execute("SELECT value FROM nodes WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return bytes(row[0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        with self._lock:
            self._begin()
            self._connection.execute("INSERT OR REPLACE INTO nodes VALUES (?, ?)", (key, value))

    def __delitem__(self, key: bytes) -> None:
        with self._lock:
            self._begin()
            if not self._connection.execute("DELETE FROM nodes WHERE key = ?", (key,)).rowcount:
                raise KeyError(key)

    def _exists(self, key: bytes) -> bool:
        with self._lock:
            return (
                self._connection.execute("SELECT 1 FROM nodes WHERE key = ?", (key,)).fetchone() is not None
            )

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Keep what was written since the last commit. sqlite3.Error if it cannot be: then `rollback`."""
        with self._lock:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Forget what was written since the last commit."""
        with self._lock:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Forget what is not committed and let go of the file."""
        with self._lock:
            self._connection.close()


def _as_chain_error(error: sqlite3.DatabaseError, path: Path) -> ChainError:
    # The lower byte is the primary code; SQLITE_BUSY and SQLITE_LOCKED have several extended ones.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ChainInUseError(
            "the embedded chain {path} is in use by another process",
            hint="one process at a time: stop the other mizheng-notary, or ask it over HTTP",
            path=str(path),
        )
    return ChainError(
        "the embedded chain {path} cannot be opened: {reason}", path=str(path), reason=str(error)
    )
