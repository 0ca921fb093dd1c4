"""A full disk: deposits are refused, reads go on, and when there is room again so do deposits."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.log.head import load_head

from tests.faults.conftest import Tell
from tests.faults.load import Receipt, count
from tests.faults.writer import Item, make_sequencer, open_log

MEGABYTES = 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of a few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=700", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def test_a_full_disk(small_disk: Path, tell: Tell) -> None:
    url = f"sqlite:///{small_disk / 'log.db'}"
    instance = open_log(url, str(small_disk / "notary"))
    ballast = small_disk / "ballast"
    sequencer = make_sequencer(instance)
    sequencer.start()
    receipts: list[Receipt] = []

    def deposit(name: str) -> bool:
        item = Item(name)
        try:
            found = sequencer.submit(item).result(60)
        except Problem as problem:
            assert problem.code == "log-unavailable"
            return False
        receipts.append(Receipt.read(item.name_sha256, found.leaf_index, found.tlog_proof))
        return True

    assert deposit("before")
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    refused = [name for name in (f"full-{number}" for number in range(200)) if not deposit(name)]
    assert refused, "the disk never was full"
    with reading(instance.engine) as connection:
        assert load_head(connection).tree_size == len(receipts)
    ballast.unlink()
    assert all(deposit(name) for name in refused)
    sequencer.stop()
    instance.engine.dispose()
    found = count(url, instance.signer.vkey, receipts)
    tell("a full disk", len(refused), found, "refused while it was full", database="sqlite")
    found.check()
