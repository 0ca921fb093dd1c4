"""The outbox on the embedded chain: the straight way, every crash, and everything that may hold it up."""

from __future__ import annotations

from typing import Any

import pytest
from mizheng.notary.chain.covering import read_waiting_for
from mizheng.notary.chain.interface import Identity, RejectedError, UnreachableError
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.notary.chain.tables import anchor_transactions, anchors, beacon_blocks
from mizheng.notary.database import reading, writing
from sqlalchemy import delete, select

from tests.notary.chain.support import (
    START,
    MemoryLog,
    Place,
    Through,
    anchor_all,
    contract_head,
    is_final,
    rest,
    run,
    states,
)


def waiting_for(place: Place, leaf_index: int) -> str | None:
    with reading(place.engine) as connection:
        return read_waiting_for(connection, place.chain.profile, leaf_index)


def test_a_head_goes_through_all_states_and_its_evidence_checks(place: Place) -> None:
    anchorer = place.anchorer()
    seen = [waiting_for(place, 0)]
    while not is_final(place, 5):
        anchorer.step()
        place.clock.tick(0.5)
        if (place.live() and place.live()[0].state) != seen[-1]:
            seen.append(place.live()[0].state if place.live() else None)
    assert seen[0] == "anchor-interval"
    assert [state for state in seen[1:] if state] == ["prepared", "sent", "mined", "final"]
    (row,) = place.rows()
    for evidence in (row.evidence, row.evidence_final):
        found = place.check(evidence)
        assert found.receipt is not None
        assert found.storage is not None
        assert found.tree_size == 5
    assert row.checkpoint_note == b"note 5"
    assert place.log.kept == [5]
    assert waiting_for(place, 4) is None
    assert waiting_for(place, 5) == "anchor-interval"


def test_heads_follow_each_other(place: Place) -> None:
    for growth in (0, 1, 2, 9, 64):
        place.log.grow(growth)
        anchor_all(place)
    assert [row.tree_size for row in place.live()] == [5, 6, 8, 17, 81]
    assert contract_head(place) == place.log.head()[:2]
    for row in place.live():
        place.check(row.evidence_final)


def test_nothing_is_sent_for_an_empty_or_unchanged_log(place: Place) -> None:
    empty = place.anchorer(log=MemoryLog(0))
    for _ in range(5):
        empty.step()
        place.clock.tick()
    assert not place.rows()
    anchor_all(place)
    head = place.chain.head().number
    anchorer = place.anchorer()
    for _ in range(5):
        anchorer.step()
        place.clock.tick()
    assert len(place.rows()) == 1
    assert place.chain.head().number == head


def test_the_interval_is_kept(place: Place) -> None:
    anchor_all(place)
    prepared_at = place.rows()[0].prepared_at
    place.log.grow()
    anchorer = place.anchorer(interval=30)
    while len(place.rows()) == 1:
        if not anchorer.step():
            place.clock.tick()
    assert place.rows()[1].prepared_at == prepared_at + 30


def test_an_unreachable_chain_is_said_and_nothing_is_lost(place: Place) -> None:
    down = [True]

    def identity(*args: Any) -> Identity:
        return Identity("unreachable") if down[0] else place.chain.check_identity(*args)

    anchorer = place.anchorer(Through(place.chain, check_identity=identity))
    for _ in range(3):
        assert not anchorer.step()
        place.log.grow()
        place.clock.tick()
    assert anchorer.waiting_for == "unreachable"
    assert waiting_for(place, 0) == "unreachable"
    down[0] = False
    run(anchorer, place.clock, lambda: is_final(place, 8))
    anchorer.step()
    assert anchorer.waiting_for is None
    assert waiting_for(place, 0) is None


@pytest.mark.parametrize("method", ["final", "find", "send_raw", "call", "nonce", "fees", "block_receipts"])
def test_a_chain_that_goes_down_in_the_middle(place: Place, method: str) -> None:
    def fail(*_args: Any, **_options: Any) -> Any:
        raise UnreachableError("down")

    anchorer = place.anchorer(Through(place.chain, **{method: fail}))
    for _ in range(30):
        anchorer.step()
        place.clock.tick()
    assert anchorer.waiting_for == "unreachable"
    anchor_all(place)
    assert states(place) == ["final"]


@pytest.mark.parametrize("state", ["wrong-chain-id", "wrong-genesis", "no-code", "other-code"])
def test_nothing_is_sent_to_another_chain(place: Place, state: Any) -> None:
    anchorer = place.anchorer(Through(place.chain, check_identity=lambda *_: Identity(state)))
    assert rest(anchorer) == state
    assert not place.rows()


def test_the_identity_is_asked_again_after_a_while(place: Place) -> None:
    answers: list[Any] = ["ok", "wrong-genesis"]
    chain = Through(place.chain, check_identity=lambda *_: Identity(answers.pop(0)))
    anchorer = place.anchorer(chain, log=MemoryLog(0))
    assert rest(anchorer) is None
    place.clock.tick(31)
    assert rest(anchorer) == "wrong-genesis"


def test_another_log_under_our_name_is_never_extended(place: Place) -> None:
    anchor_all(place)
    place.log = MemoryLog(9, salt=b"other")
    anchorer = place.anchorer()
    assert rest(anchorer) == "log-forked"
    assert len(place.rows()) == 1


def test_a_log_behind_the_contract_is_said(place: Place) -> None:
    anchor_all(place)
    with writing(place.engine) as connection:
        connection.execute(delete(anchor_transactions))
        connection.execute(delete(anchors))
    place.log = MemoryLog(4)
    anchorer = place.anchorer()
    assert rest(anchorer) == "log-behind-contract"
    # The same head without a row: the next deposit's anchor covers it.
    place.log = MemoryLog(5)
    anchorer = place.anchorer()
    assert rest(anchorer) == "anchor-unknown"
    place.log.grow()
    anchor_all(place)


def test_a_log_that_is_not_open(place: Place) -> None:
    place.deployment = type(place.deployment)(
        place.deployment.contract, place.deployment.code_hash, bytes(32), 0
    )
    anchorer = place.anchorer()
    assert rest(anchorer) == "log-not-open"


def test_a_publisher_who_does_not_hold_the_log(place: Place) -> None:
    place.publisher = Publisher(KeyFileSigner(b"\x01" * 32))
    anchorer = place.anchorer()
    assert rest(anchorer) == "not-publisher"


def test_a_publisher_without_money(place: Place) -> None:
    anchorer = place.anchorer(Through(place.chain, balance=lambda _: 1000))
    assert rest(anchorer) == "insufficient-funds"
    assert not place.rows()


@pytest.mark.parametrize("code", ["insufficient-funds", "rejected"])
def test_a_refusal_is_said_and_tried_again(place: Place, code: str) -> None:
    refusals = [code, code]

    def refuse(transaction: bytes) -> None:
        if refusals:
            raise RejectedError(refusals.pop(), "no")
        place.chain.send_raw(transaction)

    anchorer = place.anchorer(Through(place.chain, send_raw=refuse))
    assert rest(anchorer) == code
    assert waiting_for(place, 0) == code
    run(anchorer, place.clock, lambda: is_final(place, 5))
    assert states(place) == ["final"]


def test_a_fee_that_became_too_low_is_signed_anew(place: Place) -> None:
    raw = []

    def refuse_first(transaction: bytes) -> None:
        raw.append(transaction)
        if transaction == raw[0]:
            raise RejectedError("fee-too-low", "no")
        place.chain.send_raw(transaction)

    real = place.chain.fees
    chain = Through(
        place.chain,
        send_raw=refuse_first,
        fees=lambda: type(real())(real().max_fee + len(raw), real().max_priority_fee),
    )
    run(place.anchorer(chain), place.clock, lambda: is_final(place, 5))
    assert states(place) == ["final"]
    assert len(place.attempts()) > 1
    assert place.chain.nonce(place.publisher.address) == 3


def test_a_fee_that_stays_too_low_is_no_hot_loop(place: Place) -> None:
    def refuse(_transaction: bytes) -> None:
        raise RejectedError("fee-too-low", "no")

    anchorer = place.anchorer(Through(place.chain, send_raw=refuse))
    busy = 0
    for _ in range(100):
        busy += anchorer.step()
        place.clock.tick(0.5)
    assert busy < 10
    assert len(place.rows()) == 1
    anchor_all(place)


def test_final_blocks_are_kept_as_beacons(place: Place) -> None:
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: is_final(place, 5))
    place.clock.tick(400)
    anchorer.step()
    with reading(place.engine) as connection:
        rows = list(connection.execute(select(beacon_blocks).order_by(beacon_blocks.c.number)))
    assert [row.number for row in rows] == [1, 2]
    assert rows[0].seen_at >= START
    for row in rows:
        block = place.chain.block(row.number)
        assert block is not None
        assert (row.hash, row.header) == (block.hash, block.header)
