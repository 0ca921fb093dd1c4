"""The form of lists and of what is looked up, for the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from mizheng.notary.routes.certificate_schemas import AnchorView, CertificateState, CertificateView
from pydantic import BaseModel, Field

NEXT = "cursor of the next page; null: this is the last one"


class EntryItem(BaseModel):
    """A deposit or an event of the organisation."""

    id: str = Field(description="SHA-256 of its envelope, hex")
    leaf_index: int = Field(description="its place in the log")
    received_at: str = Field(description="when the notary first received it, by its own clock")
    state: Literal["deposited", "anchored", "final"] = Field(
        description="on the chain where it has come furthest"
    )


class EntryList(BaseModel):
    """A page of deposits or events."""

    items: list[EntryItem] = Field(description="in the order of the log")
    next: str | None = Field(description=NEXT)


class CertificateList(BaseModel):
    """A page of certificates."""

    items: list[CertificateState] = Field(description="in the order of their deposits")
    next: str | None = Field(description=NEXT)


class LogEntryView(BaseModel):
    """An entry of the public log: what anybody who reads the log can find out, too."""

    envelope_sha256: str = Field(description="what the entry names, hex")
    leaf_index: int = Field(description="its place in the log")
    state: Literal["deposited", "anchored", "final"] = Field(
        description="on the chain where it has come furthest"
    )
    tlog_proof: str = Field(description="C2SP tlog-proof: inclusion in the published head, to be checked")


class Retrieval(BaseModel):
    """Where the files of a certificate that is shown whole can be had; the code goes into the header."""

    pdf: str = Field(description="path of the PDF")
    proof: str = Field(description="path of the ZIP with all that proves the deposit, as of now")


class LookupAnswer(BaseModel):
    """What anybody is shown for a number, a digest or a transaction."""

    asked: Literal["number", "digest"] = Field(description="what the question was taken for")
    certificate: CertificateView | None = Field(
        description="by its number: masked, or whole; by a digest: whole, or as if there were none"
    )
    retrieval: Retrieval | None = Field(description="null unless the certificate is shown whole")
    entry: LogEntryView | None = Field(description="the digest is that of an envelope in the log")
    anchor: AnchorView | None = Field(description="the digest is the hash of an anchor's transaction")
