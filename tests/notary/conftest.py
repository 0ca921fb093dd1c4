"""Notaries for this room's tests: one in this process without HTTP, one as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mizheng.notary.config import load_settings
from mizheng.notary.database import create_engine
from mizheng.notary.instance import Instance, open_instance
from sqlalchemy import Engine

from tests.notary.depositor import TestDepositor, register
from tests.support.notary import NotaryServer
from tests.support.schema import lay_database


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """A fresh notary: keys, database, an empty log; nothing runs."""
    database = lay_database(tmp_path / "notary")
    opened = open_instance(load_settings({"MIZHENG_DATA_DIR": str(database.parent)}))
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    """A notary that a module's tests share; a test that stops or breaks it starts its own."""
    with NotaryServer(tmp_path_factory.mktemp("notary") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def database(server: NotaryServer) -> Iterator[Engine]:
    """The server's database, as another process of the notary has it."""
    engine = create_engine(f"sqlite:///{server.data_dir / 'mizheng.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def depositor(server: NotaryServer, database: Engine) -> TestDepositor:
    """A company of its own for each test, its key enrolled."""
    found = register(server, database)
    found.enrol()
    return found
