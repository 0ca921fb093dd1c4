"""A world on anvil for each test, and the line that it leaves at the end of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.chain.harness import Found, World, make_world
from tests.faults.seeds import SEED, chooser
from tests.support.anvil import Anvil
from tests.support.figures import note_into
from tests.support.rpcproxy import RpcProxy

Tell = Callable[[str, int, Found], None]
MakeWorld = Callable[..., World]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """`tell("answers lost", 12, found)`: nothing false, lost or twice; and the line about it."""

    def tell(fault: str, faults: int, found: Found) -> None:
        note_into(record_property, "chain", SEED)(
            f"chain: {fault}",
            faults=faults,
            acknowledged=found.anchors,
            lost=found.lost,
            duplicated=found.double,
            inconsistent=found.false_final,
            more=f"anchors final; inconsistent: false final; {found.wasted} calls paid for in vain",
        )
        assert faults, "no fault happened: the test proved nothing"
        assert found.anchors
        assert (found.false_final, found.lost, found.double) == (0, 0, 0), found

    return tell


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Anvil]:
    # Finalized is the head less 64. A first block that is the same at each start: anvil keeps that of every
    # start in its state, and after the third has another genesis.
    first = ("--timestamp", str(int(time.time())))
    # What it moves to the disk after some hundreds of blocks it cannot go back to: the contract has no code
    # then. So it keeps them in memory.
    history = ("--prune-history", "20000")
    state = tmp_path / "anvil.json"
    with Anvil(state=state, state_interval=600, slots_in_an_epoch=32, extra=(*first, *history)) as found:
        yield found
        found.kill()


@pytest.fixture
def make(tmp_path: Path, node: Anvil, request: pytest.FixtureRequest) -> Iterator[MakeWorld]:
    """`make(rule="confirmations:2", **fee settings)`: a notary before that node, behind a proxy."""
    worlds = []
    with RpcProxy(node.url) as proxy:

        def make(rule: str = "confirmations:2", **options: Any) -> World:
            worlds.append(make_world(tmp_path, node, proxy, chooser(request.node.name), rule, **options))
            return worlds[-1]

        yield make
        for world in worlds:
            world.place.engine.dispose()
