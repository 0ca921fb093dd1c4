"""The files of a certificate as anybody may fetch them, once it is shown whole."""

from __future__ import annotations

import re

from mizheng.notary.certificates.kept import load_pdf
from mizheng.notary.certificates.lookup import Shown
from mizheng.notary.certificates.proof import make_proof
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.service import Service
from starlette.responses import Response

# Who may see it may change at any moment.
PRIVATE = {"Cache-Control": "no-store"}
PDF, ZIP = "application/pdf", "application/zip"
_HEX32 = re.compile(r"(?:0[xX])?([0-9a-fA-F]{64})")


def send_pdf(service: Service, shown: Shown) -> Response:
    """The PDF to download; Problem `certificate-masked`."""
    _require_whole(shown)
    with reading(service.engine) as connection:
        pdf = load_pdf(connection, shown.kept.leaf_index)
    return Response(pdf, media_type=PDF, headers=_headers(shown, "pdf"))


def send_proof(service: Service, shown: Shown) -> Response:
    """The proof to download; Problem `certificate-masked`."""
    _require_whole(shown)
    with reading(service.engine) as connection:
        proof = make_proof(connection, service.instance, shown.kept.leaf_index)
    return Response(proof, media_type=ZIP, headers=_headers(shown, "zip"))


def parse_hex32(text: str) -> bytes | None:
    """32 bytes from 64 hex digits, with or without 0x; None if they are none."""
    found = _HEX32.fullmatch(text.strip())
    return bytes.fromhex(found[1]) if found else None


def _require_whole(shown: Shown) -> None:
    if not shown.is_whole:
        raise Problem("certificate-masked")


def _headers(shown: Shown, ending: str) -> dict[str, str]:
    return {
        **PRIVATE,
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{shown.kept.number}.{ending}"',
    }
