"""Requests to see records: lodged by a court's or an institute's system, fetched and answered by the company.

Whoever uses these routes shows the documents to the notary too; files from hand to hand show it nothing.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from mizheng.notary.access import finding, kept
from mizheng.notary.auditing.recording import record
from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.database import reading, writing
from mizheng.notary.routes.access_schemas import (
    ENVELOPE,
    RequestItem,
    RequestList,
    RequestWhole,
    ShownItem,
)
from mizheng.notary.routes.callers import AUTH_PROBLEMS, AccessOf, ServiceOf, signed_body
from mizheng.notary.routes.paging import PAGE, After, Limit
from mizheng.notary.routes.problems import document
from mizheng.notary.routes.schemas import HEX32
from mizheng.verifier.canonical import format_instant, to_base64
from sqlalchemy import Connection

router = APIRouter(prefix="/v1/access", tags=["access"])

Name = Annotated[str, Path(description="the request's SHA-256, hex", json_schema_extra={"pattern": HEX32})]
_TAKING = ("body-too-large", "access-document-wrong", "deposit-unknown", "access-limit")


async def read_body(request: Request) -> bytes:
    """As it was sent: what was signed is these bytes."""
    return await request.body()


Body = Annotated[bytes, Depends(read_body)]


@router.post(
    "/requests",
    status_code=201,
    response_model=RequestItem,
    openapi_extra=signed_body("request", ENVELOPE),
    responses={
        200: {"model": RequestItem, "description": "It was lodged before."},
        **document(*AUTH_PROBLEMS, *_TAKING, "access-request-elsewhere"),
    },
)
def lodge_request(body: Body, caller: AccessOf, service: ServiceOf) -> JSONResponse:
    """Lodge a signed request with the company whose deposit it names. Whose key signed it is not judged here:
    the company compares its fingerprint.
    """
    with writing(service.engine) as connection:
        found, is_new = kept.lodge(connection, body, kept.Party(caller.organisation_id))
        if is_new:
            _record(connection, caller, "access.lodge", f"request:{found.sha256[:16]}")
        state = finding.states_of(connection, [found])[found.id]
    return JSONResponse(describe_request(found, state), 201 if is_new else 200)


@router.get(
    "/requests",
    response_model=RequestList,
    responses=document(*AUTH_PROBLEMS, "cursor-wrong", "request-malformed"),
)
def list_requests(
    caller: AccessOf, service: ServiceOf, after: After = None, limit: Limit = PAGE
) -> JSONResponse:
    """Requests about the organisation's own deposits, the oldest first."""
    with reading(service.engine) as connection:
        party = kept.Party(caller.organisation_id)
        found = finding.list_requests(connection, party, after=after, limit=limit + 1)
        states = finding.states_of(connection, found)
    items = [describe_request(item, states[item.id]) for item in found[:limit]]
    following = found[limit - 1].sha256 if len(found) > limit else None
    return JSONResponse({"items": items, "next": following})


@router.get(
    "/requests/{request}",
    response_model=RequestWhole,
    responses=document(*AUTH_PROBLEMS, "access-request-unknown"),
)
def get_request(request: Name, caller: AccessOf, service: ServiceOf) -> JSONResponse:
    """A request about one's own deposit, or one that one lodged, with what the company shows of it."""
    with reading(service.engine) as connection:
        found = finding.find_request(connection, kept.Party(caller.organisation_id), request)
        shown = finding.documents_of(connection, found)
    told = describe_request(found, finding.state_of(found, shown))
    return JSONResponse(
        {**told, "document": to_base64(found.data), "shown": [describe_shown(item) for item in shown]}
    )


@router.post(
    "/documents",
    status_code=201,
    response_model=ShownItem,
    openapi_extra=signed_body("document", ENVELOPE),
    responses={
        200: {"model": ShownItem, "description": "It was shown before."},
        **document(*AUTH_PROBLEMS, *_TAKING, "access-request-unknown"),
    },
)
def show_document(body: Body, caller: AccessOf, service: ServiceOf) -> JSONResponse:
    """Show an approval, a refusal, a withdrawal or a look to whoever lodged its request, or a custody event
    of one of the organisation's deposits on its own pages.
    """
    with writing(service.engine) as connection:
        found, is_new = kept.show_document(connection, caller.organisation_id, body)
        if is_new:
            _record(connection, caller, "access.show", f"document:{found.sha256[:16]}")
    return JSONResponse(describe_shown(found), 201 if is_new else 200)


def _record(connection: Connection, caller: Caller, action: str, subject: str) -> None:
    record(connection, action, subject, actor=f"organisation:{caller.organisation_id}")


def describe_request(found: kept.Lodged, state: str) -> dict[str, Any]:
    """The fields of RequestItem."""
    asked = found.request
    return {
        "sha256": found.sha256,
        "deposit": asked.envelope_sha256,
        "state": state,
        "name": asked.name,
        "role": asked.role,
        "organisation": asked.organisation,
        "matter": asked.matter,
        "ends_at": asked.ends_at,
        "lodged_at": format_instant(found.lodged_at),
    }


def describe_shown(found: kept.Shown) -> dict[str, Any]:
    """The fields of ShownItem."""
    return {
        "kind": found.kind,
        "sha256": found.sha256,
        "shown_at": format_instant(found.shown_at),
        "document": to_base64(found.data),
    }
