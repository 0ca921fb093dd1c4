"""A seal at which somebody looked once: three rows in its access log."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.access.people import approve, ask, deposit_id, look, stranger
from tests.cli.runner import Mizheng


@pytest.fixture(scope="session")
def looked_at_once(enrolled: Mizheng, tmp_path_factory: pytest.TempPathFactory) -> Mizheng:
    """To be copied, not used."""
    folder = tmp_path_factory.mktemp("looked-at")
    company = Mizheng(folder / "home", folder / "work")
    shutil.copytree(enrolled.home, company.home)
    shutil.copytree(enrolled.cwd, company.cwd)
    expert = stranger(company, "expert")
    approve(company, ask(expert, deposit_id(company)), expert).ok()
    look(company).ok()
    return company


@pytest.fixture
def looked_at(bare: Mizheng, looked_at_once: Mizheng) -> Mizheng:
    """The same, to be tampered with."""
    shutil.copytree(looked_at_once.home, bare.home)
    shutil.copytree(looked_at_once.cwd, bare.cwd, dirs_exist_ok=True)
    return bare
