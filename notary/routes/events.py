"""Events: documents put on record by their digest alone."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from mizheng.notary.routes.access import AUTH_PROBLEMS, bearer, get_service
from mizheng.notary.routes.intake import take_event
from mizheng.notary.routes.problems import document
from mizheng.notary.routes.schemas import EVENT, DepositAnswer

router = APIRouter(prefix="/v1/events", tags=["events"])

# Written out, not declared as a parameter: nothing of this body is read by FastAPI.
_RAW = {
    "security": [{bearer.scheme_name: []}],
    "requestBody": {
        "required": True,
        "description": "The event's DSSE envelope, byte for byte as it was signed; at most 64 KiB.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": EVENT}},
    },
}


@router.post(
    "",
    status_code=201,
    response_model=DepositAnswer,
    openapi_extra=_RAW,
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
            "queue-full",
            "log-unavailable",
            "log-behind",
            "log-key-replaced",
            "log-damaged",
        ),
    },
)
async def record_event(request: Request) -> Response:
    """Put a document on record: the event names its digest, and nothing else of it is told. The answer comes
    after it is durable; sent again, it is the same entry, proven in the present head.
    """
    return await take_event(get_service(request), request.scope, request.receive)
