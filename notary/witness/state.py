"""What a witness must never forget: for each log the largest head that it cosigned.

One small SQLite file, apart from any notary's. To compare with the stored head and to put the new one in
its place is one transaction that holds the write lock from its first read on, so of two requests the later
one always sees what the earlier one left; the file is synced before anything is answered.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.merkle import EMPTY_ROOT

# A transaction here is one read, one write and one sync.
_BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS witness (vkey TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS heads (
    origin TEXT PRIMARY KEY,
    tree_size INTEGER NOT NULL,
    root_hash BLOB NOT NULL,
    note BLOB NOT NULL,
    cosigned_at INTEGER NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class SeenHead:
    """The largest head of one log that was cosigned."""

    tree_size: int
    root_hash: bytes
    note: bytes
    """As the log signed it; empty before the first one."""
    cosigned_at: int


NOTHING_SEEN = SeenHead(0, EMPTY_ROOT, b"", 0)


class WitnessState:
    """The file. Usable from several threads; several processes may have it open."""

    def __init__(self, path: Path) -> None:
        self._turn = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # With WAL only FULL syncs every commit: a cosignature must not be remembered by the log alone.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error:
            raise ConfigurationError(
                "the witness's state {path} cannot be opened", hint="restore it from a backup", path=path
            ) from None

    def claim(self, vkey: str) -> str:
        """The vkey of the witness whose state this is; that of the first one who asks."""
        with self.changing():
            row = self._connection.execute("SELECT vkey FROM witness").fetchone()
            if row is None:
                self._connection.execute("INSERT INTO witness VALUES (?)", (vkey,))
                return vkey
        return str(row[0])

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One transaction, from its first read to its end the only one; synced when the block is left."""
        with self._turn:
            # IMMEDIATE: another process waits here, and not between its reading and its writing.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A commit that fails may have ended the transaction by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def load(self, origin: str) -> SeenHead:
        """Inside `changing`: what was cosigned last for this log."""
        row = self._connection.execute(
            "SELECT tree_size, root_hash, note, cosigned_at FROM heads WHERE origin = ?", (origin,)
        ).fetchone()
        return NOTHING_SEEN if row is None else SeenHead(*row)

    def store(self, origin: str, head: SeenHead) -> None:
        """Inside `changing`: put `head` in the place of what was cosigned last."""
        self._connection.execute(
            "INSERT INTO heads VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
            "tree_size = excluded.tree_size, root_hash = excluded.root_hash, note = excluded.note, "
            "cosigned_at = excluded.cosigned_at",
            (origin, head.tree_size, head.root_hash, head.note, head.cosigned_at),
        )

    def close(self) -> None:
        self._connection.close()
