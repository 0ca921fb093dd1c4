"""Which of the processes on one database does what only one of them needs to do.

On PostgreSQL a lease is an advisory lock of a session of its own: the server lets go of it when the session
ends, so that another process takes over when this one dies. On SQLite it is a lock on a file beside the
database, which the kernel lets go of.

A lease saves work. Nothing is right only because of it: a session can be lost in the middle of a step, and
for that moment two processes may be at the same piece of work. The outbox is made for that.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from mizheng.notary.database import advisory_key
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError


class Lease(Protocol):
    """Held by one process at a time, or, shared, by any number that share it."""

    def hold(self) -> bool:
        """Whether this process has it now; tries to get it if it has not. Never waits for another holder."""

    def release(self) -> None:
        """Let go of it; harmless if it is not held."""


def make_lease(engine: Engine, name: str, *, shared: bool = False) -> Lease:
    """The lease `name` of the log in this database."""
    if engine.dialect.name == "postgresql":
        return _AdvisoryLease(engine, name, shared)
    return _FileLease(Path(f"{engine.url.database}.{name}"), shared)


class _AdvisoryLease:
    def __init__(self, engine: Engine, name: str, shared: bool) -> None:
        self._engine = engine
        lock = func.pg_try_advisory_lock_shared if shared else func.pg_try_advisory_lock
        self._try = select(lock(advisory_key(name)))
        self._connection: Connection | None = None

    def hold(self) -> bool:
        try:
            if self._connection is not None:
                # A session that was cut off has lost the lock; only the server can say.
                self._connection.execute(select(1))
                return True
            return self._acquire()
        except SQLAlchemyError:
            self.release()
            return False

    def release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except SQLAlchemyError:
                # It is gone, and the lock with it.
                return

    def _acquire(self) -> bool:
        connection = self._engine.connect()
        try:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            # Out of the pool: the session ends when it is closed, and never serves anybody else.
            connection.detach()
            if not connection.execute(self._try).scalar():
                connection.close()
                return False
        except SQLAlchemyError:
            connection.close()
            raise
        self._connection = connection
        return True


class _FileLease:
    def __init__(self, path: Path, shared: bool) -> None:
        self._path = path
        self._kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._handle: int | None = None

    def hold(self) -> bool:
        if self._handle is not None:
            return True
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, self._kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)
