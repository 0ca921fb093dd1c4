"""The form of what is said to and by the mailbox, for the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from mizheng.notary.routes.schemas import HEX32
from pydantic import BaseModel, ConfigDict, Field


class MailboxRequest(BaseModel):
    """What is to be left."""

    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = Field(description="bytes of the ciphertext", ge=1, le=2**53 - 1)
    sha256: str = Field(description="of the ciphertext, hex", pattern=HEX32)
    token_sha256: str = Field(
        description="SHA-256, hex, of the token's ASCII bytes; the token goes to the recipient", pattern=HEX32
    )
    days: int = Field(description="how long it is to lie there", ge=1, le=10_000)
    addressee: str | None = Field(
        None,
        description="SCHEME:ID of a company of this notary that may fetch it with its own API key",
        min_length=3,
        max_length=200,
        # No identifier has a control character, and no database's text takes NUL.
        pattern=r"^[^\x00-\x1f\x7f]+$",
    )


class MailboxItem(BaseModel):
    """Something that lies in the mailbox."""

    id: str = Field(description="the item's id")
    state: Literal["open", "kept", "withdrawn", "expired"] = Field(
        description="open: not all of it has come; of the last two nothing but this is left"
    )
    size: int = Field(description="bytes of the ciphertext")
    sha256: str = Field(description="of the ciphertext, hex")
    part_bytes: int = Field(description="bytes of every part but the last")
    parts: int = Field(description="how many there are, numbered from 0")
    created_at: str = Field(description="by the notary's clock")
    expires_at: str = Field(description="when it is deleted")
    withdrawn: bool = Field(description="whether there is a signed withdrawal")
    answered: bool = Field(description="whether the recipient has answered")
    have: list[int] | None = Field(None, description="parts that have come; for its sender alone")


class MailboxPage(BaseModel):
    """Some of a list."""

    items: list[MailboxItem] = Field(description="oldest first")
    next: str | None = Field(description="`after` of the next page; null: there is none")
