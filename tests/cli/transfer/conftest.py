"""A company and a court that know each other; made once, copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.runner import Mizheng
from tests.cli.transfer.sides import COURT, Sides, add_confirmed, copied
from tests.support.notary import NotaryServer


@pytest.fixture(scope="session")
def known(enrolled: Mizheng, notary: NotaryServer, tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """To be copied, not used."""
    folder = tmp_path_factory.mktemp("transfer")
    sender = Mizheng(folder / "sender" / "home", folder / "sender" / "work")
    shutil.copytree(enrolled.home, sender.home)
    shutil.copytree(enrolled.cwd, sender.cwd)
    court = Mizheng(folder / "court" / "home", folder / "court" / "work")
    court.cwd.mkdir(parents=True)
    sender("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "pump.zip").ok()
    (sender.cwd / "图纸.dwg").write_bytes(b"the pump" * 40_000)
    made = court("recipients", "me", "--name", COURT, "--store", "file", "--json").ok().json
    add_confirmed(sender, "court", court.cwd / "my.card.json", made["fingerprint"])
    return Sides(sender, court, notary.export_trust(folder / "trust.toml"))


@pytest.fixture
def sides(known: Sides, tmp_path: Path) -> Sides:
    return copied(known, tmp_path)
