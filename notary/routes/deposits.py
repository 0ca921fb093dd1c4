"""Deposits: made, looked at, and their evidence fetched."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from mizheng.notary.auth import Caller, authenticate
from mizheng.notary.database import reading
from mizheng.notary.deposits import Deposit, check_deposit, load_received_at
from mizheng.notary.errors import Problem
from mizheng.notary.evidence import assemble_evidence, load_status
from mizheng.notary.log.sequencer import Sequenced
from mizheng.notary.problems import document
from mizheng.notary.routes.access import AUTH_PROBLEMS, CallerOf, ServiceOf, bearer, get_service
from mizheng.notary.schemas import HEX32, DepositAnswer, EvidenceAnswer, StatusAnswer
from mizheng.notary.service import Service
from mizheng.verifier.canonical import format_instant

router = APIRouter(prefix="/v1/deposits", tags=["deposits"])

DepositId = Annotated[
    str, Path(description="the envelope's SHA-256, hex", json_schema_extra={"pattern": HEX32})
]

# Written out, not declared as parameters: on this route every tenth of a millisecond counts.
_RAW = {
    "security": [{bearer.scheme_name: []}],
    "requestBody": {
        "required": True,
        "description": "The statement's DSSE envelope, byte for byte as it was signed; at most 64 KiB.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
}


@router.post(
    "",
    status_code=201,
    response_model=DepositAnswer,
    openapi_extra=_RAW,
    responses={
        200: {"model": DepositAnswer, "description": "It was deposited before; nothing was added."},
        **document(
            *AUTH_PROBLEMS,
            "body-too-large",
            "envelope-malformed",
            "payload-type-wrong",
            "statement-type-wrong",
            "statement-malformed",
            "key-not-enrolled",
            "key-revoked",
            "signature-wrong",
            "depositor-mismatch",
            "queue-full",
            "log-unavailable",
            "log-behind",
            "log-damaged",
        ),
    },
)
async def make_deposit(request: Request) -> JSONResponse:
    """Deposit a signed statement. The answer comes after it is durable; sent again, it is the same
    deposit.
    """
    service = get_service(request)
    try:
        deposit, sequenced = await _deposit(service, request)
    except Problem as problem:
        service.metrics.deposits.labels(problem.code).inc()
        raise
    service.metrics.deposits.labels("created" if sequenced.is_new else "existing").inc()
    received_at = deposit.received_at
    if not sequenced.is_new:
        received_at = await run_in_threadpool(load_received_at, service.engine, sequenced.leaf_index)
    digest = deposit.entry.envelope_sha256.hex()
    return JSONResponse(
        {
            "id": digest,
            "envelope_sha256": digest,
            "leaf_index": sequenced.leaf_index,
            "tlog_proof": sequenced.tlog_proof.decode(),
            "received_at": format_instant(received_at),
        },
        201 if sequenced.is_new else 200,
    )


@router.get(
    "/{deposit_id}", response_model=StatusAnswer, responses=document(*AUTH_PROBLEMS, "deposit-unknown")
)
def get_status(deposit_id: DepositId, caller: CallerOf, service: ServiceOf) -> JSONResponse:
    """How far a deposit has come, and what it waits for."""
    return JSONResponse(load_status(service.engine, caller, deposit_id, service.chain.profile))


@router.get(
    "/{deposit_id}/evidence",
    response_model=EvidenceAnswer,
    responses=document(*AUTH_PROBLEMS, "deposit-unknown"),
)
def get_evidence(deposit_id: DepositId, caller: CallerOf, service: ServiceOf) -> JSONResponse:
    """All that the notary adds to a bundle. Before the first anchor: inclusion in the present head alone."""
    return JSONResponse(assemble_evidence(service.instance, caller, deposit_id))


async def _deposit(service: Service, request: Request) -> tuple[Deposit, Sequenced]:
    authorization = request.headers.get("authorization")
    caller = service.callers.find(authorization)
    if caller is None:
        # Only who has been let in once gets as far as the log's lock.
        caller = await run_in_threadpool(_authenticate, service, authorization)
        service.callers.remember(authorization, caller)
    # A quarter of a millisecond: handing it to a thread would take as long.
    deposit = check_deposit(caller, await request.body())
    return deposit, await asyncio.wrap_future(service.sequencer.submit(deposit))


def _authenticate(service: Service, authorization: str | None) -> Caller:
    with reading(service.engine) as connection:
        return authenticate(connection, authorization)
