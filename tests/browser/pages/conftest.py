"""One notary with a long name, some certificates, and no limit on visitors, for every test of its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from mizheng.notary.database import create_engine
from playwright.sync_api import Browser

from tests.notary.depositor import TestDepositor, register
from tests.support.browser import Visit, visit
from tests.support.certificates import Issued, issue
from tests.support.notary import NotaryServer
from tests.tools.layout import ROOT

EXAMPLES = ROOT / "docs" / "spec" / "examples"
NAME = "示例电子数据存证中心"
Open = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    data_dir = tmp_path_factory.mktemp("site") / "data"
    data_dir.mkdir()
    trust = EXAMPLES / "trust.toml"
    (data_dir / "notary.toml").write_text(
        f'[pages]\nper_minute = 0\nname = "{NAME}"\ntrust = "{trust}"\n[certificates]\nissuer = "{NAME}"\n',
        "utf-8",
    )
    with NotaryServer(data_dir) as running:
        yield running


@pytest.fixture(scope="module")
def company(site: NotaryServer) -> TestDepositor:
    engine = create_engine(f"sqlite:///{site.data_dir / 'mizheng.db'}")
    found = register(site, engine)
    found.enrol()
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def issued(company: TestDepositor) -> Issued:
    """Masked, as each is issued; a test that changes this changes it back."""
    return issue(company, operator="欧阳娜娜", not_before=company.beacon())


@pytest.fixture
def at(browser: Browser, site: NotaryServer) -> Open:
    """Open a path of the site in a window of its own."""

    def opened(path: str, **options: Any) -> AbstractContextManager[Visit]:
        return visit(browser, site.url + path, **options)

    return opened
