"""The form of what is said of certificates and anchors, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Visibility = Literal["withheld", "masked", "published"]


class CertificateState(BaseModel):
    """How far the certificate of one of the caller's deposits has come."""

    id: str = Field(description="the deposit's id")
    state: Literal["none", "requested", "issued"] = Field(description="none: nobody asked for one")
    waiting_for: str | None = Field(
        description="what it waits for: the code of what the deposit waits for, or `issuing`"
    )
    number: str | None = Field(description="its number with its marks, once it is issued")
    issued_at: str | None = Field(description="by the notary's clock")
    pdf_sha256: str | None = Field(description="of the PDF, which is kept once and copied; hex")
    signed: bool = Field(description="whether the PDF carries a signature of the notary's")
    visibility: Visibility | None = Field(
        description="what somebody without the code is shown: nothing; that it exists; all of it"
    )


class VisibilityRequest(BaseModel):
    """Who may see a certificate without its code."""

    model_config = ConfigDict(extra="forbid")

    visibility: Visibility = Field(description="`published` shows all of it, the PDF and the proof included")


class CertificateView(BaseModel):
    """A certificate as anybody may see it, or, with its code, whole."""

    masked: bool = Field(description="shown without the code: little of it, and neither PDF nor proof")
    state: Literal["final", "reversed"] | None = Field(
        description="reversed: the chain took back the block that it rests on; null while masked"
    )
    number: str = Field(description="with its marks")
    holder: str = Field(description="the depositor's legal name; masked: its first character")
    issuer: str = Field(description="who issued it")
    issued_at: str = Field(description="by the notary's clock")
    is_trial: bool = Field(description="on a chain for trying only: no evidence")
    signed: bool = Field(description="whether the PDF carries a signature of the notary's")
    pdf_sha256: str | None = Field(description="of the PDF, hex; null while masked")
    facts: dict[str, Any] | None = Field(
        description="all that the PDF says, instants in seconds since 1970; null while masked"
    )


class AnchorView(BaseModel):
    """A head of the log on a chain. What it covers is not said."""

    transaction_hash: str = Field(description="hex; for look-up only, nothing proves it")
    state: Literal["anchored", "final"] = Field(description="in a block; in one that cannot be reorganised")
    chain: str = Field(description="name of the chain in the notary's settings")
    kind: str = Field(description="`ethereum` or `trial`")
    chain_id: int = Field(description="EIP-155 chain id")
    genesis_hash: str = Field(description="hex")
    contract: str = Field(description="address, hex")
    log_id: str = Field(description="hex")
    block_number: int = Field(description="height of the block")
    block_hash: str = Field(description="hex")
    tree_size: int = Field(description="size of the log that is anchored")
    root_hash: str = Field(description="hex")
    checkpoint: str = Field(description="the signed note of this size")
