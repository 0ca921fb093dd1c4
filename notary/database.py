"""The database: SQLite by default, PostgreSQL by URL, the same Core statements for both.

Two ways in, and no third: `reading` gives one consistent snapshot, `writing` one transaction that is
committed at its end. Nothing else in the notary begins or commits.

Isolation on PostgreSQL. A writer of the log first locks the head row (FOR UPDATE) under READ COMMITTED: each
statement behind the lock sees all that its last holder committed, and nobody else can write. REPEATABLE READ
would take its snapshot before it waits for the lock, and every second writer would fail; SERIALIZABLE would
add aborts and nothing else, as one row orders all writers. Readers take REPEATABLE READ, read only: one
snapshot, so that a head and its tiles belong together.
"""

import errno
import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

from mizheng.notary.errors import ConfigurationError
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy import create_engine as create_sqlalchemy_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

# A writer waits this long for another one; a batch holds the lock for some ten milliseconds.
BUSY_TIMEOUT_SECONDS = 15
# A server that is gone without a word is noticed after some twenty seconds, not after TCP's two hours.
_POSTGRESQL_CONNECT: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# lock_timeout: as BUSY_TIMEOUT_SECONDS. idle_in_transaction: a process that hangs in a transaction loses it;
# in a pipeline it does not, see `mizheng.notary.log.hanging`. tcp_…: as above, by the server: what a machine
# held that is gone without a word, a transaction or a lease, is free again after some twenty seconds.
# enable_seqscan: what is asked here is a few rows by their key. A plan made while a table was small is kept,
# and would read all of it for a minute after it has grown; jit would compile such plans. synchronous_commit:
# whatever the database's default is, an answered deposit is on the disk; a stricter setting (remote_apply,
# remote_write) stays.
_POSTGRESQL_SESSION = f"""
    SET lock_timeout = '{BUSY_TIMEOUT_SECONDS}s';
    SET idle_in_transaction_session_timeout = '30s';
    SET tcp_keepalives_idle = '10s';
    SET tcp_keepalives_interval = '5s';
    SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = '20s';
    SET enable_seqscan = off;
    SET jit = off;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
# The connection that was given back last is taken first: what it has prepared and cached is warm.
_POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 64, "pool_use_lifo": True}
_WRITES = "mizheng_writes"
_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_turns_guard = threading.Lock()


def create_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…`; nothing is opened yet."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "the database URL cannot be read",
            hint="write it as sqlite:////path/to/file or postgresql+psycopg://…",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ConfigurationError(
                "a database in memory keeps nothing", hint="name a file: sqlite:////path/to/file"
            )
        engine = create_sqlalchemy_engine(
            parsed,
            connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            **_POOL,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A bare postgresql:// means the driver that comes with the extra, not SQLAlchemy's older choice.
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "postgresql+psycopg":
        raise ConfigurationError(
            "the notary does not work with the database {backend}",
            hint="write it as sqlite:////path/to/file or postgresql+psycopg://…",
            backend=parsed.drivername,
        )
    try:
        engine = create_sqlalchemy_engine(
            parsed,
            connect_args=_POSTGRESQL_CONNECT,
            isolation_level="READ COMMITTED",
            **_POOL,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except (NoSuchModuleError, ModuleNotFoundError):
        raise ConfigurationError(
            "no driver for the database {backend} is installed",
            hint="install it: pip install 'mizheng[notary,postgres]'",
            backend=parsed.get_backend_name(),
        ) from None
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(dbapi_connection: Any, _entry: ConnectionPoolEntry) -> None:
    # The driver's own implicit BEGIN comes too late for a lock; see _begin_sqlite.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    # WAL: readers see a snapshot and do not stop the writer. FULL: with WAL only this syncs every commit,
    # and an answered deposit must survive a power cut, not just a crash of this process.
    _keep_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _keep_wal(cursor: Any) -> None:
    # Between two that do this to a new file at once SQLite does not wait as it does elsewhere: one of them is
    # told at once that the file is busy (its busy handler could wait for ever, each for the other).
    end = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _prepare_postgresql(dbapi_connection: Any, _entry: ConnectionPoolEntry) -> None:
    was = dbapi_connection.autocommit
    dbapi_connection.autocommit = True
    with dbapi_connection.cursor() as cursor:
        cursor.execute(_POSTGRESQL_SESSION)
    dbapi_connection.autocommit = was


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that first reads and then writes could otherwise
    # fail in the middle, because someone else wrote after its snapshot.
    immediate = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A snapshot: everything read through the connection is of one instant."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin() as transaction:
            yield connection
            transaction.rollback()


@contextmanager
def writing(engine: Engine, *, pipelined: bool = False) -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    `pipelined`: on PostgreSQL a statement is waited for only where its rows are asked for, or at the commit,
    which fails if any of them did. For blocks that use nothing but `mizheng.notary.intake.rows`.
    """
    with _turn(engine), engine.connect() as connection:
        connection.execution_options(**{_WRITES: True})
        with _pipeline(connection) if pipelined else nullcontext(), connection.begin():
            yield connection


def check_durability(connection: Connection) -> None:
    """ConfigurationError for a server that confirms commits which a power cut would undo or tear."""
    if connection.dialect.name != "postgresql":
        return
    for setting in ("fsync", "full_page_writes"):
        if connection.exec_driver_sql(f"SHOW {setting}").scalar() != "on":
            raise ConfigurationError(
                "the database server does not keep what it confirms: {setting} is off",
                hint="set {setting} = on in postgresql.conf; an answered deposit must survive a power cut",
                setting=setting,
            )


def is_disk_full(error: BaseException) -> bool:
    """Whether it was for want of room that something could not be written.

    PostgreSQL says so as long as it can: without room for its own log it ends, and no error tells why.
    """
    found = getattr(error, "orig", None) or error
    return (
        getattr(found, "sqlstate", None) == "53100"
        or getattr(found, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(found, "errno", None) == errno.ENOSPC
    )


def wait_for_turn(connection: Connection, name: str) -> None:
    """Let processes come in here one after the other, until the transaction ends.

    SQLite's write lock has seen to that; on PostgreSQL there may be no row yet that could be locked.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(advisory_key(name))))


def advisory_key(name: str) -> int:
    """The 64-bit key of an advisory lock. Advisory locks belong to one database, as the log does."""
    return int.from_bytes(hashlib.sha256(f"mizheng/{name}".encode()).digest()[:8], "big", signed=True)


def _pipeline(connection: Connection) -> AbstractContextManager[object]:
    """psycopg's pipeline mode (libpq 14 or later); nothing on SQLite, where no statement is a round trip."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "postgresql" or not connection.dialect.loaded_dbapi.Pipeline.is_supported():
        return nullcontext()
    pipeline: AbstractContextManager[object] = driver.pipeline()
    return pipeline


def _turn(engine: Engine) -> AbstractContextManager[object]:
    """SQLite has one writer, and whoever finds it busy sleeps up to 100 ms before looking again.

    Threads of one process wait for each other here instead, and go on at once; only other processes are
    slept for.
    """
    if engine.dialect.name != "sqlite":
        return nullcontext()
    with _turns_guard:
        return _turns.setdefault(engine, threading.Lock())
