"""The database's schema, step by step, run by the notary itself when it starts.

Alembic is imported where there is something for it to do: it takes longer than most of the operator's
commands, and the schema is nearly always the newest one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mizheng.notary.database import reading, wait_for_turn, writing
from mizheng.notary.errors import ConfigurationError
from sqlalchemy import Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to `revision`, in one transaction; ConfigurationError if it is of a later
    release.
    """
    if revision == "head" and _read_revision(engine) == newest_revision():
        return
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with writing(engine) as connection:
        wait_for_turn(connection, "setup")
        present = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        if present is not None and present not in known:
            raise ConfigurationError(
                "the database is of a later release of the notary",
                hint="install that release; a database is never taken back by itself",
            )
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to `revision` (`base`: to nothing, with all data)."""
    from alembic import command

    with writing(engine) as connection:
        command.downgrade(_config(connection), revision)


def newest_revision() -> str:
    """The last of the steps, by the names of their files."""
    return max(path.name[1:5] for path in (_FOLDER / "versions").glob("v[0-9]*.py"))


def _read_revision(engine: Engine) -> str | None:
    """As Alembic keeps it; None for a database that it has not seen."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _config(connection: Any = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
