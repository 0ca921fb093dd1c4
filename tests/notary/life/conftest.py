"""A PostgreSQL for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.missing import do_without
from tests.support.postgres import Postgres, PostgresMissing

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server that tests share, each with a database of its own."""
    try:
        server = Postgres()
    except PostgresMissing as missing:
        do_without(missing)
    with server:
        yield server


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    """The passphrase of the keys, as a command is given it."""
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return path
