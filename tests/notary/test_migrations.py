"""The schema: what the migrations make is what the tables say, up and down."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from mizheng.notary.chain import tables
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.migrations import downgrade, upgrade
from mizheng.notary.models import metadata
from sqlalchemy import Engine, inspect, text


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path}/x.db")


def test_the_migrations_make_what_the_tables_say(engine: Engine) -> None:
    assert tables.anchors.metadata is metadata
    upgrade(engine)
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            # What the comparison leaves out: partial indexes' conditions, and keys that do not count up.
            made = {index["name"]: index["dialect_options"] for index in found.get_indexes(table.name)}
            for index in table.indexes:
                where = index.dialect_options["sqlite"].get("where")
                stored = made[str(index.name)].get("sqlite_where")
                assert (None if stored is None else str(stored)) == (None if where is None else str(where))


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


def test_durable_settings_of_sqlite(engine: Engine) -> None:
    with reading(engine) as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    assert found == ["wal", 2]
