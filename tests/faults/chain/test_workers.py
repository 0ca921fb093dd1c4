"""Faults 3, 8 and 11: workers that die on any line, race, or come back stale; clocks that are wrong."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from mizheng.notary.chain.outbox import Outbox
from mizheng.notary.chain.transactions import TransactionBook

from tests.faults.chain.conftest import MakeWorld, Tell
from tests.faults.chain.harness import World
from tests.notary.chain.support import Crash, Through
from tests.support.scale import scaled

WRITES = ("prepare", "replace", "mark_sent", "mark_mined", "mark_final", "put_back")
CALLS = ("send_raw", "find", "nonce", "call", "fees", "holds_final", "block_receipts")
CRASHES = scaled(30, 1500)


def test_a_worker_that_dies_on_any_line(make: MakeWorld, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each write of the outbox and each call of the chain, in random order, with stuck
    transactions and reorganisations in between so that every edge is gone over.
    """
    world = make(rule="confirmations:6", replace_after=9)
    # What is replaced is never the contract.
    world.node.mine(6)
    dice = world.random
    met: set[tuple[str, str]] = set()

    def mined(name: str, real: Any) -> Any:
        def either(*args: Any, **options: Any) -> Any:
            left = [when for when in ("before", "after") if (name, when) not in met]
            when = dice.choice(left or ("before", "after"))
            # Where it has not died yet, sooner; at last only there, and at once.
            is_over = world.crashes >= CRASHES
            if dice.random() >= ((0.4, 1.0) if left else (0.02, 0.0))[is_over]:
                return real(*args, **options)
            met.add((name, when))
            if when == "after":
                real(*args, **options)
            raise Crash

        return either

    for owner, names in ((Outbox, WRITES), (TransactionBook, ("note_outcome",))):
        for name in names:
            monkeypatch.setattr(owner, name, mined(name, getattr(owner, name)))
    methods = {name: mined(name, getattr(world.place.chain, name)) for name in CALLS}
    honest, world.place.chain = world.place.chain, Through(world.place.chain, **methods)
    world.restart()
    edges = {(name, when) for name in (*WRITES, *CALLS) for when in ("before", "after")}
    for _ in range(10 * CRASHES):
        if world.crashes >= CRASHES and edges <= met:
            break
        world.place.log.grow()
        # Sometimes no block for so long that it is replaced, sometimes the last block is taken back.
        world.steps(dice.randrange(1, 25), mine=int(dice.random() < 0.7))
        if dice.random() < 0.3:
            world.node.rpc("anvil_reorg", dice.randrange(1, 5), [])
    monkeypatch.undo()
    world.place.chain = honest
    found = world.settle()
    assert edges <= met, f"never died at {edges - met}"
    tell("worker dies on any line", world.crashes, found)


def test_two_workers_that_race(make: MakeWorld, tell: Tell, database_url: str) -> None:
    """Two processes that both believe to be the one that anchors, at the same time."""
    world = make(replace_after=6, database_url=database_url)
    rival = world.place.anchorer(elapsed=world.elapsed)
    errors: list[BaseException] = []
    over = threading.Event()

    def run() -> None:
        try:
            while not over.is_set():
                rival.step()
        except BaseException as error:  # whatever it is, the test must see it
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    rounds = scaled(4, 150)
    try:
        for _ in range(rounds):
            world.reach("sent")
            # No blocks for a while, so that both want to replace it.
            world.steps(world.random.randrange(8), mine=0)
            world.reach("mined")
    finally:
        over.set()
        thread.join()
    assert not errors
    tell("two workers racing", rounds, world.settle())


def test_a_stale_worker_that_comes_back(make: MakeWorld, tell: Tell) -> None:
    """It stopped in the middle of a step, with what it knew then, and goes on when the world has moved on."""
    rounds = scaled(4, 100)
    world = make(replace_after=6)
    for number in range(rounds):
        method = ("send_raw", "find", "nonce", "fees")[number % 4]
        _stop_in_the_middle(world, method)
    tell("a stale worker comes back", rounds, world.settle())


def _stop_in_the_middle(world: World, method: str) -> None:
    stopped, go_on = threading.Event(), threading.Event()
    real = getattr(world.place.chain, method)

    def hold(*args: Any, **options: Any) -> Any:
        if not stopped.is_set():
            stopped.set()
            assert go_on.wait(60)
        return real(*args, **options)

    if method in ("send_raw", "fees"):
        # Only a new one is paid for and sent; what is under way might wait for a block that nobody makes.
        world.run(lambda: not any(row.state in ("prepared", "sent") for row in world.place.rows()))
    world.place.log.grow(2)
    stale = world.place.anchorer(Through(world.place.chain, **{method: hold}), elapsed=world.elapsed)

    def step_on() -> None:
        for _ in range(200):
            stale.step()
            if go_on.is_set():
                return

    thread = threading.Thread(target=step_on)
    thread.start()
    assert stopped.wait(60), f"the worker never came to {method}: it waits for {stale.waiting_for}"
    world.restart()
    world.steps(world.random.randrange(2, 30))
    go_on.set()
    thread.join()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off(make: MakeWorld, tell: Tell, hours: int) -> None:
    world = make()
    rounds = scaled(1, 30)
    for _ in range(rounds):
        for state in ("prepared", "sent", "mined"):
            world.reach(state)
            world.place.clock.now += hours * 3600
            world.steps(3)
            assert "chain-stalled" not in world.waited_for
            world.place.clock.now -= hours * 3600
            world.steps(3)
    tell(f"clock {hours:+} h, and back", 6 * rounds, world.settle())
