"""The outbox on a real node: down and up again, blocks that disappear, finality by the rule."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.covering import read_waiting_for
from mizheng.notary.chain.node import NodeChain
from mizheng.notary.chain.profiles import parse_finality
from mizheng.notary.database import reading

from tests.notary.chain.support import Place, anchor_all, is_final, make_node_place, run
from tests.support.anvil import Anvil


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Anvil]:
    with Anvil(state=tmp_path / "anvil.json") as found:
        yield found


def set_rule(place: Place, rule: str) -> None:
    place.chain = NodeChain(replace(place.chain.profile, finality=parse_finality(rule)))


@pytest.fixture
def place(tmp_path: Path, node: Anvil) -> Iterator[Place]:
    found = make_node_place(tmp_path, node)
    # So that what is wound back is never the contract.
    node.mine(10)
    yield found
    found.engine.dispose()


def waiting_for(place: Place) -> str | None:
    with reading(place.engine) as connection:
        return read_waiting_for(connection, place.chain.profile, 0)


def state(place: Place) -> str | None:
    return place.rows()[-1].state if place.rows() else None


def test_final_only_when_the_node_says_so(node: Anvil, place: Place) -> None:
    set_rule(place, "finalized")
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: state(place) == "mined")
    for _ in range(5):
        anchorer.step()
        place.clock.tick()
    assert state(place) == "mined"
    assert waiting_for(place) == "finality"
    block = place.rows()[0].block_number
    while node.block_number("finalized") < block - 1:
        node.mine()
    anchorer.step()
    assert state(place) == "mined"
    node.mine()
    run(anchorer, place.clock, lambda: state(place) == "final")
    place.check(place.rows()[0].evidence_final)
    assert waiting_for(place) is None


def test_heads_go_on_while_older_ones_wait_for_finality(node: Anvil, place: Place) -> None:
    set_rule(place, "finalized")
    anchorer = place.anchorer()
    for _ in range(3):
        size = place.log.head()[0]
        run(anchorer, place.clock, lambda: state(place) == "mined")
        assert place.rows()[-1].tree_size == size
        place.log.grow(3)
        run(anchorer, place.clock, lambda size=size: place.rows()[-1].tree_size > size)  # type: ignore[misc]
    node.mine(20)
    run(anchorer, place.clock, lambda: is_final(place, 11))
    node.mine(20)
    run(anchorer, place.clock, lambda: all(row.state == "final" for row in place.rows()))
    for row in place.rows():
        place.check(row.evidence_final)


def test_a_block_that_disappears_puts_the_item_back(node: Anvil, place: Place) -> None:
    set_rule(place, "confirmations:6")
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: state(place) == "mined")
    first = place.rows()[0]
    node.rpc("evm_setAutomine", False)
    # Empty blocks in place of the last two.
    node.rpc("anvil_reorg", 2, [])
    node.rpc("anvil_dropAllTransactions")
    run(anchorer, place.clock, lambda: state(place) == "sent")
    (row,) = place.rows()
    assert row.block_number is None
    assert row.evidence is None
    node.rpc("evm_setAutomine", True)
    run(anchorer, place.clock, lambda: state(place) == "mined")
    node.mine(6)
    run(anchorer, place.clock, lambda: state(place) == "final")
    (row,) = place.rows()
    assert row.transaction_hash == first.transaction_hash
    assert row.block_hash != first.block_hash
    assert place.check(row.evidence_final).block.hash == row.block_hash


def test_a_newer_block_that_disappears_does_not_wait_for_older_anchors(node: Anvil, place: Place) -> None:
    set_rule(place, "confirmations:12")
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: state(place) == "mined")
    node.mine(5)
    for size in (6, 7):
        place.log.grow()
        run(anchorer, place.clock, lambda size=size: len(place.rows()) == size - 4)  # type: ignore[misc]
        run(anchorer, place.clock, lambda: place.rows()[-1].state == "mined")
    older, *newer = place.rows()
    node.rpc("evm_setAutomine", False)
    node.rpc("anvil_reorg", 3, [])
    node.rpc("anvil_dropAllTransactions")
    run(anchorer, place.clock, lambda: [row.state for row in place.rows()] == ["mined", "sent", "sent"])
    assert place.rows()[0].block_hash == older.block_hash
    node.rpc("evm_setAutomine", True)
    node.mine()
    run(anchorer, place.clock, lambda: {row.state for row in place.rows()} == {"mined"})
    assert all(place.rows()[1 + n].block_hash != row.block_hash for n, row in enumerate(newer))


def test_several_heads_disappear_and_come_back_in_order(node: Anvil, place: Place) -> None:
    set_rule(place, "confirmations:12")
    anchorer = place.anchorer()
    for _ in range(3):
        run(anchorer, place.clock, lambda: state(place) == "mined")
        count = len(place.rows())
        place.log.grow(2)
        if count < 3:
            run(anchorer, place.clock, lambda count=count: len(place.rows()) > count)  # type: ignore[misc]
    node.rpc("anvil_reorg", 3, [])
    node.rpc("anvil_dropAllTransactions")
    for _ in range(120):
        anchorer.step()
        place.clock.tick()
        node.mine()
        if is_final(place, 11):
            break
    assert {row.tree_size for row in place.live()} == {5, 7, 9, 11}
    head = calls.read_head(place.chain, place.deployment.contract, place.deployment.log_id)
    assert head == (11, place.log.root(11))
    for row in place.live():
        if row.state == "final":
            place.check(row.evidence_final)


@pytest.mark.parametrize("stop_at", ["prepared", "sent", "mined"])
def test_a_node_that_goes_down_and_comes_back(node: Anvil, place: Place, stop_at: str) -> None:
    set_rule(place, "confirmations:2")
    if stop_at == "sent":
        node.rpc("evm_setAutomine", False)
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: state(place) == stop_at)
    node.stop()
    for _ in range(3):
        assert not anchorer.step()
        place.log.grow()
        place.clock.tick()
    assert anchorer.waiting_for == "unreachable"
    assert waiting_for(place) == "unreachable"
    assert state(place) == stop_at
    # Started with its state, but without its pool.
    node.start()
    place.clock.tick(60)
    run(anchorer, place.clock, lambda: state(place) == "mined")
    node.mine(2)
    run(anchorer, place.clock, lambda: is_final(place, 5))
    run(anchorer, place.clock, lambda: place.rows()[-1].tree_size == 8 and state(place) == "mined")
    node.mine(2)
    run(anchorer, place.clock, lambda: is_final(place, 8))


def test_another_chain_behind_the_same_address(node: Anvil, place: Place, tmp_path: Path) -> None:
    anchor_all(place)
    node.stop()
    (tmp_path / "anvil.json").unlink()
    # The second of its start is all that makes anvil's genesis its own.
    time.sleep(1.1)
    node.start()
    place.log.grow()
    place.clock.tick(60)
    anchorer = place.anchorer()
    for _ in range(3):
        anchorer.step()
        place.clock.tick()
    assert anchorer.waiting_for == "wrong-genesis"
    assert len(place.rows()) == 1
