"""Certificates: the depositor's own, and what anybody may look up."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from mizheng.notary.certificates.answers import describe_anchor, describe_to_anybody, describe_to_depositor
from mizheng.notary.certificates.downloads import PDF, PRIVATE, ZIP, parse_hex32, send_pdf, send_proof
from mizheng.notary.certificates.kept import ask_for, find_of_deposit, load_pdf, set_visibility
from mizheng.notary.certificates.lookup import (
    Shown,
    find_anchor,
    is_reversed,
    show_by_digest,
    show_by_number,
)
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.evidence import find_deposit, load_status
from mizheng.notary.routes.callers import AUTH_PROBLEMS, DepositorOf, ReaderOf, ServiceOf, get_service
from mizheng.notary.routes.certificate_schemas import (
    AnchorView,
    CertificateState,
    CertificateView,
    VisibilityRequest,
)
from mizheng.notary.routes.deposits import DepositId
from mizheng.notary.routes.problems import document
from mizheng.notary.service import Service
from mizheng.verifier.certificate_number import parse_code, parse_number
from mizheng.verifier.errors import FormatError

CODE_HEADER = "Mizheng-Code"


def let_in(request: Request) -> None:
    """Count a request of somebody whom nobody knows."""
    address = request.client.host if request.client else None
    get_service(request).visitors.let_in(address, request.headers)


router = APIRouter(tags=["certificates"])
own = APIRouter(prefix="/v1/deposits/{deposit_id}")
public = APIRouter(prefix="/v1", dependencies=[Depends(let_in)])

Number = Annotated[str, Path(description="the certificate's number, with or without its marks")]
Code = Annotated[
    str | None, Header(alias=CODE_HEADER, description="the code printed below the number; never in a URL")
]
_FILE = {"schema": {"type": "string", "format": "binary"}}
_LOOKUP = ("certificate-unknown", "certificate-number-wrong", "certificate-code-wrong", "too-many-requests")


# The depositor's own


@own.post(
    "/certificate",
    status_code=202,
    response_model=CertificateState,
    responses={
        200: {"model": CertificateState, "description": "It is issued already."},
        **document(*AUTH_PROBLEMS, "deposit-unknown"),
    },
)
def request_certificate(deposit_id: DepositId, caller: DepositorOf, service: ServiceOf) -> JSONResponse:
    """Ask for a certificate. It is issued in the background once the deposit is final, and only once: asked
    again, it is the same.
    """
    with writing(service.engine) as connection:
        deposit = find_deposit(connection, caller, deposit_id)
        kept = ask_for(connection, deposit.leaf_index, int(time.time()))
    status = load_status(service.engine, caller, deposit_id, service.chains.profiles)
    answer = describe_to_depositor(deposit_id, kept, _text(status["waiting_for"]))
    return JSONResponse(answer, 200 if kept.number else 202)


@own.get(
    "/certificate", response_model=CertificateState, responses=document(*AUTH_PROBLEMS, "deposit-unknown")
)
def get_certificate_state(deposit_id: DepositId, caller: ReaderOf, service: ServiceOf) -> JSONResponse:
    """Whether there is a certificate, its number, and who may see it without the code."""
    status = load_status(service.engine, caller, deposit_id, service.chains.profiles)
    with reading(service.engine) as connection:
        kept = find_of_deposit(connection, find_deposit(connection, caller, deposit_id).leaf_index)
    return JSONResponse(describe_to_depositor(deposit_id, kept, _text(status["waiting_for"])))


@own.get(
    "/certificate.pdf",
    response_class=Response,
    responses={
        200: {"content": {PDF: _FILE}, "description": "The PDF, the same bytes each time."},
        **document(*AUTH_PROBLEMS, "deposit-unknown", "certificate-not-issued"),
    },
)
def get_own_pdf(deposit_id: DepositId, caller: ReaderOf, service: ServiceOf) -> Response:
    """The certificate as it was issued. The code that opens its page is printed in it, and nowhere else."""
    with reading(service.engine) as connection:
        pdf = load_pdf(connection, find_deposit(connection, caller, deposit_id).leaf_index)
    if pdf is None:
        raise Problem("certificate-not-issued")
    return Response(pdf, media_type=PDF, headers=PRIVATE)


@own.put(
    "/certificate/visibility",
    response_model=CertificateState,
    responses=document(*AUTH_PROBLEMS, "deposit-unknown", "certificate-not-issued", "request-malformed"),
)
def set_certificate_visibility(
    asked: VisibilityRequest, deposit_id: DepositId, caller: DepositorOf, service: ServiceOf
) -> JSONResponse:
    """Publish the certificate, mask it again, or withhold it altogether. With the code it is shown always."""
    with writing(service.engine) as connection:
        leaf_index = find_deposit(connection, caller, deposit_id).leaf_index
        kept = find_of_deposit(connection, leaf_index)
        if kept is None or kept.number is None:
            raise Problem("certificate-not-issued")
        set_visibility(connection, leaf_index, asked.visibility)
        kept = find_of_deposit(connection, leaf_index)
    return JSONResponse(describe_to_depositor(deposit_id, kept, None))


# Anybody's


@public.get("/certificates", response_model=CertificateView, responses=document(*_LOOKUP, "digest-wrong"))
def find_certificate(
    service: ServiceOf,
    digest: Annotated[str, Query(description="SHA-256 of envelope or PDF, or the commitment; hex")],
    code: Code = None,
) -> JSONResponse:
    """By a digest: whole, if it is published or the code is sent; else as if there were none. The digest of
    an envelope stands in the public log, so it alone opens nothing.
    """
    wanted = parse_hex32(digest)
    if wanted is None:
        raise Problem("digest-wrong")
    with reading(service.engine) as connection:
        shown = show_by_digest(connection, wanted, read_code(code))
    if shown is None:
        raise Problem("certificate-unknown")
    return _describe(service, shown)


@public.get("/certificates/{number}", response_model=CertificateView, responses=document(*_LOOKUP))
def get_certificate(number: Number, service: ServiceOf, code: Code = None) -> JSONResponse:
    """By its number: masked, or, with the code or when it is published, whole. One that does not exist and
    one that is withheld are answered alike.
    """
    return _describe(service, _find(service, number, code))


@public.get(
    "/certificates/{number}/certificate.pdf",
    response_class=Response,
    responses={
        200: {"content": {PDF: _FILE}, "description": "The PDF, the same bytes each time."},
        **document(*_LOOKUP, "certificate-masked"),
    },
)
def get_certificate_pdf(number: Number, service: ServiceOf, code: Code = None) -> Response:
    """The certificate as it was issued."""
    shown = _find(service, number, code)
    return send_pdf(service, shown)


@public.get(
    "/certificates/{number}/proof.zip",
    response_class=Response,
    responses={
        200: {"content": {ZIP: _FILE}, "description": "The members that prove the deposit, as in a bundle."},
        **document(*_LOOKUP, "certificate-masked"),
    },
)
def get_certificate_proof(number: Number, service: ServiceOf, code: Code = None) -> Response:
    """The public proof as of today: statement, enrolment, heads, anchors, tokens; nothing that was sealed."""
    return send_proof(service, _find(service, number, code))


@public.get(
    "/anchors/{transaction_hash}",
    response_model=AnchorView,
    responses=document("transaction-unknown", "digest-wrong", "too-many-requests"),
)
def get_anchor(
    transaction_hash: Annotated[str, Path(description="hash of a transaction on a chain; hex")],
    service: ServiceOf,
) -> JSONResponse:
    """The anchor that a transaction brought onto its chain; never what is anchored by it."""
    wanted = parse_hex32(transaction_hash)
    if wanted is None:
        raise Problem("digest-wrong")
    with reading(service.engine) as connection:
        row = find_anchor(connection, wanted)
    if row is None:
        raise Problem("transaction-unknown")
    return JSONResponse(describe_anchor(row))


def _describe(service: Service, shown: Shown) -> JSONResponse:
    taken_back = False
    if shown.is_whole:
        with reading(service.engine) as connection:
            taken_back = is_reversed(connection, shown.kept)
    return JSONResponse(describe_to_anybody(shown, is_reversed=taken_back), headers=PRIVATE)


def _find(service: Service, number: str, code: str | None) -> Shown:
    try:
        wanted = parse_number(number)
    except FormatError:
        raise Problem("certificate-number-wrong") from None
    with reading(service.engine) as connection:
        shown = show_by_number(connection, wanted, read_code(code))
    if shown is None:
        raise Problem("certificate-unknown")
    return shown


def read_code(code: str | None) -> str | None:
    try:
        return None if code is None else parse_code(code)
    except FormatError:
        raise Problem("certificate-code-wrong") from None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


router.include_router(own)
router.include_router(public)
