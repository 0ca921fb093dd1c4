"""Events: documents put on record by their digest alone."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from mizheng.notary.routes.callers import AUTH_PROBLEMS, get_service, signed_body
from mizheng.notary.routes.intake import take_event
from mizheng.notary.routes.problems import LOG_PROBLEMS, document
from mizheng.notary.routes.schemas import EVENT, DepositAnswer

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.post(
    "",
    status_code=201,
    response_model=DepositAnswer,
    openapi_extra=signed_body("event", EVENT),
    responses={
        200: {"model": DepositAnswer, "description": "It was on record before; nothing was added."},
        **document(
            *AUTH_PROBLEMS,
            "body-too-large",
            "envelope-malformed",
            "event-malformed",
            "key-not-enrolled",
            "key-revoked",
            "signature-wrong",
            "quota-day",
            "quota-in-all",
            "queue-full",
            *LOG_PROBLEMS,
        ),
    },
)
async def record_event(request: Request) -> Response:
    """Put a document on record: the event names its digest, and nothing else of it is told. The answer comes
    after it is durable; sent again, it is the same entry, proven in the present head.
    """
    return await take_event(get_service(request), request.scope, request.receive)
