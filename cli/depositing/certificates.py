"""Certificates, from the command line's side: asked for, waited for, fetched, held against their digest."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from mizheng.cli.depositing.client import NotaryClient
from mizheng.cli.errors import RefusedFault, SoftwareFault

# What an older notary says of a path that it does not know.
_NOT_THERE = ("not-found", "method-not-allowed")
_PAUSE = 0.5


def ask_certificate(client: NotaryClient, deposit: str, *, seconds: float = 0.0) -> dict[str, Any] | None:
    """Ask for the certificate of a deposit, and wait so long for it: {state, number, …}. None: this notary
    issues none.
    """
    deadline = time.monotonic() + seconds
    try:
        found = client.request_certificate(deposit)
        while found["state"] != "issued" and time.monotonic() + _PAUSE < deadline:
            time.sleep(_PAUSE)
            found = client.certificate_state(deposit)
    except RefusedFault as error:
        if error.problem in _NOT_THERE:
            return None
        raise
    return found


def fetch_pdf(client: NotaryClient, deposit: str, state: dict[str, Any]) -> bytes:
    """The PDF of an issued certificate; SoftwareFault when it is not the one that was said."""
    pdf = client.certificate_pdf(deposit)
    require_digest(pdf, state.get("pdf_sha256"))
    return pdf


def require_digest(pdf: bytes, expected: object) -> None:
    """SoftwareFault when the notary's PDF has another SHA-256 than the notary says."""
    if hashlib.sha256(pdf).hexdigest() != expected:
        raise SoftwareFault("the notary's certificate is not the one that it names")
