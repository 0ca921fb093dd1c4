"""Webhooks: a company's own, which it registers, looks at, tries and takes away."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response
from mizheng.notary.database import reading, writing
from mizheng.notary.routes.callers import AUTH_PROBLEMS, ServiceOf, SubscriberOf
from mizheng.notary.routes.paging import PAGE, After, Limit, parse_cursor
from mizheng.notary.routes.problems import document
from mizheng.notary.routes.webhook_schemas import (
    DeliveryAnswer,
    DeliveryList,
    WebhookAnswer,
    WebhookList,
    WebhookRequest,
    WebhookSecret,
)
from mizheng.notary.webhooks import hooks, outbox
from mizheng.notary.webhooks.signing import show_secret
from mizheng.verifier.canonical import format_instant
from sqlalchemy import Row

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

Name = Annotated[str, Path(description="the webhook's id")]
_ONE = (*AUTH_PROBLEMS, "webhook-unknown")


@router.post(
    "",
    status_code=201,
    response_model=WebhookSecret,
    responses=document(
        *AUTH_PROBLEMS,
        "body-too-large",
        "request-malformed",
        "webhook-url-wrong",
        "webhook-address-refused",
        "webhook-event-unknown",
        "webhook-limit",
    ),
)
def add_webhook(asked: WebhookRequest, caller: SubscriberOf, service: ServiceOf) -> JSONResponse:
    """Be told what becomes of deposits and certificates. The secret is in this answer and in no other one."""
    hooks.check_events(asked.events)
    with service.webhooks.looking_up(caller.organisation_id):
        hooks.check_url(service.webhooks.setup, asked.url)
    with writing(service.engine) as connection:
        hook = hooks.add_webhook(
            connection, caller.organisation_id, asked.url, asked.events, int(time.time())
        )
    return JSONResponse({**describe_webhook(hook), "secret": show_secret(hook.secret)}, 201)


@router.get("", response_model=WebhookList, responses=document(*AUTH_PROBLEMS))
def list_webhooks(caller: SubscriberOf, service: ServiceOf) -> JSONResponse:
    """All webhooks of the organisation: they are few, and come on one page."""
    with reading(service.engine) as connection:
        found = hooks.list_webhooks(connection, caller.organisation_id)
    return JSONResponse({"items": [describe_webhook(hook) for hook in found], "next": None})


@router.get("/{webhook}", response_model=WebhookAnswer, responses=document(*_ONE))
def get_webhook(webhook: Name, caller: SubscriberOf, service: ServiceOf) -> JSONResponse:
    """How a webhook is."""
    with reading(service.engine) as connection:
        return JSONResponse(describe_webhook(hooks.find_webhook(connection, caller.organisation_id, webhook)))


@router.delete("/{webhook}", status_code=204, response_class=Response, responses=document(*_ONE))
def delete_webhook(webhook: Name, caller: SubscriberOf, service: ServiceOf) -> Response:
    """Be told no more; what still waits is dropped."""
    with writing(service.engine) as connection:
        hooks.remove_webhook(connection, caller.organisation_id, webhook)
    return Response(status_code=204)


@router.post("/{webhook}/secret", response_model=WebhookSecret, responses=document(*_ONE))
def replace_secret(webhook: Name, caller: SubscriberOf, service: ServiceOf) -> JSONResponse:
    """A new secret. For a day messages carry a signature by the old one as well."""
    with writing(service.engine) as connection:
        hook = hooks.replace_secret(connection, caller.organisation_id, webhook, int(time.time()))
    return JSONResponse({**describe_webhook(hook), "secret": show_secret(hook.secret)})


@router.post("/{webhook}/resume", response_model=WebhookAnswer, responses=document(*_ONE))
def resume_webhook(webhook: Name, caller: SubscriberOf, service: ServiceOf) -> JSONResponse:
    """Send again at once, also when the webhook was given up: what waits, in its order."""
    with writing(service.engine) as connection:
        hook = hooks.resume_webhook(connection, caller.organisation_id, webhook)
    return JSONResponse(describe_webhook(hook))


@router.post("/{webhook}/test", status_code=202, response_model=DeliveryAnswer, responses=document(*_ONE))
def send_test(webhook: Name, caller: SubscriberOf, service: ServiceOf) -> JSONResponse:
    """Have a message sent that only shows that messages arrive."""
    with writing(service.engine) as connection:
        hook = hooks.find_webhook(connection, caller.organisation_id, webhook)
        number = outbox.put_test(connection, hook, int(time.time()))
        (row,) = outbox.list_deliveries(connection, hook.id, None, number + 1, 1)
    return JSONResponse(describe_delivery(row), 202)


@router.get(
    "/{webhook}/deliveries",
    response_model=DeliveryList,
    responses=document(*_ONE, "cursor-wrong", "request-malformed"),
)
def list_deliveries(
    webhook: Name,
    caller: SubscriberOf,
    service: ServiceOf,
    state: Annotated[
        Literal["waiting", "delivered", "dead"] | None, Query(description="only those in this state")
    ] = None,
    after: After = None,
    limit: Limit = PAGE,
) -> JSONResponse:
    """What was told, and what still waits. Settled messages are kept for thirty days."""
    before = parse_cursor(after)
    with reading(service.engine) as connection:
        hook = hooks.find_webhook(connection, caller.organisation_id, webhook)
        rows = outbox.list_deliveries(connection, hook.id, state, before, limit + 1)
    shown = rows[:limit]
    following = str(shown[-1].number) if len(rows) > limit else None
    return JSONResponse({"items": [describe_delivery(row) for row in shown], "next": following})


@router.post(
    "/{webhook}/deliveries/{delivery}/retry",
    status_code=202,
    response_model=DeliveryAnswer,
    responses=document(*_ONE, "delivery-unknown"),
)
def send_again(
    webhook: Name,
    delivery: Annotated[str, Path(description="the message's id")],
    caller: SubscriberOf,
    service: ServiceOf,
) -> JSONResponse:
    """Have a message sent once more, under the same id, whatever became of it."""
    with writing(service.engine) as connection:
        hook = hooks.find_webhook(connection, caller.organisation_id, webhook)
        row = outbox.send_again(connection, hook.id, delivery)
    return JSONResponse(describe_delivery(row), 202)


def describe_webhook(hook: Row[Any]) -> dict[str, Any]:
    """The fields of WebhookAnswer."""
    is_resting = hook.state == hooks.ACTIVE and hook.failures
    return {
        "id": hook.name,
        "url": hook.url,
        "events": hook.events.split(),
        "state": hook.state,
        "created_at": format_instant(hook.created_at),
        "failures": hook.failures,
        "last_outcome": hook.last_outcome,
        "last_success_at": _instant(hook.last_success_at),
        "resting_until": _instant(hook.rest_until) if is_resting else None,
    }


def describe_delivery(row: Row[Any]) -> dict[str, Any]:
    """The fields of DeliveryAnswer."""
    return {
        "id": row.message_id,
        "event": row.event,
        "state": row.state,
        "created_at": format_instant(row.created_at),
        "attempts": row.attempts,
        "attempted_at": _instant(row.attempted_at),
        "outcome": row.outcome,
        "next_attempt_at": _instant(row.next_at) if row.state == outbox.WAITING else None,
    }


def _instant(seconds: int | None) -> str | None:
    return format_instant(seconds) if seconds else None
