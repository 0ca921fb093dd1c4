"""Faults 1, 2 and 5: nodes that die, answers that are lost, pools that are emptied."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.chain.conftest import MakeWorld, Tell
from tests.support.scale import scaled

ROUNDS = scaled(2, 40)
KILLS = scaled(1, 15)


@pytest.mark.parametrize("state", ["prepared", "sent", "mined"])
def test_a_node_that_is_killed(tmp_path: Path, make: MakeWorld, tell: Tell, state: str) -> None:
    """Before it was sent, after, and after it was mined: up again with its chain and without its pool."""
    world = make()
    for _ in range(KILLS):
        world.reach(state)
        # No real node forgets a block; anvil writes its own down now and then.
        written = world.node.dump()
        world.node.kill()
        (tmp_path / "anvil.json").write_bytes(written)
        world.steps(world.random.randrange(1, 6))
        assert world.anchorer.waiting_for == "unreachable"
        world.node.start()
        world.node.rpc("evm_setAutomine", False)
        world.steps(world.random.randrange(1, 10))
    tell(f"node killed, {state}", KILLS, world.settle())


@pytest.mark.parametrize("fault", ["lost", "unanswered", "cut", "429", "slow"])
def test_a_request_that_goes_wrong_while_sending(make: MakeWorld, tell: Tell, fault: str) -> None:
    world = make()
    for _ in range(ROUNDS):
        world.proxy.plan("eth_sendRawTransaction", *[fault] * world.random.randrange(1, 4))
        world.reach("final")
    sent = world.proxy.counts["eth_sendRawTransaction"]
    found = world.settle()
    # Nobody but the outbox sends again: no library below does.
    assert sent <= world.proxy.faults[fault] + 2 * ROUNDS
    tell(f"sending {fault}", world.proxy.faults[fault], found)


def test_any_request_may_go_wrong(make: MakeWorld, tell: Tell) -> None:
    world = make()
    dice = world.random
    faults = ("lost", "unanswered", "cut", "429", "503")
    world.proxy.rule = lambda _method, _params: dice.choice(faults) if dice.random() < 0.08 else None
    for _ in range(2 * ROUNDS):
        world.reach("mined")
    tell("any request goes wrong", world.proxy.faults.total(), world.settle())


def test_a_pool_that_is_emptied(make: MakeWorld, tell: Tell) -> None:
    world = make()
    for _ in range(2 * ROUNDS):
        world.reach("sent")
        world.node.rpc("anvil_dropAllTransactions")
        world.steps(world.random.randrange(4), mine=int(world.random.random() < 0.5))
    tell("pool emptied", 2 * ROUNDS, world.settle())
