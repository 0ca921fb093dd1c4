"""Webhooks as they are registered: by a company through the API, or for it by the operator."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.auditing.rows import OPERATOR
from mizheng.notary.certificates.tables import certificates
from mizheng.notary.chain.covering import covered_size
from mizheng.notary.errors import Problem
from mizheng.notary.log.head import load_head
from mizheng.notary.log.keys import load_spans
from mizheng.notary.webhooks.addresses import (
    AddressRefusedError,
    WebhookSetup,
    choose_addresses,
    parse_target,
)
from mizheng.notary.webhooks.signing import make_secret
from mizheng.notary.webhooks.tables import webhook_deliveries, webhooks
from sqlalchemy import Connection, Row, delete, func, insert, select, update

ACTIVE, DEAD = "active", "dead"

# What may be told. A test is told whatever was asked for.
DEPOSITED, ANCHORED, FINAL = "deposit.deposited", "deposit.anchored", "deposit.final"
ISSUED = "certificate.issued"
EVENTS = (DEPOSITED, ANCHORED, FINAL, ISSUED)
TEST = "webhook.test"

# One for each system of a company that has to know; each takes a little of the notary's time.
MAX_WEBHOOKS = 5
_NAME = re.compile("wh_[0-9a-f]{24}")
# Receivers take the new secret over within a day.
OLD_SECRET_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Sizes:
    """How far log, anchors and certificates are at one instant."""

    deposited: int
    anchored: int
    final: int
    issued: int


def load_sizes(connection: Connection) -> Sizes:
    head = load_head(connection).tree_size
    spans = load_spans(connection)
    final = covered_size(connection, ("final",), spans)
    anchored = max(final, covered_size(connection, ("mined",), spans))
    issued = connection.execute(select(func.max(certificates.c.issue_order))).scalar() or 0
    return Sizes(head, min(anchored, head), min(final, head), issued)


def check_url(setup: WebhookSetup, url: str) -> None:
    """Problem if a webhook must not lead there. Asks the resolver: not within a transaction."""
    try:
        choose_addresses(setup, parse_target(url))
    except AddressRefusedError:
        raise Problem("webhook-address-refused") from None


def check_events(events: Sequence[str]) -> tuple[str, ...]:
    """Each once, in our order; none named are all. Problem if there is no such event."""
    if set(events) - set(EVENTS):
        raise Problem("webhook-event-unknown")
    return tuple(event for event in EVENTS if not events or event in events)


def add_webhook(
    connection: Connection,
    organisation_id: int,
    url: str,
    events: Sequence[str],
    now: int,
    *,
    actor: str | None = None,
) -> Row[Any]:
    """Register one; what happens from now on is told. Within `writing`, after `check_url`."""
    count = select(func.count()).select_from(webhooks).where(webhooks.c.organisation_id == organisation_id)
    if (connection.execute(count).scalar() or 0) >= MAX_WEBHOOKS:
        raise Problem("webhook-limit")
    sizes = load_sizes(connection)
    name = "wh_" + secrets.token_hex(12)
    connection.execute(
        insert(webhooks),
        {
            "name": name,
            "organisation_id": organisation_id,
            "url": url,
            "events": " ".join(check_events(events)),
            "secret": make_secret(),
            "state": ACTIVE,
            "created_at": now,
            "failures": 0,
            "rest_until": 0,
            "deposited_size": sizes.deposited,
            "anchored_size": sizes.anchored,
            "final_size": sizes.final,
            "issue_order": sizes.issued,
            "last_number": 0,
        },
    )
    found = find_webhook(connection, organisation_id, name)
    _record(connection, "webhook.add", found, actor or _company(organisation_id))
    return found


def find_webhook(connection: Connection, organisation_id: int | None, name: str) -> Row[Any]:
    """The company's webhook (None: anybody's); Problem `webhook-unknown` for another's and for none."""
    # What else somebody puts into a path is not asked for: PostgreSQL takes no NUL in a text.
    if not _NAME.fullmatch(name):
        raise Problem("webhook-unknown")
    query = select(webhooks).where(webhooks.c.name == name)
    if organisation_id is not None:
        query = query.where(webhooks.c.organisation_id == organisation_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise Problem("webhook-unknown")
    return found


def list_webhooks(connection: Connection, organisation_id: int | None) -> Sequence[Row[Any]]:
    """All of a company (None: of everybody), the oldest first."""
    query = select(webhooks).order_by(webhooks.c.id)
    if organisation_id is not None:
        query = query.where(webhooks.c.organisation_id == organisation_id)
    return connection.execute(query).all()


def remove_webhook(connection: Connection, organisation_id: int | None, name: str) -> None:
    """Take it away, and all that it was told or was to be told."""
    found = find_webhook(connection, organisation_id, name)
    connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id == found.id))
    connection.execute(delete(webhooks).where(webhooks.c.id == found.id))
    _record(connection, "webhook.remove", found, _company(organisation_id))


def resume_webhook(connection: Connection, organisation_id: int | None, name: str) -> Row[Any]:
    """Try again at once, also if it was given up; what waits is told in its order."""
    number = find_webhook(connection, organisation_id, name).id
    connection.execute(
        update(webhooks).where(webhooks.c.id == number).values(state=ACTIVE, failures=0, rest_until=0)
    )
    connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.webhook_id == number, webhook_deliveries.c.state == "waiting")
        .values(next_at=0)
    )
    found = find_webhook(connection, organisation_id, name)
    _record(connection, "webhook.resume", found, _company(organisation_id))
    return found


def replace_secret(connection: Connection, organisation_id: int | None, name: str, now: int) -> Row[Any]:
    """A new secret; the old one signs as well for a day."""
    found = find_webhook(connection, organisation_id, name)
    connection.execute(
        update(webhooks)
        .where(webhooks.c.id == found.id)
        .values(secret=make_secret(), old_secret=found.secret, old_secret_until=now + OLD_SECRET_SECONDS)
    )
    found = find_webhook(connection, organisation_id, name)
    _record(connection, "webhook.replace-secret", found, _company(organisation_id))
    return found


def _company(organisation_id: int | None) -> str:
    """Who acts, for the audit log."""
    return OPERATOR if organisation_id is None else f"organisation:{organisation_id}"


def _record(connection: Connection, action: str, hook: Row[Any], actor: str) -> None:
    detail = {"organisation": hook.organisation_id}
    record(connection, action, f"webhook:{hook.id}", actor=actor, detail=detail)
