"""What is still to be told, as rows: put there, chosen, tried, given up, tried again.

A delivery waits until a receiver has answered 2xx. Where the address fails, the whole webhook rests, longer
each time; what comes meanwhile waits behind. Where only one message is not taken (most answers 4xx), that one
waits and the others go on. A message is `dead` after MAX_ATTEMPTS, and with it, if it was the address that
failed, the webhook: from then on nothing is sent until the company resumes it, and nothing is lost but what
was dead.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.errors import Problem
from mizheng.notary.models import organisations
from mizheng.notary.webhooks.hooks import ACTIVE, DEAD, TEST
from mizheng.notary.webhooks.posting import DELIVERED, GONE, is_fault_of_message
from mizheng.notary.webhooks.tables import webhook_deliveries, webhooks
from mizheng.verifier.canonical import format_instant
from sqlalchemy import Connection, Row, delete, func, insert, select, update

WAITING = "waiting"
_MESSAGE_ID = re.compile("msg_[0-9a-f]{32}")
# Seconds before each further attempt: a restart, an outage, a night, a weekend.
PAUSES = (5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400)
MAX_ATTEMPTS = len(PAUSES) + 1
# Long enough to look into what went wrong; the truth stands in the log and not here.
KEPT_SECONDS = 30 * 86_400
# Whoever sets a receiver up tries it a few times: so many in a minute, and so many that wait.
TESTS_AT_ONCE = 10
# How many messages are sent one after the other before another webhook's turn.
RUN = 50


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery on its way."""

    number: int
    message_id: str
    body: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one."""

    message: Message
    outcome: str
    at: int


def put_message(
    connection: Connection, webhook_id: int, event: str, leaf_index: int | None, data: object, now: int
) -> int:
    """Add one to the outbox, within `writing`; its number."""
    last = update(webhooks).where(webhooks.c.id == webhook_id).values(last_number=webhooks.c.last_number + 1)
    number = connection.execute(last.returning(webhooks.c.last_number)).scalar_one()
    document = {"type": event, "timestamp": format_instant(now), "data": data}
    connection.execute(
        insert(webhook_deliveries),
        {
            "webhook_id": webhook_id,
            "number": number,
            "message_id": "msg_" + secrets.token_hex(16),
            "event": event,
            "leaf_index": leaf_index,
            "body": json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(),
            "state": WAITING,
            "created_at": now,
            "attempts": 0,
            "next_at": 0,
        },
    )
    return int(number)


def put_test(connection: Connection, webhook: Row[Any], now: int) -> int:
    """A message that only shows that messages arrive; Problem `quota-minute` for too many of them."""
    table = webhook_deliveries
    mine = (table.c.webhook_id == webhook.id, table.c.event == TEST)
    # Nothing else bounds them: asked for one after the other, they would fill a silent receiver's outbox.
    for some in (table.c.created_at > now - 60, table.c.state == WAITING):
        found = connection.execute(select(func.count()).select_from(table).where(*mine, some)).scalar()
        if (found or 0) >= TESTS_AT_ONCE:
            raise Problem("quota-minute", retry_after=60)
    return put_message(connection, webhook.id, TEST, None, {"webhook": webhook.name}, now)


def choose_webhooks(connection: Connection, busy: Sequence[int], now: int) -> Sequence[Row[Any]]:
    """Webhooks that have something to send now and are not at it; who waited longest first."""
    due = select(webhook_deliveries.c.webhook_id).where(
        webhook_deliveries.c.webhook_id == webhooks.c.id,
        webhook_deliveries.c.state == WAITING,
        webhook_deliveries.c.next_at <= now,
    )
    query = (
        select(webhooks)
        .select_from(webhooks.join(organisations))
        .where(
            webhooks.c.state == ACTIVE,
            webhooks.c.rest_until <= now,
            webhooks.c.id.not_in(busy),
            organisations.c.disabled_at.is_(None),
            due.exists(),
        )
    )
    return connection.execute(query.order_by(webhooks.c.rest_until, webhooks.c.id)).all()


def choose_messages(connection: Connection, webhook_id: int, now: int) -> list[Message]:
    """The next ones of a webhook, in their order."""
    table = webhook_deliveries
    query = (
        select(table.c.number, table.c.message_id, table.c.body, table.c.attempts)
        .where(table.c.webhook_id == webhook_id, table.c.state == WAITING, table.c.next_at <= now)
        .order_by(table.c.number)
        .limit(RUN)
    )
    return [Message(*row) for row in connection.execute(query)]


def record_attempts(connection: Connection, webhook_id: int, attempts: Sequence[Attempt]) -> None:
    """Write down what came of attempts, in their order; within `writing`. A webhook that was removed
    meanwhile has no rows left, and nothing is written.
    """
    failures = connection.execute(
        select(webhooks.c.failures).where(webhooks.c.id == webhook_id).with_for_update()
    ).scalar()
    if failures is None:
        return
    changes: dict[str, Any] = {}
    for attempt in attempts:
        state, next_at = WAITING, 0
        tried = attempt.message.attempts + 1
        changes["last_outcome"] = attempt.outcome
        if attempt.outcome == DELIVERED:
            state, failures = DELIVERED, 0
            changes |= {"last_success_at": attempt.at, "rest_until": attempt.at}
        else:
            state = DEAD if tried >= MAX_ATTEMPTS else WAITING
            next_at = attempt.at + PAUSES[min(tried, len(PAUSES)) - 1]
            if not is_fault_of_message(attempt.outcome):
                failures += 1
                changes["rest_until"] = attempt.at + PAUSES[min(failures, len(PAUSES)) - 1]
                # The message need not wait for longer than its webhook.
                next_at = changes["rest_until"]
                if state == DEAD or attempt.outcome == GONE:
                    changes["state"] = DEAD
        connection.execute(
            update(webhook_deliveries)
            .where(
                webhook_deliveries.c.webhook_id == webhook_id,
                webhook_deliveries.c.number == attempt.message.number,
            )
            .values(
                state=state,
                attempts=tried,
                next_at=next_at,
                attempted_at=attempt.at,
                outcome=attempt.outcome,
            )
        )
    connection.execute(
        update(webhooks).where(webhooks.c.id == webhook_id).values(failures=failures, **changes)
    )


def list_deliveries(
    connection: Connection, webhook_id: int, state: str | None, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """The newest first, without their bodies; those numbered below `before`."""
    table = webhook_deliveries
    query = select(*(column for column in table.c if column.name != "body")).where(
        table.c.webhook_id == webhook_id
    )
    if state is not None:
        query = query.where(table.c.state == state)
    if before is not None:
        query = query.where(table.c.number < before)
    return connection.execute(query.order_by(table.c.number.desc()).limit(limit)).all()


def send_again(connection: Connection, webhook_id: int, message_id: str) -> Row[Any]:
    """Have a message sent once more, whatever became of it; Problem `delivery-unknown` if there is none."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise Problem("delivery-unknown")
    table = webhook_deliveries
    mine = (table.c.webhook_id == webhook_id, table.c.message_id == message_id)
    changed = connection.execute(update(table).where(*mine).values(state=WAITING, attempts=0, next_at=0))
    if not changed.rowcount:
        raise Problem("delivery-unknown")
    return connection.execute(select(table).where(*mine)).one()


def count_waiting(connection: Connection) -> int:
    """How many messages wait, of all webhooks; for the operator's figures."""
    query = select(func.count()).select_from(webhook_deliveries).where(webhook_deliveries.c.state == WAITING)
    return connection.execute(query).scalar() or 0


def count_webhooks(connection: Connection) -> dict[str, int]:
    """How many webhooks there are, by state."""
    query = select(webhooks.c.state, func.count().label("number")).group_by(webhooks.c.state)
    return {ACTIVE: 0, DEAD: 0, **{row.state: row.number for row in connection.execute(query)}}


def forget_old(connection: Connection, now: int) -> None:
    """Let go of what is settled for long; what waits stays."""
    connection.execute(
        delete(webhook_deliveries).where(
            webhook_deliveries.c.state != WAITING, webhook_deliveries.c.created_at < now - KEPT_SECONDS
        )
    )
