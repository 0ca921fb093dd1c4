"""Faults 7 and 9: nonces that somebody else uses or leaves out, and a node that is on another chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.notary.chain.node import NodeChain

from tests.faults.chain.conftest import MakeWorld, Tell
from tests.support.anvil import Anvil
from tests.support.scale import scaled

ROUNDS = scaled(1, 30)


@pytest.mark.parametrize("state", ["prepared", "sent"])
def test_a_nonce_that_somebody_else_uses(make: MakeWorld, tell: Tell, state: str) -> None:
    """Somebody who has the key pays more for the same nonce: ours can never count, and its head goes into
    another transaction.
    """
    world = make()
    for _ in range(ROUNDS):
        world.reach(state)
        (row,) = (row for row in world.place.rows() if row.state == state)
        world.steal(row.nonce)
        world.run(lambda: world.state() == "final")
        rows = {each.id: each for each in world.place.rows()}
        assert (rows[row.id].state, rows[row.id].last_error) == ("failed", "nonce-used")
    assert world.waited_for["nonce-taken"]
    tell(f"nonce used by another, {state}", ROUNDS, world.settle())


def test_a_gap_in_the_nonces_is_filled(make: MakeWorld, tell: Tell) -> None:
    """Others' transactions stood before ours, and are gone with their block: nothing gets in until their
    nonces are used up.
    """
    world = make(rule="confirmations:8")
    for _ in range(ROUNDS):
        world.run(lambda: all(row.state in ("final", "failed") for row in world.place.rows()))
        width = world.random.randrange(1, 4)
        first = world.place.chain.nonce(world.place.publisher.address)
        for nonce in range(first, first + width):
            world.steal(nonce)
        world.node.mine(1)
        world.place.log.grow()
        world.run(lambda: world.state() == "sent", mine=0)
        ours = world.place.rows()[-1]
        assert ours.nonce == first + width
        world.node.rpc("anvil_reorg", 1, [])
        world.node.rpc("anvil_dropAllTransactions")
        world.run(lambda: world.state() == "mined")
        assert world.place.rows()[-1].id == ours.id
        fillers = [row for row in world.place.attempts() if row.anchor_id is None and row.nonce >= first]
        assert [row.nonce for row in fillers] == list(range(first, first + width))
    assert world.waited_for["nonce-gap"]
    tell("nonce gap", ROUNDS, world.settle())


def test_another_chain_behind_the_same_address(make: MakeWorld, tell: Tell, tmp_path: Path) -> None:
    """Another chain id, another genesis, no code, other code: each is named, and nothing is sent there."""
    world = make()
    world.reach("final")
    honest = world.proxy.target
    count = len(world.place.attempts())
    faults = 0
    with Anvil(chain_id=4711) as other_id, Anvil(extra=("--timestamp", "1700000000")) as other_genesis:
        for target, code in ((other_id.url, "wrong-chain-id"), (other_genesis.url, "wrong-genesis")):
            for state in ("final", "sent"):
                world.reach(state)
                world.proxy.target = target
                # What it believed about the node holds for half a minute.
                world.tick(31)
                sent = world.proxy.counts["eth_sendRawTransaction"]
                world.place.log.grow()
                world.steps(10)
                assert world.anchorer.waiting_for == code
                assert world.proxy.counts["eth_sendRawTransaction"] == sent
                assert int(other_id.rpc("eth_getTransactionCount", _account(world), "latest"), 16) == 0
                world.proxy.target = honest
                world.tick(31)
                faults += 1
    assert len(world.place.attempts()) > count
    for code, runtime in (("no-code", "0x"), ("other-code", "0x6000")):
        contract = "0x" + world.place.deployment.contract.hex()
        real = world.node.rpc("eth_getCode", contract, "latest")
        world.node.rpc("anvil_setCode", contract, runtime)
        world.tick(31)
        world.place.log.grow()
        world.steps(10)
        assert world.anchorer.waiting_for == code
        world.node.rpc("anvil_setCode", contract, real)
        world.tick(31)
        faults += 1
    tell("another chain, other code", faults, world.settle())


def _account(world: object) -> str:
    return "0x" + world.place.publisher.address.hex()  # type: ignore[attr-defined]


def test_a_profile_of_another_chain_signs_nothing_that_this_one_takes(make: MakeWorld, tell: Tell) -> None:
    """Chain ids are in what is signed: with a wrong one in the profile, nothing is even tried."""
    world = make()
    wrong = NodeChain(replace(world.place.chain.profile, chain_id=1))
    world.place.log.grow()
    world.restart(wrong)
    world.steps(10)
    assert world.anchorer.waiting_for == "wrong-chain-id"
    assert not world.place.attempts()
    tell("wrong chain id in the profile", 1, world.settle())
