"""One notary with a small mailbox: its limits are reached quickly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.notary import NotaryServer


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    data_dir = tmp_path_factory.mktemp("mailbox") / "data"
    data_dir.mkdir()
    (data_dir / "notary.toml").write_text(
        "[mailbox]\nitem_mib = 9\ncompany_mib = 20\ncompany_items = 3\ndays = 5\n"
        "[pages]\nper_minute = 10000\n"
    )
    with NotaryServer(data_dir) as running:
        yield running
