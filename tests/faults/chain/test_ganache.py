"""Fault 6 on a node that keeps the rules: a replacement has to offer a tenth more, on both fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.chain import fees as fee_module
from mizheng.notary.chain.feerule import FeeRule
from mizheng.notary.chain.node import NodeChain
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner

from tests.notary.chain.support import Place, contract_head, make_node_place, run
from tests.support.ganache import Ganache


@pytest.fixture(scope="module")
def ganache() -> Iterator[Ganache]:
    with Ganache() as node:
        yield node


_accounts: list[str] = []


def fresh_key(ganache: Ganache) -> str:
    """The key of an account that no other test has used."""
    if not _accounts:
        _accounts.extend(ganache.keys)
    return _accounts.pop()


@pytest.fixture(params=["dynamic", "legacy"])
def place(ganache: Ganache, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    ganache.rpc("miner_start")
    # An account of its own for each test: the chain is one for all, and so is the log of an account.
    key = fresh_key(ganache)
    found = make_node_place(tmp_path, ganache, publisher=Publisher(KeyFileSigner(bytes.fromhex(key[2:]))))
    ganache.rpc("miner_stop")
    rule = FeeRule(kind=request.param, replace_after=20)
    found.chain = NodeChain(replace(found.chain.profile, fee_rule=rule))
    yield found
    found.engine.dispose()


def test_what_is_stuck_is_replaced_until_it_is_mined(ganache: Ganache, place: Place) -> None:
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: len(place.attempts()) == 4, steps=200)
    run(anchorer, place.clock, lambda: place.rows()[0].state == "sent")
    attempts = place.attempts()
    assert {row.nonce for row in attempts} == {attempts[0].nonce}
    # The pool holds the newest and none of the others: it took every replacement.
    found = [place.chain.find(row.transaction_hash) is not None for row in attempts]
    assert found == [False, False, False, True]
    ganache.mine()
    run(anchorer, place.clock, lambda: place.rows()[0].state == "final")
    assert place.rows()[0].transaction_hash == attempts[-1].transaction_hash
    assert contract_head(place) == place.log.head()[:2]
    place.check(place.rows()[0].evidence_final)
    mined = place.attempts()[-1]
    assert mined.gas_used > 50_000
    assert mined.gas_price <= mined.max_fee


def test_a_replacement_that_is_too_cheap_is_refused_and_made_dearer(
    ganache: Ganache, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a rule of our own that is too mean, the node says so, and the next one offers more."""
    real, mean = fee_module._more, [3]

    def more(fee: int) -> int:
        mean[0] -= 1
        return fee + 1 if mean[0] > 0 else real(fee)

    monkeypatch.setattr(fee_module, "_more", more)
    anchorer = place.anchorer()
    seen: set[Any] = set()

    def is_replaced() -> bool:
        seen.add(anchorer.waiting_for)
        last = place.attempts()[-1:]
        return len(place.attempts()) > 2 and place.chain.find(last[0].transaction_hash) is not None

    run(anchorer, place.clock, is_replaced, steps=300)
    assert seen & {"fee-too-low", "replacement-underpriced"}
    ganache.mine()
    run(anchorer, place.clock, lambda: place.rows()[0].state == "final")


def test_an_earlier_one_that_is_mined_after_all_is_found(ganache: Ganache, place: Place) -> None:
    """The node took the first, and never heard of the second: a block has the first."""
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: bool(place.rows()) and place.rows()[0].state == "sent")
    chain, deaf = place.chain, []

    class Deaf:
        def __getattr__(self, name: str) -> Any:
            return getattr(chain, name)

        def send_raw(self, transaction: bytes) -> None:
            deaf.append(transaction)

    anchorer = place.anchorer(Deaf())
    run(anchorer, place.clock, lambda: len(deaf) >= 1 and len(place.attempts()) == 2, steps=200)
    ganache.mine()
    run(anchorer, place.clock, lambda: place.rows()[0].state == "final")
    first, second = place.attempts()
    assert place.rows()[0].transaction_hash == first.transaction_hash
    assert first.gas_used
    assert second.gas_used is None
