"""A notary's chain side on a real node, and an auditor that believes neither: it asks the node by itself.

What must be nothing, whatever was done:
    false final    an item that is final here, while the node's final block is below it, or holds another one
    lost anchor    a head that was final and is neither final now nor kept as taken back; a log that does not
                   end up anchored
    double effect  two successful calls for one head in the chain, or two events for it
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mizheng.notary.anchoring.anchorer import Anchorer
from mizheng.notary.chain.contract import _ANCHOR
from mizheng.notary.chain.feerule import FeeRule
from mizheng.notary.chain.interface import Chain, Fees
from mizheng.notary.chain.node import NodeChain
from mizheng.notary.chain.profiles import parse_finality
from mizheng.notary.chain.tables import final_reversals
from mizheng.notary.database import reading, writing
from mizheng.verifier.evm.event import ANCHORED_TOPIC
from sqlalchemy import select, update

from tests.notary.chain.support import Clock, Crash, Place, make_node_place
from tests.support.anvil import Anvil
from tests.support.rpcproxy import RpcProxy


@dataclass
class Found:
    """What the auditor counted."""

    anchors: int = 0
    false_final: int = 0
    lost: int = 0
    double: int = 0
    wasted: int = 0
    """Transactions in the chain that anchored nothing: paid for, and harmless."""


@dataclass
class World:
    """One notary, its node, and how both are treated."""

    node: Anvil
    place: Place
    proxy: RpcProxy
    random: random.Random
    anchorer: Anchorer
    elapsed: Clock
    confirmations: int | None
    """Of the profile's rule; None: the node's finalized block."""
    found: Found = field(default_factory=Found)
    was_final: dict[int, bytes] = field(default_factory=dict)
    waited_for: Counter[str | None] = field(default_factory=Counter)
    crashes: int = 0

    def step(self, *, mine: int = 1) -> bool:
        """One step of the anchorer, with the auditor looking after it; if it had nothing to do, so many new
        blocks.
        """
        try:
            done = self.anchorer.step()
        except Crash:
            self.crashes += 1
            self.restart()
            done = True
        self.waited_for[self.anchorer.waiting_for] += 1
        self.audit()
        if not done:
            self.tick(3)
            if mine and self.node.running:
                self.node.mine(mine)
        return done

    def run(self, until: Callable[[], bool], *, steps: int = 400, mine: int = 1) -> None:
        for _ in range(steps):
            if until():
                return
            self.step(mine=mine)
        raise AssertionError(
            f"not reached in {steps} steps; waits for {self.anchorer.waiting_for}; "
            f"{[(row.tree_size, row.nonce, row.state, row.last_error) for row in self.place.rows()]}"
        )

    def steps(self, count: int, *, mine: int = 1) -> None:
        for _ in range(count):
            self.step(mine=mine)

    def state(self) -> str | None:
        """Of the newest item."""
        rows = self.place.rows()
        return rows[-1].state if rows else None

    def reach(self, state: str) -> None:
        """Grow the log and go on until the newest item is in that state."""
        # One at a time: what is under way goes first.
        self.run(lambda: not any(row.state in ("prepared", "sent") for row in self.place.rows()))
        self.place.log.grow(1 + self.random.randrange(5))
        size = self.place.log.head()[0]
        self.run(
            lambda: any(row.tree_size == size and row.state == state for row in self.place.rows()),
            mine=int(state in ("mined", "final")),
        )

    def steal(self, nonce: int, fees: Fees | None = None) -> bytes:
        """Somebody else who has the key uses this nonce, for nothing; the transaction's hash."""
        publisher = self.place.publisher
        stolen = publisher.sign(
            to=bytes(19) + b"\x07",
            data=b"",
            gas=30_000,
            nonce=nonce,
            chain_id=self.node.chain_id,
            fees=fees or Fees(10**12, 10**11),
        )
        self.node.rpc("eth_sendRawTransaction", "0x" + stolen.raw.hex())
        return stolen.hash

    def restart(self, chain: Chain | None = None, **options: Any) -> None:
        """A new process, which knows what the database says."""
        self.anchorer = self.place.anchorer(chain, elapsed=self.elapsed, **options)

    def tick(self, seconds: float) -> None:
        """Time goes by: on the wall, and on the clock that nobody can set."""
        self.place.clock.tick(seconds)
        self.elapsed.tick(seconds)

    def audit(self) -> None:
        """Hold what is called final against what the node says, asked directly."""
        if not self.node.running:
            return
        finals = [row for row in self.place.rows() if row.state == "final"]
        fresh = [row for row in finals if self.was_final.get(row.id) != row.block_hash]
        if not fresh:
            return
        top = self.node.block_number("latest" if self.confirmations is not None else "finalized")
        top -= self.confirmations or 0
        for row in fresh:
            block = self.node.rpc("eth_getBlockByNumber", hex(row.block_number), False)
            is_there = block is not None and block["hash"] == "0x" + row.block_hash.hex()
            self.found.false_final += not is_there or row.block_number > top
            self.place.check(row.evidence_final)
            self.was_final[row.id] = row.block_hash

    def settle(self) -> Found:
        """Let everything come to its end without faults, then count."""
        self.proxy.rule = lambda _method, _params: None
        self.restart()
        self.node.start()
        self.node.rpc("evm_setAutomine", False)
        self.tick(200)
        self.place.log.grow()
        size = self.place.log.head()[0]
        # Where many blocks make one final, several at a time.
        blocks = 1 + (self.confirmations or 0) // 4
        self.run(
            lambda: any(row.tree_size == size and row.state == "final" for row in self.place.rows()),
            steps=1500,
            mine=blocks,
        )
        self.run(
            lambda: all(row.state in ("final", "failed") for row in self.place.rows()),
            steps=1500,
            mine=blocks,
        )
        return self.count()

    def count(self) -> Found:
        """Events and calls in the chain as it is now, and every head that was ever final."""
        found, where = self.found, self.place.deployment
        rows = self.place.rows()
        finals = {row.tree_size for row in rows if row.state == "final"}
        found.anchors = len(finals)
        kept = {(row.anchor_id, row.block_hash) for row in self.reversals()}
        for row in rows:
            block = self.was_final.get(row.id)
            if block is not None and row.state != "final" and (row.id, block) not in kept:
                found.lost += 1
        calls, events = self._history("0x" + where.contract.hex())
        found.double += sum(times - 1 for times in (calls + Counter()).values() if times > 1)
        found.double += sum(times - 1 for times in events.values() if times > 1)
        found.lost += sum(size not in events for size in finals)
        return found

    def reversals(self) -> list[Any]:
        with reading(self.place.engine) as connection:
            return list(connection.execute(select(final_reversals)))

    def acknowledge(self) -> None:
        with writing(self.place.engine) as connection:
            connection.execute(update(final_reversals).values(acknowledged_at=1))

    def _history(self, contract: str) -> tuple[Counter[int], Counter[int]]:
        """Successful calls and events for each size, from every block and receipt of the chain."""
        calls: Counter[int] = Counter()
        events: Counter[int] = Counter()
        self.found.wasted = 0
        for number in range(self.node.block_number() + 1):
            block = self.node.rpc("eth_getBlockByNumber", hex(number), True)
            for transaction in block["transactions"]:
                data = bytes.fromhex(transaction["input"][2:])
                if transaction["to"] != contract or data[:4] != _ANCHOR:
                    continue
                receipt = self.node.rpc("eth_getTransactionReceipt", transaction["hash"])
                logs = [log for log in receipt["logs"] if log["topics"][0] == "0x" + ANCHORED_TOPIC.hex()]
                for log in logs:
                    events[int(log["topics"][2], 16)] += 1
                if receipt["status"] == "0x1":
                    calls[int.from_bytes(data[36:68], "big")] += 1
                self.found.wasted += not logs
        return calls, events


def make_world(
    folder: Path,
    node: Anvil,
    proxy: RpcProxy,
    chooser: random.Random,
    rule: str = "confirmations:2",
    database_url: str | None = None,
    **fees: Any,
) -> World:
    """A notary that reaches its node through the proxy; blocks are made when the test says so."""
    place = make_node_place(folder, node, size=3, database_url=database_url)
    node.rpc("evm_setAutomine", False)
    fee_rule = FeeRule(**{"replace_after": 30, "stalled_after": 600, **fees})
    profile = replace(place.chain.profile, rpc=(proxy.url,), finality=parse_finality(rule), fee_rule=fee_rule)
    place.chain = NodeChain(profile)
    node.mine(3)
    confirmations = parse_finality(rule).confirmations
    elapsed = Clock(0)
    anchorer = place.anchorer(elapsed=elapsed)
    return World(node, place, proxy, chooser, anchorer, elapsed, confirmations)
