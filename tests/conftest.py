"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.anvil import Anvil
from tests.support.tools import ToolError


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    """One anvil node for the whole run; final is eight blocks behind the head.

    Everybody's transactions meet on it: a test that stops it, winds it back or counts blocks starts its own.
    Where it cannot be had the test is skipped with the reason, and fails on a build machine (CI is set).
    """
    try:
        node = Anvil()
        node.start()
    except ToolError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        yield node
    finally:
        node.stop()
