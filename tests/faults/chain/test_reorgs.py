"""Faults 4 and 12: blocks that are replaced, down to 64 deep, and a final block that is taken back."""

from __future__ import annotations

import logging

import pytest
from mizheng.notary.chain.covering import read_waiting_for
from mizheng.notary.database import reading

from tests.faults.chain.conftest import MakeWorld, Tell
from tests.support.scale import scaled

ROUNDS = scaled(1, 12)


@pytest.mark.parametrize("then", ["back", "gone", "nonce taken"])
@pytest.mark.parametrize("depth", [1, 2, 7, 32, 64])
def test_blocks_that_are_replaced(make: MakeWorld, tell: Tell, depth: int, then: str) -> None:
    """The transaction comes back by itself, or has to be sent again, or cannot be: its nonce is used up."""
    world = make(rule=f"confirmations:{depth + 6}")
    # What is replaced is never the contract.
    world.node.mine(depth + 6)
    for _ in range(ROUNDS):
        for _ in range(min(depth, 3)):
            world.reach("mined")
        first = min(
            (row for row in world.place.rows() if row.state == "mined"), key=lambda row: row.block_number
        )
        missing = first.block_number + depth - 1 - world.node.block_number()
        if missing > 0:
            world.node.mine(missing)
        gone = world.node.block_number() - depth + 1
        taken = [row for row in world.place.rows() if row.state == "mined" and row.block_number >= gone]
        assert taken
        world.node.rpc("anvil_reorg", depth, [])
        if then != "back":
            world.node.rpc("anvil_dropAllTransactions")
        if then == "nonce taken":
            world.steal(min(row.nonce for row in taken))
        world.steps(world.random.randrange(5, 30))
        # None of them is what it was, and none is lost.
        now = {row.id: row for row in world.place.rows()}
        assert all(now[row.id].block_hash != row.block_hash for row in taken)
    tell(f"reorganised {depth} deep, {then}", ROUNDS, world.settle())


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_final_block_that_is_taken_back(
    make: MakeWorld, tell: Tell, caplog: pytest.LogCaptureFixture, comes_back: bool
) -> None:
    world = make(rule="confirmations:3")
    world.reach("final")
    world.reach("final")
    before = [row for row in world.place.rows() if row.state == "final"]
    depth = world.node.block_number() - before[-1].block_number + 2
    world.node.rpc("anvil_reorg", depth, [])
    if not comes_back:
        world.node.rpc("anvil_dropAllTransactions")
        world.steal(before[-1].nonce)
    world.node.mine(depth + 5)
    world.tick(61)
    with caplog.at_level(logging.CRITICAL):
        world.steps(40)
    # Loud, named, and nothing is deleted: what was handed out as final is kept beside what stands there now.
    assert "took a final block back" in caplog.text
    assert world.anchorer.waiting_for == "final-reversed"
    (kept,) = world.reversals()
    assert kept.evidence == before[-1].evidence_final
    assert kept.block_hash == before[-1].block_hash
    assert kept.found_hash not in (None, kept.block_hash)
    rows = {row.id: row for row in world.place.rows()}
    assert rows[before[0].id].state == "final"
    assert rows[before[-1].id].state != "final"
    with reading(world.place.engine) as connection:
        profile = world.place.chain.profile
        assert read_waiting_for(connection, profile, before[-1].tree_size - 1) == "final-reversed"
    # Until somebody has looked, nothing of this chain becomes final, however many blocks there are.
    world.place.log.grow()
    world.node.mine(30)
    world.steps(40)
    assert sum(row.state == "final" for row in world.place.rows()) == 1
    world.acknowledge()
    found = world.settle()
    assert world.reversals()[0].evidence == before[-1].evidence_final
    tell(f"final block taken back, {'mined again' if comes_back else 'nonce used'}", 1, found)
