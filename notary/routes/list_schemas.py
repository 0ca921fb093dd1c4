"""The form of lists and of what is looked up, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from mizheng.notary.routes.certificate_schemas import AnchorView, CertificateState, CertificateView
from pydantic import BaseModel, ConfigDict, Field

_DIGEST = "07343a1a76bebe5c6a9b91a9db4a7507e94a3e15dbb69a5c9376875c676f7799"
ENTRY: dict[str, Any] = {
    "id": _DIGEST,
    "leaf_index": 1,
    "received_at": "2026-11-23T07:18:32Z",
    "state": "final",
}
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

    model_config = ConfigDict(json_schema_extra={"example": {"items": [ENTRY], "next": "1"}})

    items: list[EntryItem] = Field(description="in the order of the log")
    next: str | None = Field(description=NEXT)


class CertificateList(BaseModel):
    """A page of certificates."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "id": _DIGEST,
                        "state": "issued",
                        "waiting_for": None,
                        "number": "4K7M-2Q9T-XW3H-8D5R-AB61",
                        "issued_at": "2026-11-23T07:21:10Z",
                        "pdf_sha256": _DIGEST,
                        "signed": True,
                        "visibility": "masked",
                    }
                ],
                "next": None,
            }
        }
    )

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

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "asked": "digest",
                "certificate": None,
                "retrieval": None,
                "entry": {
                    "envelope_sha256": _DIGEST,
                    "leaf_index": 1,
                    "state": "final",
                    "tlog_proof": "c2sp.org/tlog-proof@v1\nindex 1\n…",
                },
                "anchor": None,
            }
        }
    )

    asked: Literal["number", "digest"] = Field(description="what the question was taken for")
    certificate: CertificateView | None = Field(
        description="by its number: masked, or whole; by a digest: whole, or as if there were none"
    )
    retrieval: Retrieval | None = Field(description="null unless the certificate is shown whole")
    entry: LogEntryView | None = Field(description="the digest is that of an envelope in the log")
    anchor: AnchorView | None = Field(description="the digest is the hash of an anchor's transaction")
