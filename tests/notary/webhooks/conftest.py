"""One notary that may send to this machine, and a receiver for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notary.webhooks.receiver import Receiver
from tests.support.notary import NotaryServer


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    data_dir = tmp_path_factory.mktemp("webhooks") / "data"
    data_dir.mkdir()
    (data_dir / "notary.toml").write_text('[webhooks]\nnetworks = ["127.0.0.0/8"]\n')
    with NotaryServer(data_dir) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running
