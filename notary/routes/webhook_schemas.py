"""The form of what is said of webhooks, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from mizheng.notary.webhooks.hooks import EVENTS
from pydantic import BaseModel, ConfigDict, Field

Event = Literal["deposit.deposited", "deposit.anchored", "deposit.final", "certificate.issued"]

WEBHOOK: dict[str, Any] = {
    "id": "wh_5d1f0c2b9a8e7d6c5b4a3f2e",
    "url": "https://plm.example.com/hooks/mizheng",
    "events": list(EVENTS),
    "state": "active",
    "created_at": "2026-11-23T07:18:32Z",
    "failures": 0,
    "last_outcome": "delivered",
    "last_success_at": "2026-11-23T07:20:02Z",
    "resting_until": None,
}
DELIVERY: dict[str, Any] = {
    "id": "msg_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "event": "deposit.final",
    "state": "delivered",
    "created_at": "2026-11-23T07:20:01Z",
    "attempts": 1,
    "attempted_at": "2026-11-23T07:20:02Z",
    "outcome": "delivered",
    "next_attempt_at": None,
}
SECRET: dict[str, Any] = {**WEBHOOK, "secret": "whsec_bWl6aGVuZyBkb2VzIG5vdCByZXBlYXQgdGhpcyAxMjM="}


class WebhookRequest(BaseModel):
    """Where to, and what is to be told."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"url": WEBHOOK["url"], "events": ["deposit.final"]}}
    )

    url: str = Field(description="https, a public address; at most 1,000 ASCII characters")
    events: list[str] = Field(
        default_factory=list,
        max_length=len(EVENTS),
        description=f"some of {', '.join(EVENTS)}; none: all of them",
    )


class WebhookAnswer(BaseModel):
    """A webhook, without its secret."""

    model_config = ConfigDict(json_schema_extra={"example": WEBHOOK})

    id: str = Field(description="the webhook's, random")
    url: str = Field(description="where messages are sent")
    events: list[Event] = Field(description="what is told")
    state: Literal["active", "dead"] = Field(
        description="dead: given up after the last attempt failed, until it is resumed"
    )
    created_at: str = Field(description="by the notary's clock; what happened before is not told")
    failures: int = Field(description="attempts that failed at the address since the last that did not")
    last_outcome: str | None = Field(
        description="of the last attempt: `delivered`, `http-NNN`, `address-refused`, `unreachable`, `slow`, "
        "`tls-failed`, `unreadable`"
    )
    last_success_at: str | None = Field(description="when a message was taken last")
    resting_until: str | None = Field(description="no attempt is made before; null: none is waited for")


class WebhookSecret(WebhookAnswer):
    """A webhook with its secret, which is shown this once."""

    model_config = ConfigDict(json_schema_extra={"example": SECRET})

    secret: str = Field(description="`whsec_` and Base64, as Standard Webhooks libraries take it")


class WebhookList(BaseModel):
    """The organisation's webhooks, the oldest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [WEBHOOK], "next": None}})

    items: list[WebhookAnswer] = Field(description="there are five at most")
    next: str | None = Field(description="cursor of the next page; null: this is the last one")


class DeliveryAnswer(BaseModel):
    """One message to a webhook, and how far it has come."""

    model_config = ConfigDict(json_schema_extra={"example": DELIVERY})

    id: str = Field(description="`webhook-id` of the message, the same at each attempt")
    event: str = Field(description="what it tells; `webhook.test` for a test")
    state: Literal["waiting", "delivered", "dead"] = Field(description="dead: given up")
    created_at: str = Field(description="when it was put into the outbox")
    attempts: int = Field(description="how often it was tried")
    attempted_at: str | None = Field(description="the last time")
    outcome: str | None = Field(description="of the last attempt, as `last_outcome` of the webhook")
    next_attempt_at: str | None = Field(description="not before; null: at once, or never again")


class DeliveryList(BaseModel):
    """Messages to a webhook, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [DELIVERY], "next": None}})

    items: list[DeliveryAnswer] = Field(description="as many as were asked for, or fewer")
    next: str | None = Field(description="cursor of the next page; null: this is the last one")
