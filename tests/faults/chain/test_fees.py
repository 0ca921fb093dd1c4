"""Fault 6: too cheap to be mined, too cheap to replace, a cap, a budget, an empty account."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mizheng.notary.chain.feerule import WEI

from tests.faults.chain.conftest import MakeWorld, Tell
from tests.faults.chain.harness import World
from tests.support.scale import scaled

GWEI = 10**9


def set_base_fee(world: World, fee: int) -> None:
    world.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(fee))
    world.node.mine()


def keep_base_fee(world: World, fee: int, until: Callable[[], bool], steps: int = 60) -> None:
    """Blocks whose base fee stays there until it is so."""
    for _ in range(steps):
        if until():
            return
        if not world.step(mine=0):
            set_base_fee(world, fee)
    raise AssertionError(f"not reached in {steps} steps; waits for {world.anchorer.waiting_for}")


def check_waiting(world: World, fee: int, code: str) -> None:
    """It comes to wait for that, and stays so."""
    keep_base_fee(world, fee, lambda: world.anchorer.waiting_for == code)
    for _ in range(10):
        if not world.step(mine=0):
            set_base_fee(world, fee)
        assert world.anchorer.waiting_for == code


def test_a_base_fee_that_grows_a_hundredfold(make: MakeWorld, tell: Tell) -> None:
    world = make()
    rounds = scaled(2, 25)
    for _ in range(rounds):
        set_base_fee(world, GWEI)
        world.reach("sent")
        first = world.place.attempts()[-1]
        keep_base_fee(world, 100 * GWEI, lambda: world.state() in ("mined", "final"))
        last = world.place.attempts()[-1]
        assert last.nonce == first.nonce
        assert last.max_fee > 100 * GWEI
        # Both fields, by a tenth at least, or no real node takes it.
        assert last.max_fee * 10 >= first.max_fee * 11
        assert last.max_priority_fee * 10 >= first.max_priority_fee * 11
    tell("base fee x 100", rounds, world.settle())


@pytest.mark.parametrize("kind", ["dynamic", "legacy"])
def test_a_cap_is_kept_and_said(make: MakeWorld, tell: Tell, kind: str) -> None:
    world = make(kind=kind, max_fee=5 * GWEI)
    set_base_fee(world, GWEI)
    world.reach("sent")
    check_waiting(world, 100 * GWEI, "cap-reached")
    assert world.place.rows()[-1].state in ("prepared", "sent")
    assert all(attempt.max_fee <= 5 * GWEI for attempt in world.place.attempts())
    set_base_fee(world, GWEI)
    world.run(lambda: world.state() == "final")
    # Nothing is begun either while it is dearer than that.
    set_base_fee(world, 100 * GWEI)
    world.place.log.grow()
    count = len(world.place.attempts())
    check_waiting(world, 100 * GWEI, "cap-reached")
    assert len(world.place.attempts()) == count
    set_base_fee(world, GWEI)
    tell(f"cap reached, {kind}", 2, world.settle())


def test_a_budget_of_the_day_is_kept_and_said(make: MakeWorld, tell: Tell) -> None:
    world = make(budget_per_day=4 * 10**14)
    set_base_fee(world, GWEI)
    paid = 0
    for _ in range(40):
        world.place.log.grow()
        world.steps(6)
        if world.anchorer.waiting_for == "budget-spent":
            break
        paid = len(world.place.attempts())
    assert world.anchorer.waiting_for == "budget-spent"
    assert paid >= 1
    costs = sum(row.gas_used * row.gas_price for row in world.place.attempts() if row.gas_used)
    assert 0 < costs <= 4 * 10**14
    # A day later there is money again.
    world.tick(86_400)
    tell("budget spent", 1, world.settle())


def test_an_empty_account_is_said_and_filled_up(make: MakeWorld, tell: Tell) -> None:
    world = make()
    account = "0x" + world.place.publisher.address.hex()
    rounds = scaled(2, 20)
    for number in range(rounds):
        state = ("prepared", "mined")[number % 2]
        world.reach(state)
        world.node.rpc("anvil_setBalance", account, "0x0")
        world.place.log.grow()
        world.run(lambda: world.anchorer.waiting_for == "insufficient-funds")
        world.tick(60)
        world.steps(2)
        assert world.anchorer.warnings == ("balance-low",)
        world.node.rpc("anvil_setBalance", account, hex(WEI))
        world.tick(60)
        world.run(lambda: world.anchorer.waiting_for is None and not world.anchorer.warnings)
        assert world.anchorer.warnings == ()
    tell("balance 0", rounds, world.settle())


def test_a_node_that_finds_everything_too_cheap_is_not_paid_without_end(make: MakeWorld, tell: Tell) -> None:
    """No cap of the operator's: ten times what the chain asks for is where it ends."""
    world = make()
    world.proxy.rule = lambda method, _: (
        {"code": -32000, "message": "replacement transaction underpriced"}
        if method == "eth_sendRawTransaction"
        else None
    )
    world.place.log.grow()
    asked = world.place.chain.fees().max_fee

    def is_said() -> bool:
        # As long as it waits before it offers more.
        world.tick(15)
        return world.anchorer.waiting_for == "cap-reached"

    world.run(is_said)
    world.steps(10)
    attempts = world.place.attempts()
    assert world.anchorer.waiting_for == "cap-reached"
    assert len({attempt.nonce for attempt in attempts}) == 1
    # Blocks are empty meanwhile: the chain asks for less and less.
    assert attempts[-1].max_fee <= 10 * asked
    tell("every fee too low", len(attempts), world.settle())


def test_a_chain_without_blocks_is_said_and_not_paid_more(make: MakeWorld, tell: Tell) -> None:
    world = make(stalled_after=60)
    world.reach("sent")
    count = len(world.place.attempts())
    world.run(lambda: world.anchorer.waiting_for == "chain-stalled", mine=0)
    world.steps(20, mine=0)
    assert world.anchorer.waiting_for == "chain-stalled"
    # Until it was known to have stalled, it was replaced at most once.
    assert len(world.place.attempts()) <= count + 2
    world.steps(10)
    assert world.anchorer.waiting_for is None
    tell("chain stalled", 1, world.settle())
