"""The form of what is said of requests for access, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from mizheng.notary.routes.list_schemas import NEXT
from pydantic import BaseModel, ConfigDict, Field

_DIGEST = "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a"

REQUEST: dict[str, Any] = {
    "sha256": _DIGEST,
    "deposit": "594f99e03f3a96e4eec1f8c8d0600592e22947956683bf9b0a654807af9669d5",
    "state": "open",
    "name": "鉴定人甲",
    "role": "appraiser",
    "organisation": "示例司法鉴定所",
    "matter": "(2026)示01民初1号",
    "ends_at": "2026-12-31T16:00:00Z",
    "lodged_at": "2026-11-30T08:00:00Z",
}
SHOWN: dict[str, Any] = {
    "kind": "access-approval",
    "sha256": _DIGEST,
    "shown_at": "2026-11-30T09:00:00Z",
    "document": "eyJwYXlsb2FkIjoi…",
}
# What is sent: any DSSE envelope of these types.
ENVELOPE: dict[str, Any] = {
    "payload": "eyJiYXNpcyI6…",
    "payloadType": "application/vnd.mizheng.access-request.v1+json",
    "signatures": [{"keyid": _DIGEST, "sig": "KXl6WfBQ…"}],
}


class RequestItem(BaseModel):
    """A request to see records, as its requester signed it; names may be pseudonyms."""

    model_config = ConfigDict(json_schema_extra={"example": REQUEST})

    sha256: str = Field(description="of the request's bytes, hex: its name here and in every decision")
    deposit: str = Field(description="the deposit's id")
    state: Literal["open", "approved", "refused", "withdrawn", "expired"] = Field(
        description="by what the company shows; whether the right people approved, it judges itself"
    )
    name: str = Field(description="who asks, by his own word")
    role: str = Field(description="court, appraiser, authority, lawyer or other, by his own word")
    organisation: str | None = Field(description="of which court or institute, by his own word")
    matter: str = Field(description="case number")
    ends_at: str = Field(description="nothing is asked for from this instant on")
    lodged_at: str = Field(description="when the notary received it, by its own clock")


class RequestList(BaseModel):
    """A page of requests."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [REQUEST], "next": _DIGEST}})

    items: list[RequestItem] = Field(description="the oldest first")
    next: str | None = Field(description=NEXT)


class ShownItem(BaseModel):
    """A document that a company shows."""

    model_config = ConfigDict(json_schema_extra={"example": SHOWN})

    kind: str = Field(
        description="access-approval, access-refusal, access-withdrawal, access (a look) or custody"
    )
    sha256: str = Field(description="of the document's bytes, hex")
    shown_at: str = Field(description="when the notary received it, by its own clock")
    document: str = Field(description="the DSSE envelope, Base64")


class RequestWhole(RequestItem):
    """A request, its bytes, and what the company shows of it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**REQUEST, "document": "eyJwYXlsb2FkIjoi…", "shown": [SHOWN]}}
    )

    document: str = Field(description="the request's DSSE envelope, Base64")
    shown: list[ShownItem] = Field(description="in the order in which it came")
