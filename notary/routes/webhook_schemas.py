"""The form of what is said of webhooks, for the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from mizheng.notary.webhooks.hooks import EVENTS
from pydantic import BaseModel, ConfigDict, Field

Event = Literal["deposit.deposited", "deposit.anchored", "deposit.final", "certificate.issued"]


class WebhookRequest(BaseModel):
    """Where to, and what is to be told."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(description="https, a public address; at most 1,000 ASCII characters")
    events: list[str] = Field(
        default_factory=list,
        max_length=len(EVENTS),
        description=f"some of {', '.join(EVENTS)}; none: all of them",
    )


class WebhookAnswer(BaseModel):
    """A webhook, without its secret."""

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

    secret: str = Field(description="`whsec_` and Base64, as Standard Webhooks libraries take it")


class WebhookList(BaseModel):
    """The organisation's webhooks, the oldest first."""

    items: list[WebhookAnswer] = Field(description="there are five at most")
    next: str | None = Field(description="cursor of the next page; null: this is the last one")


class DeliveryAnswer(BaseModel):
    """One message to a webhook, and how far it has come."""

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

    items: list[DeliveryAnswer] = Field(description="as many as were asked for, or fewer")
    next: str | None = Field(description="cursor of the next page; null: this is the last one")
