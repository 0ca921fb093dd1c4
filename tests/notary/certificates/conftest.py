"""One notary that does not count its visitors, and one certificate of it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.notary.depositor import CLIENT_SECONDS, TestDepositor
from tests.support.certificates import Issued, issue
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    data_dir = tmp_path_factory.mktemp("certificates") / "data"
    data_dir.mkdir()
    (data_dir / "notary.toml").write_text("[pages]\nper_minute = 0\n")
    with NotaryServer(data_dir) as running:
        yield running


@pytest.fixture
def issued(depositor: TestDepositor) -> Issued:
    return issue(depositor)


@pytest.fixture
def anybody(server: NotaryServer) -> Iterator[httpx.Client]:
    """A client without an API key."""
    with httpx.Client(base_url=server.url, timeout=CLIENT_SECONDS, trust_env=False, verify=NO_TLS) as client:
        yield client
