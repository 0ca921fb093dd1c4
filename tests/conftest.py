"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import leftovers, order
from tests.support.anvil import Anvil
from tests.support.figures import pytest_terminal_summary  # noqa: F401 - a hook of pytest's
from tests.support.missing import do_without
from tests.support.postgres import Postgres, PostgresMissing
from tests.support.tools import ToolError, solc_wrapper_path


def pytest_configure() -> None:
    """Also of a run that is killed nothing stays behind."""
    leftovers.watch()
    # A shell starts what runs in the background deaf to Ctrl-C, and so is all that is started from there.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: much of a test is waiting for a server, a block or the disk."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=order.by_length(items))


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    """One anvil node for the whole run; final is eight blocks behind the head.

    Everybody's transactions meet on it: a test that stops it, winds it back or counts blocks starts its own.
    """
    node = Anvil()
    try:
        node.start()
    except ToolError as error:
        do_without(error)
    try:
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="session")
def solc() -> Path:
    """The Solidity compiler that the contracts are built with."""
    try:
        return solc_wrapper_path()
    except ToolError as error:
        do_without(error)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that tests share, each with a database of its own; who stops it, starts it again."""
    try:
        server = Postgres()
    except PostgresMissing as missing:
        do_without(missing)
    with server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create()


@pytest.fixture(autouse=True)
def _recursion_limit() -> None:
    """What every process of ours has: eth-tester and py-evm, imported by tests, raise it to 100,000."""
    sys.setrecursionlimit(1_000)
