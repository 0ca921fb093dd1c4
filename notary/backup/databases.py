"""One instant of the database as a file, and back: SQLite's online backup, PostgreSQL's own tools.

The copy is of the transaction's snapshot, not of whatever the database has become meanwhile; the notary goes
on serving.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from mizheng.notary.backup.archive import open_private, sync_path
from mizheng.notary.errors import OperatorError
from mizheng.verifier.words import N_
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import SQLAlchemyError


def copy_snapshot(connection: Connection, path: Path) -> None:
    """Write what this `reading` transaction sees into the new file `path`."""
    if connection.dialect.name == "sqlite":
        _copy_sqlite(connection, path)
    else:
        _dump_postgresql(connection, path)
    sync_path(path)


def require_empty(engine: Engine) -> None:
    """OperatorError unless a backup may go into this database."""
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        if path.exists():
            raise OperatorError("{path} exists already: nothing is overwritten", hint=_ELSEWHERE, path=path)
        return
    try:
        tables = inspect(engine).get_table_names()
    except SQLAlchemyError as error:
        raise OperatorError(
            "the database cannot be reached ({kind})",
            hint="check MIZHENG_DATABASE_URL",
            kind=type(error).__name__,
        ) from None
    if tables:
        raise OperatorError(
            "the database is not empty: nothing is overwritten",
            hint="make a new one (createdb) and name it in MIZHENG_DATABASE_URL",
        )


def load_copy(engine: Engine, source: Path) -> None:
    """Bring a copy into the empty database; all of it or nothing."""
    if engine.dialect.name == "sqlite":
        target = Path(engine.url.database or "")
        draft = target.with_name(target.name + ".restoring")
        draft.unlink(missing_ok=True)
        with source.open("rb") as file, open_private(draft) as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        sync_path(draft)
        os.link(draft, target)
        draft.unlink()
        sync_path(target.parent)
        return
    _run(
        "psql", engine, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
        f"--file={source}", output=os.devnull,
    )  # fmt: skip


_ELSEWHERE = N_("move it away, or restore into a data directory of its own: --data-dir")


def _copy_sqlite(connection: Connection, path: Path) -> None:
    source = connection.connection.driver_connection
    if not isinstance(source, sqlite3.Connection):
        raise TypeError("not the driver of the standard library")
    open_private(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        # In the snapshot that this connection's transaction holds; writers go on beside it.
        source.backup(copy)
        # One file: its -wal would have to be copied with it.
        copy.execute("PRAGMA journal_mode = DELETE")
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise OperatorError(
            "the database is damaged: {reason}", hint="restore an earlier backup", reason=str(found)[:200]
        )


def _dump_postgresql(connection: Connection, path: Path) -> None:
    # pg_dump takes over the snapshot in its first moments; until then this transaction has to live.
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    open_private(path).close()
    _run(
        "pg_dump", connection.engine, "--format=plain", "--no-owner", "--no-privileges",
        f"--snapshot={snapshot}", output=str(path),
    )  # fmt: skip


def _run(program: str, engine: Engine, *arguments: str, output: str) -> None:
    """Run one of PostgreSQL's programs; the password goes through the environment, not the arguments."""
    found = shutil.which(program)
    if found is None:
        raise OperatorError(
            "{program} is not installed here",
            hint="install PostgreSQL's client programs, of the server's release or a later one",
            program=program,
        )
    url = engine.url
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    address = url.set(drivername="postgresql")._replace(password=None).render_as_string()
    with Path(output).open("wb") as file:
        result = subprocess.run(
            [found, f"--dbname={address}", *arguments],
            env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    if result.returncode:
        lines = result.stderr.decode("utf-8", "replace").strip().splitlines()
        raise OperatorError(
            "{program} failed: {reason}",
            program=program,
            reason=lines[0][:300] if lines else result.returncode,
        )
