"""The outbox by itself: what is tried when, given up when, found again after a crash. Nothing runs here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.companies.organisations import add_organisation
from mizheng.notary.config import load_settings
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.guard import writing_log
from mizheng.notary.models import company_keys, deposits
from mizheng.notary.webhooks import noticing
from mizheng.notary.webhooks.hooks import add_webhook, find_webhook, load_sizes, resume_webhook
from mizheng.notary.webhooks.noticing import notice, record
from mizheng.notary.webhooks.outbox import (
    KEPT_SECONDS,
    MAX_ATTEMPTS,
    PAUSES,
    TESTS_AT_ONCE,
    Attempt,
    choose_messages,
    choose_webhooks,
    forget_old,
    list_deliveries,
    put_test,
    record_attempts,
    send_again,
)
from sqlalchemy import Row, insert
from sqlalchemy.exc import IntegrityError

from tests.support.notary import make_uscc

NOW = 1_800_000_000


@pytest.fixture
def instance(tmp_path: Path, database_url: str) -> Iterator[Instance]:
    opened = open_instance(
        load_settings({"MIZHENG_DATA_DIR": str(tmp_path / "data"), "MIZHENG_DATABASE_URL": database_url})
    )
    yield opened
    opened.engine.dispose()


@pytest.fixture
def organisation(instance: Instance) -> int:
    made, _ = add_organisation(instance.engine, "试验有限公司", "CN-USCC", make_uscc(1))
    return made.number


@pytest.fixture
def hook(instance: Instance, organisation: int) -> Row[Any]:
    with writing(instance.engine) as connection:
        return add_webhook(connection, organisation, "https://plm.example.com/", [], NOW)


def deposit(instance: Instance, organisation: int, count: int) -> None:
    """Entries of the log with rows of deposits, whose envelopes nothing here reads."""
    with writing_log(instance.engine, instance.guard) as turn:
        entries = [NewEntry(os.urandom(32), "deposit") for _ in range(count + 1)]
        first = turn.head.tree_size
        turn.head = append(turn.connection, instance.signer, turn.head, entries).head
        keyid = os.urandom(32).hex()
        if first == 0:
            key = {"keyid": keyid, "organisation_id": organisation, "public_key": b"", "enrolment_index": 0}
            turn.connection.execute(insert(company_keys), key)
        else:
            keyid = turn.connection.execute(company_keys.select()).one().keyid
        rows = [
            {
                "leaf_index": first + 1 + number,
                "organisation_id": organisation,
                "keyid": keyid,
                "envelope": b"",
                "received_at": NOW,
            }
            for number in range(count)
        ]
        turn.connection.execute(insert(deposits), rows)


def look(instance: Instance) -> bool:
    """One step of noticing; whether there was all that there is."""
    with reading(instance.engine) as connection:
        found = notice(connection, load_sizes(connection))
    with writing(instance.engine) as connection:
        record(connection, found, NOW)
    return all(one.is_all for one in found)


def rows(instance: Instance, hook: Row[Any], state: str | None = None) -> list[Row[Any]]:
    with reading(instance.engine) as connection:
        return list(list_deliveries(connection, hook.id, state, None, 10_000))[::-1]


def attempt(instance: Instance, hook: Row[Any], outcome: str, now: int) -> None:
    """Try what is due now, as the keeper does, with this outcome for the first message."""
    with writing(instance.engine) as connection:
        message = choose_messages(connection, hook.id, now)[0]
        record_attempts(connection, hook.id, [Attempt(message, outcome, now)])


def is_due(instance: Instance, now: int) -> bool:
    with reading(instance.engine) as connection:
        return bool(choose_webhooks(connection, [], now))


def put(instance: Instance, hook: Row[Any]) -> None:
    with writing(instance.engine) as connection:
        put_test(connection, hook, NOW)


def test_what_fails_is_tried_for_two_days_and_then_given_up(instance: Instance, hook: Row[Any]) -> None:
    put(instance, hook)
    put(instance, hook)
    now = NOW
    for pause in PAUSES:
        attempt(instance, hook, "unreachable", now)
        assert not is_due(instance, now + pause - 1)
        assert is_due(instance, now + pause)
        now += pause
    attempt(instance, hook, "unreachable", now)
    assert [(row.state, row.attempts) for row in rows(instance, hook)] == [
        ("dead", MAX_ATTEMPTS),
        ("waiting", 0),
    ]
    # Nothing more is sent, however long it is waited for, until somebody says so.
    assert not is_due(instance, now + 10**9)
    with writing(instance.engine) as connection:
        assert find_webhook(connection, None, hook.name).state == "dead"
        resume_webhook(connection, None, hook.name)
    assert is_due(instance, now)


def test_a_message_that_is_not_taken_holds_up_no_other(instance: Instance, hook: Row[Any]) -> None:
    put(instance, hook)
    put(instance, hook)
    attempt(instance, hook, "http-400", NOW)
    attempt(instance, hook, "delivered", NOW)
    assert [row.state for row in rows(instance, hook)] == ["waiting", "delivered"]


def test_a_success_makes_the_next_pause_short_again(instance: Instance, hook: Row[Any]) -> None:
    for outcome in ("slow", "slow", "slow", "delivered", "slow"):
        put(instance, hook)
        attempt(instance, hook, outcome, NOW + 10**6)
        with writing(instance.engine) as connection:
            connection.execute(
                noticing.webhooks.update().values(rest_until=0)
                if outcome != "slow"
                else noticing.webhooks.update().values(last_outcome=outcome)
            )
            connection.execute(noticing.webhook_deliveries.update().values(next_at=0))
    with reading(instance.engine) as connection:
        found = find_webhook(connection, None, hook.name)
    assert (found.failures, found.rest_until - NOW - 10**6) == (1, PAUSES[0])


def test_noticed_twice_it_is_told_once(instance: Instance, organisation: int, hook: Row[Any]) -> None:
    """Two processes at the same moment, for once two leases were held: the second one's step fails."""
    deposit(instance, organisation, 3)
    with reading(instance.engine) as connection:
        first, second = (notice(connection, load_sizes(connection)) for _ in range(2))
    with writing(instance.engine) as connection:
        record(connection, first, NOW)
    with pytest.raises(IntegrityError), writing(instance.engine) as connection:
        record(connection, second, NOW)
    assert [row.leaf_index for row in rows(instance, hook)] == [1, 2, 3]
    assert look(instance)
    assert len(rows(instance, hook)) == 3


def test_what_was_found_before_a_crash_is_found_again(
    instance: Instance, organisation: int, hook: Row[Any]
) -> None:
    deposit(instance, organisation, 3)
    with pytest.raises(KeyboardInterrupt), writing(instance.engine) as connection:
        record(connection, notice(connection, load_sizes(connection)), NOW)
        raise KeyboardInterrupt
    assert rows(instance, hook) == []
    look(instance)
    assert len(rows(instance, hook)) == 3


def test_the_outbox_is_bounded_and_nothing_is_lost(
    instance: Instance, organisation: int, hook: Row[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noticing, "MAX_WAITING", 20)
    monkeypatch.setattr(noticing, "_AT_ONCE", 8)
    deposit(instance, organisation, 50)
    for _ in range(10):
        look(instance)
    assert len(rows(instance, hook)) == 20
    while waiting := rows(instance, hook, "waiting"):
        for _ in waiting:
            attempt(instance, hook, "delivered", NOW)
        look(instance)
    assert [row.leaf_index for row in rows(instance, hook)] == list(range(1, 51))


def test_what_was_there_before_the_webhook_is_not_told(instance: Instance, organisation: int) -> None:
    deposit(instance, organisation, 2)
    with writing(instance.engine) as connection:
        late = add_webhook(connection, organisation, "https://plm.example.com/", [], NOW)
    look(instance)
    assert rows(instance, late) == []


def test_settled_messages_are_forgotten_after_a_month(instance: Instance, hook: Row[Any]) -> None:
    put(instance, hook)
    put(instance, hook)
    attempt(instance, hook, "delivered", NOW)
    with writing(instance.engine) as connection:
        forget_old(connection, NOW + KEPT_SECONDS + 1)
    assert [row.state for row in rows(instance, hook)] == ["waiting"]


@pytest.mark.parametrize("later", [0, 3600], ids=["in one minute", "that all wait"])
def test_tests_are_not_asked_for_without_end(instance: Instance, hook: Row[Any], later: int) -> None:
    with writing(instance.engine) as connection:
        for number in range(TESTS_AT_ONCE):
            put_test(connection, hook, NOW + number * later)
        with pytest.raises(Problem) as caught:
            put_test(connection, hook, NOW + TESTS_AT_ONCE * later)
    assert caught.value.code == "quota-minute"


@pytest.mark.parametrize("name", ["", "\0", "wh_" + "\0" * 24, "wh_" + "a" * 23, "中"])
def test_a_name_that_is_none(instance: Instance, name: str) -> None:
    """No text of PostgreSQL holds NUL: asked for, it would be a fault of the database."""
    with reading(instance.engine) as connection, pytest.raises(Problem) as caught:
        find_webhook(connection, None, name)
    assert caught.value.code == "webhook-unknown"


@pytest.mark.parametrize("message", ["\0", "msg_" + "\0" * 32])
def test_a_message_that_is_none(instance: Instance, hook: Row[Any], message: str) -> None:
    with writing(instance.engine) as connection, pytest.raises(Problem) as caught:
        send_again(connection, hook.id, message)
    assert caught.value.code == "delivery-unknown"
