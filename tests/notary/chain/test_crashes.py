"""The outbox under crashes and rivals: nothing is lost, nothing is anchored twice."""

from __future__ import annotations

from typing import Any

import pytest
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.interface import UnreachableError
from mizheng.notary.chain.outbox import Outbox
from mizheng.notary.chain.tables import anchor_transactions, anchors
from mizheng.notary.database import writing
from sqlalchemy import update

from tests.notary.chain.support import (
    Crash,
    MemoryLog,
    Place,
    Through,
    anchor_all,
    contract_head,
    is_final,
    run,
    states,
)

CHANGES = ("prepare", "mark_sent", "mark_mined", "mark_final")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("old_size", [0, 3])
def test_a_crash_at_every_write_of_the_outbox(
    place: Place, monkeypatch: pytest.MonkeyPatch, old_size: int, change: str, when: str
) -> None:
    grown = place.log
    if old_size:
        place.log = MemoryLog(old_size)
        anchor_all(place)
        place.log = grown
    crash_once(monkeypatch, Outbox, change, when)
    with pytest.raises(Crash):
        run(place.anchorer(), place.clock, lambda: is_final(place, 5))
    anchor_all(place)
    (row,) = (row for row in place.live() if row.tree_size == 5)
    place.check(row.evidence_final)
    assert contract_head(place)[0] == 5
    assert "failed" not in states(place)
    # Bringing the contract up took two transactions; each head took one more and not two.
    assert place.chain.nonce(place.publisher.address) == 3 + bool(old_size)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["send_raw", "find", "block_receipts", "final"])
def test_a_crash_at_every_call_of_the_chain(place: Place, method: str, when: str) -> None:
    armed = [True]
    real = getattr(place.chain, method)

    def crash(*args: Any, **options: Any) -> Any:
        if when == "after":
            result = real(*args, **options)
        if armed.pop() if armed else False:
            raise Crash
        return result if when == "after" else real(*args, **options)

    with pytest.raises(Crash):
        run(
            place.anchorer(Through(place.chain, **{method: crash})),
            place.clock,
            lambda: is_final(place, 5),
        )
    anchor_all(place)
    assert states(place) == ["final"]
    assert place.chain.nonce(place.publisher.address) == 3


def crash_once(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, when: str) -> None:
    real = getattr(owner, method)

    def crash(*args: Any, **options: Any) -> None:
        monkeypatch.setattr(owner, method, real)
        if when == "after":
            real(*args, **options)
        raise Crash

    monkeypatch.setattr(owner, method, crash)


def test_a_lost_answer_is_found_by_the_hash(place: Place) -> None:
    lost = [0]

    def lose(transaction: bytes) -> None:
        place.chain.send_raw(transaction)
        lost[0] += 1
        raise UnreachableError("the answer is lost")

    anchorer = place.anchorer(Through(place.chain, send_raw=lose))
    run(anchorer, place.clock, lambda: is_final(place, 5))
    assert lost[0] == 1
    assert states(place) == ["final"]


def test_what_was_signed_before_its_beginning_was_kept_is_sent(place: Place) -> None:
    """A row of an earlier schema: nothing is known but its bytes, and they are signed to the same again."""
    anchor_all(place)
    place.log.grow()
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: len(place.rows()) == 2)
    with writing(place.engine) as connection:
        connection.execute(
            update(anchor_transactions).values(old_size=0, gas_limit=0, max_fee=0, max_priority_fee=0)
        )
    anchor_all(place)
    assert states(place) == ["final", "final"]
    place.check(place.rows()[1].evidence_final)


def test_a_transaction_that_the_node_forgot_is_sent_again(place: Place) -> None:
    sent = []

    def swallow(transaction: bytes) -> None:
        sent.append(transaction)
        if len(sent) > 2:
            place.chain.send_raw(transaction)

    anchorer = place.anchorer(Through(place.chain, send_raw=swallow))
    run(anchorer, place.clock, lambda: is_final(place, 5), steps=100)
    assert len(sent) == 3
    assert len(set(sent)) == 1


def test_a_transaction_that_was_given_up_too_early_is_adopted(place: Place) -> None:
    anchor_all(place)
    with writing(place.engine) as connection:
        connection.execute(
            update(anchors).values(
                state="failed", evidence=None, evidence_final=None, block_number=None, block_hash=None
            )
        )
    anchor_all(place)
    (row,) = place.rows()
    assert row.state == "final"
    place.check(row.evidence_final)


def test_a_nonce_that_somebody_else_used(place: Place) -> None:
    anchorer = place.anchorer()
    while not place.rows():
        anchorer.step()
    (row,) = place.rows()
    other = place.publisher.sign(
        to=bytes(20),
        data=b"",
        gas=21_000,
        nonce=row.nonce,
        chain_id=place.chain.profile.chain_id,
        fees=place.chain.fees(),
    )
    place.chain.send_raw(other.raw)
    place.clock.tick()
    anchor_all(place)
    assert states(place) == ["failed", "final"]
    assert place.rows()[0].last_error == "nonce-used"


def test_a_head_that_is_there_already_gives_no_event_and_is_not_waited_for(place: Place) -> None:
    """Two anchorers that do not know of each other, as after a database was restored."""
    anchorer = place.anchorer()
    while not place.rows():
        anchorer.step()
    size, root, _ = place.log.head()
    first = place.publisher.sign(
        to=place.deployment.contract,
        data=calls.anchor_data(place.deployment.log_id, size, root, []),
        gas=120_000,
        nonce=place.rows()[0].nonce,
        chain_id=place.chain.profile.chain_id,
        fees=place.chain.fees(),
    )
    later = place.publisher.sign(
        to=place.deployment.contract,
        data=calls.anchor_data(place.deployment.log_id, size, root, []),
        gas=120_001,
        nonce=first.nonce + 1,
        chain_id=place.chain.profile.chain_id,
        fees=place.chain.fees(),
    )
    with writing(place.engine) as connection:
        for table in (anchors, anchor_transactions):
            connection.execute(
                update(table).values(
                    nonce=later.nonce, raw_transaction=later.raw, transaction_hash=later.hash
                )
            )
    place.chain.send_raw(first.raw)
    place.chain.send_raw(later.raw)
    place.clock.tick()
    anchorer = place.anchorer()
    for _ in range(20):
        anchorer.step()
        place.clock.tick()
    assert [(row.state, row.last_error) for row in place.rows()] == [("failed", "no-event")]
    place.log.grow()
    anchor_all(place)


def test_two_anchorers_on_one_database_anchor_once(place: Place) -> None:
    pair = [place.anchorer(), place.anchorer()]
    for growth in (0, 3, 4):
        place.log.grow(growth)
        size = place.log.head()[0]
        for turn in range(60):
            if not pair[turn % 2].step():
                place.clock.tick(0.5)
            if is_final(place, size):
                break
    assert states(place) == ["final"] * 3
    assert place.chain.nonce(place.publisher.address) == 5


def test_two_that_prepare_at_the_same_moment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one's insert fails on the index; it looks again and finds the first one's."""
    second = place.anchorer()
    real = place.log.keep_checkpoint

    def overtake(size: int) -> None:
        monkeypatch.setattr(place.log, "keep_checkpoint", real)
        while not place.rows():
            second.step()
        real(size)

    monkeypatch.setattr(place.log, "keep_checkpoint", overtake)
    anchor_all(place)
    assert states(place) == ["final"]
