"""For a court's own systems: one question, whatever stands on the paper."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from mizheng.notary.certificates.answers import describe_anchor, describe_to_anybody
from mizheng.notary.certificates.downloads import PRIVATE, parse_hex32
from mizheng.notary.certificates.lookup import (
    Shown,
    find_anchor,
    is_reversed,
    show_by_digest,
    show_by_number,
)
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.intake.listing import state_at
from mizheng.notary.log.proofs import tlog_proof_for
from mizheng.notary.log.tiles import TileReader
from mizheng.notary.models import entries
from mizheng.notary.publishing.head import add_cosignatures, load_published_head
from mizheng.notary.routes.callers import ServiceOf
from mizheng.notary.routes.certificates import Code, let_in, read_code
from mizheng.notary.routes.list_schemas import LookupAnswer
from mizheng.notary.routes.problems import document
from mizheng.verifier.certificate_number import parse_number
from mizheng.verifier.errors import FormatError
from sqlalchemy import Connection, select

router = APIRouter(prefix="/v1/lookup", tags=["lookup"], dependencies=[Depends(let_in)])


@router.get(
    "",
    response_model=LookupAnswer,
    responses=document(
        "lookup-unknown",
        "lookup-unreadable",
        "certificate-code-wrong",
        "request-malformed",
        "too-many-requests",
    ),
)
def look_up(
    service: ServiceOf,
    q: Annotated[
        str,
        Query(
            description="a certificate's number, with or without its marks; or 64 hex digits: SHA-256 of an "
            "envelope or a PDF, a commitment, the hash of an anchor's transaction",
            max_length=200,
        ),
    ],
    code: Code = None,
) -> JSONResponse:
    """Whatever is known of it and may be shown: as much as the clerk's pages show. The notary knows no
    digests of sealed files; those a bundle proves.
    """
    opened = read_code(code)
    digest = parse_hex32(q)
    with reading(service.engine) as connection:
        if digest is not None:
            answer = _by_digest(connection, digest, opened)
        else:
            answer = _by_number(connection, _number(q), opened)
    return JSONResponse(answer, headers=PRIVATE)


def _by_number(connection: Connection, number: str, code: str | None) -> dict[str, Any]:
    shown = show_by_number(connection, number, code)
    if shown is None:
        raise Problem("lookup-unknown")
    return {"asked": "number", **_certificate(connection, shown), "entry": None, "anchor": None}


def _by_digest(connection: Connection, digest: bytes, code: str | None) -> dict[str, Any]:
    shown = show_by_digest(connection, digest, code)
    anchor = find_anchor(connection, digest)
    entry = _entry(connection, digest)
    if shown is None and anchor is None and entry is None:
        raise Problem("lookup-unknown")
    return {
        "asked": "digest",
        **_certificate(connection, shown),
        "entry": entry,
        "anchor": None if anchor is None else describe_anchor(anchor),
    }


def _certificate(connection: Connection, shown: Shown | None) -> dict[str, Any]:
    if shown is None:
        return {"certificate": None, "retrieval": None}
    taken_back = shown.is_whole and is_reversed(connection, shown.kept)
    path = f"/v1/certificates/{shown.kept.number}"
    return {
        "certificate": describe_to_anybody(shown, is_reversed=taken_back),
        "retrieval": {"pdf": f"{path}/certificate.pdf", "proof": f"{path}/proof.zip"}
        if shown.is_whole
        else None,
    }


def _entry(connection: Connection, digest: bytes) -> dict[str, Any] | None:
    """An entry that is published: before that nobody who reads the log could find it either."""
    index = connection.execute(
        select(entries.c.leaf_index).where(entries.c.envelope_sha256 == digest)
    ).scalar()
    head = load_published_head(connection)
    if index is None or index >= head.tree_size:
        return None
    note = add_cosignatures(connection, head.tree_size, head.checkpoint)
    proof = tlog_proof_for(TileReader(connection), index, head.tree_size, note)
    return {
        "envelope_sha256": digest.hex(),
        "leaf_index": index,
        "state": state_at(connection, index),
        "tlog_proof": proof.decode(),
    }


def _number(text: str) -> str:
    try:
        return parse_number(text)
    except FormatError:
        raise Problem("lookup-unreadable") from None
