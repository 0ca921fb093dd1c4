"""A log with two witnesses, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mizheng.notary.instance import Instance

from tests.notary.witness.scene import Scene


@pytest.fixture
def scene(instance: Instance, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(instance, tmp_path)
    yield made
    for peer in (made.east, made.west):
        peer.state.close()
