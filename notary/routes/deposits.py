"""Deposits: made, looked at, and their evidence fetched."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from mizheng.notary.evidence import assemble_evidence, load_status
from mizheng.notary.routes.callers import (
    AUTH_PROBLEMS,
    ReaderOf,
    ServiceOf,
    bearer,
    get_service,
    signed_body,
)
from mizheng.notary.routes.intake import DEPOSITS_PATH, take_batch, take_deposit
from mizheng.notary.routes.problems import LOG_PROBLEMS, document
from mizheng.notary.routes.schemas import (
    ENVELOPE,
    HEX32,
    BatchAnswer,
    DepositAnswer,
    EvidenceAnswer,
    StatusAnswer,
)

router = APIRouter(prefix=DEPOSITS_PATH, tags=["deposits"])

DepositId = Annotated[
    str, Path(description="the envelope's SHA-256, hex", json_schema_extra={"pattern": HEX32})
]

_RAW_BATCH = {
    "security": [{bearer.scheme_name: []}],
    "requestBody": {
        "required": True,
        "description": "1 to 1,000 DSSE envelopes, byte for byte as they were signed, each ended by LF; "
        "4 MiB in all. An envelope is canonical JSON and has no line break in it.",
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": 2 * (json.dumps(ENVELOPE, separators=(",", ":")) + "\n"),
            }
        },
    },
}
# What can be wrong with an envelope, by itself and in the light of the registers.
_REFUSALS = (
    "body-too-large",
    "envelope-malformed",
    "payload-type-wrong",
    "statement-type-wrong",
    "statement-malformed",
    "key-not-enrolled",
    "key-revoked",
    "signature-wrong",
    "depositor-mismatch",
)


@router.post(
    "",
    status_code=201,
    response_model=DepositAnswer,
    openapi_extra=signed_body("statement", ENVELOPE),
    responses={
        200: {"model": DepositAnswer, "description": "It was deposited before; nothing was added."},
        **document(
            *AUTH_PROBLEMS,
            *_REFUSALS,
            "quota-day",
            "quota-in-all",
            "queue-full",
            *LOG_PROBLEMS,
        ),
    },
)
async def make_deposit(request: Request) -> Response:
    """Deposit a signed statement. The answer comes after it is durable; sent again, it is the same
    deposit.
    """
    return await take_deposit(get_service(request), request.scope, request.receive)


@router.post(
    ":batch",
    response_model=BatchAnswer,
    openapi_extra=_RAW_BATCH,
    responses=document(
        *AUTH_PROBLEMS,
        "body-too-large",
        "request-malformed",
        "queue-full",
        *LOG_PROBLEMS,
    ),
)
async def make_deposits(request: Request) -> Response:
    """Deposit up to 1,000 signed statements in one commit. Each is answered for itself, in the order sent: as
    `POST /v1/deposits` answers it, with the status beside. Sent again, they are the same deposits.
    """
    return await take_batch(get_service(request), request.scope, request.receive)


@router.get(
    "/{deposit_id}", response_model=StatusAnswer, responses=document(*AUTH_PROBLEMS, "deposit-unknown")
)
def get_status(deposit_id: DepositId, caller: ReaderOf, service: ServiceOf) -> JSONResponse:
    """How far a deposit has come, and what it waits for."""
    return JSONResponse(load_status(service.engine, caller, deposit_id, service.chains.profiles))


@router.get(
    "/{deposit_id}/evidence",
    response_model=EvidenceAnswer,
    responses=document(*AUTH_PROBLEMS, "deposit-unknown"),
)
def get_evidence(deposit_id: DepositId, caller: ReaderOf, service: ServiceOf) -> JSONResponse:
    """All that the notary adds to a bundle. Before the first anchor: inclusion in the present head alone."""
    return JSONResponse(assemble_evidence(service.instance, caller, deposit_id))
