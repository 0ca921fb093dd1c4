"""An embedded chain with an open log, and one on anvil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notary.chain.support import Place, make_embedded_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A notary on the embedded chain, five entries in its log, nothing anchored."""
    found = make_embedded_place(tmp_path)
    yield found
    found.chain.close()
    found.engine.dispose()
