"""The notary's own fixtures, with a server that may send webhooks to this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notary.conftest import database, depositor
from tests.support.notary import NotaryServer

__all__ = ["database", "depositor", "server"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    data_dir = tmp_path_factory.mktemp("client") / "data"
    data_dir.mkdir()
    (data_dir / "notary.toml").write_text('[webhooks]\nnetworks = ["127.0.0.0/8"]\n')
    with NotaryServer(data_dir) as running:
        yield running
