"""Several processes of one notary: one of them asks the witnesses, and another takes over from it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mizheng.notary.cosigning.keeper import WitnessKeeper
from mizheng.notary.database import reading
from mizheng.notary.instance import Instance
from mizheng.notary.publishing.head import find_published

from tests.faults.load import copy_keys
from tests.faults.writer import Item, make_sequencer, open_log
from tests.notary.witness.servers import WitnessServer

COUNTS = """
from mizheng.notary.witness.witness import Witness
answer = Witness.add_checkpoint
def counted(self, body):
    print("asked", flush=True)
    return answer(self, body)
Witness.add_checkpoint = counted
"""


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessServer]:
    made = WitnessServer(tmp_path / "witness", prelude=COUNTS)
    yield made
    made.stop()


def open_with(witness: WitnessServer, url: str, folder: Path) -> Instance:
    text = f'[witnesses]\npolicy = """\n{witness.policy_line("w")}\nquorum w\n"""\nwait = 60\n'
    folder.mkdir(exist_ok=True)
    (folder / "notary.toml").write_text(text, "utf-8")
    return open_log(url, str(folder))


def wait_for(instance: Instance, size: int) -> None:
    """Until the head of this size is published with its quorum."""
    deadline = time.monotonic() + 30
    while True:
        with reading(instance.engine) as connection:
            found = find_published(connection)
        if found is not None and (found.head.tree_size, found.quorum) == (size, "met"):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_one_asks_and_another_takes_over(witness: WitnessServer, database_url: str, tmp_path: Path) -> None:
    begun = open_log(database_url, str(tmp_path / "one"))
    copy_keys(tmp_path / "one" / "keys", tmp_path / "two" / "keys")
    witness.logs = [begun.signer.vkey]
    begun.engine.dispose()
    witness.start()
    instances = [open_with(witness, database_url, tmp_path / name) for name in ("one", "two")]
    keepers = [WitnessKeeper(instance) for instance in instances]
    sequencer = make_sequencer(instances[1])
    sequencer.start()
    for keeper in keepers:
        keeper.start()
    for size in (1, 2, 3):
        sequencer.submit(Item(f"{size}")).result(30)
        wait_for(instances[0], size)
    # Once for each head, and nobody was too late with anything.
    assert witness.output.count("asked\n") == 3
    keepers[0].stop()
    sequencer.submit(Item("4")).result(30)
    wait_for(instances[1], 4)
    assert witness.output.count("asked\n") == 4
    keepers[1].stop()
    sequencer.stop()
    for instance in instances:
        instance.engine.dispose()
