"""The database's schema, step by step, run by the notary itself when it starts."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from mizheng.notary.database import wait_for_turn, writing
from mizheng.notary.errors import ConfigurationError
from sqlalchemy import Engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to `revision`, in one transaction; ConfigurationError if it is of a later
    release.
    """
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
    with writing(engine) as connection:
        command.downgrade(_config(connection), revision)


def _config(connection: Any = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
