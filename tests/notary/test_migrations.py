"""The schema: what the migrations make is what the tables say, up and down."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from mizheng.notary.chain import tables
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.migrations import _config, downgrade, newest_revision, upgrade
from mizheng.notary.models import metadata
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from tests.support.postgres import Postgres


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url)
    yield made
    made.dispose()


def test_the_migrations_make_what_the_tables_say(engine: Engine) -> None:
    assert tables.anchors.metadata is metadata
    upgrade(engine)
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            # What the comparison leaves out: partial indexes' conditions, and keys that do not count up.
            made = {index["name"]: index["dialect_options"] for index in found.get_indexes(table.name)}
            dialect = engine.dialect.name
            for index in table.indexes:
                where = index.dialect_options[dialect].get("where")
                stored = made[str(index.name)].get(f"{dialect}_where")
                assert plain(stored) == plain(where)


def plain(condition: object) -> str | None:
    """A partial index's condition as it was written: PostgreSQL puts brackets and types to it."""
    if condition is None:
        return None
    return re.sub(r"::\w+( varying)?(\[\])?|[()]", "", str(condition))


def revisions() -> list[str]:
    """All that were ever released, oldest first."""
    found = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    return found[::-1]


def test_the_newest_revision_is_found_by_its_file() -> None:
    assert newest_revision() == revisions()[-1]


def schema(engine: Engine) -> dict[str, object]:
    """Tables, columns, keys and indexes as the database has them."""
    with reading(engine) as connection:
        found = inspect(connection)
        return {
            name: (
                [
                    (column["name"], str(column["type"]), column["nullable"])
                    for column in found.get_columns(name)
                ],
                sorted(str(index["name"]) for index in found.get_indexes(name)),
                sorted(found.get_pk_constraint(name)["constrained_columns"]),
                sorted(str(key["name"]) for key in found.get_foreign_keys(name)),
            )
            for name in sorted(found.get_table_names())
        }


def test_from_every_revision_and_back(engine: Engine) -> None:
    """Each step up and down again gives the schema that stood there before; from each one the newest is
    reached.
    """
    steps = []
    for revision in revisions():
        upgrade(engine, revision)
        steps.append((revision, schema(engine)))
    for revision, expected in reversed(steps):
        downgrade(engine, revision)
        assert schema(engine) == expected, revision
        upgrade(engine)
        assert schema(engine) == steps[-1][1], revision
        downgrade(engine, revision)


def test_entries_survive_a_way_back(engine: Engine) -> None:
    """What the first release wrote is still there after the newest schema and the way back."""
    upgrade(engine, "0001")
    with writing(engine) as connection:
        connection.execute(
            text("INSERT INTO entries (leaf_index, envelope_sha256, kind) VALUES (0, :digest, 'deposit')"),
            {"digest": bytes(range(32))},
        )
    for step in (upgrade, lambda to: downgrade(to, "0001"), upgrade):
        step(engine)
        with reading(engine) as connection:
            (row,) = connection.execute(text("SELECT leaf_index, envelope_sha256 FROM entries"))
            assert (row[0], bytes(row[1])) == (0, bytes(range(32)))


def test_two_processes_that_open_an_empty_database(engine: Engine, database_url: str) -> None:
    """One after the other: the second finds what the first has made."""
    engines = [create_engine(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(upgrade, engines))
    for other in engines:
        other.dispose()
    assert set(schema(engine)) == {"alembic_version", *metadata.tables}


def test_a_new_file_that_another_process_is_writing(tmp_path: Path) -> None:
    """SQLite says at once that it is busy, whatever it was told to wait."""
    path = tmp_path / "notary.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE theirs (a)")
    other.execute("BEGIN IMMEDIATE")
    Timer(0.2, other.close).start()
    engine = create_engine(f"sqlite:///{path}")
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_up_down_and_up_again(engine: Engine) -> None:
    upgrade(engine)
    downgrade(engine, "base")
    with reading(engine) as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    upgrade(engine)
    upgrade(engine)
    with reading(engine) as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version", *metadata.tables}


def test_a_database_of_a_later_release_is_left_alone(engine: Engine) -> None:
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="later release"):
        upgrade(engine)


def test_durable_settings_of_sqlite(tmp_path: Path) -> None:
    with reading(create_engine(f"sqlite:///{tmp_path}/x.db")) as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    assert found == ["wal", 2]


def test_durable_settings_of_postgresql(postgres: Postgres) -> None:
    """Whatever the database's defaults are: a commit is on the disk, and writers see what the lock's last
    holder committed.
    """
    url = postgres.create()
    name = url.rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    engine = create_engine(url)
    for transaction, isolation in ((reading, "repeatable read"), (writing, "read committed")):
        with transaction(engine) as connection:
            found = {
                setting: connection.exec_driver_sql(f"SHOW {setting}").scalar()
                for setting in (
                    "synchronous_commit",
                    "transaction_isolation",
                    "lock_timeout",
                    "idle_in_transaction_session_timeout",
                    "tcp_keepalives_idle",
                    "tcp_keepalives_interval",
                    "tcp_keepalives_count",
                    "tcp_user_timeout",
                    "enable_seqscan",
                    "jit",
                )
            }
        assert found == {
            "synchronous_commit": "on",
            "transaction_isolation": isolation,
            "lock_timeout": "15s",
            # Who is gone without a word holds nothing for longer.
            "idle_in_transaction_session_timeout": "30s",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
            "tcp_user_timeout": "20000",
            # A plan that was made over a small table is kept while the table grows.
            "enable_seqscan": "off",
            "jit": "off",
        }
    engine.dispose()


def test_errors_of_the_database_hide_what_was_written(engine: Engine) -> None:
    """hide_parameters: whoever logs an error logs no names and no envelopes."""
    upgrade(engine)
    row = {"name": "绝密名称有限公司", "identifier": "91350100M000100Y43"}
    with pytest.raises(IntegrityError) as error, writing(engine) as connection:
        for _ in range(2):
            connection.execute(
                text(
                    "INSERT INTO organisations (name, id_scheme, identifier, created_at) "
                    "VALUES (:name, 'CN-USCC', :identifier, 0)"
                ),
                row,
            )
    assert row["name"] not in str(error.value)
