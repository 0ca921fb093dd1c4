"""What a company has made, page by page: deposits, events, certificates."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from mizheng.notary.certificates.answers import describe_to_depositor
from mizheng.notary.database import reading
from mizheng.notary.intake.listing import list_certificates, list_entries
from mizheng.notary.models import deposits, events
from mizheng.notary.routes.callers import AUTH_PROBLEMS, ReaderOf, ServiceOf
from mizheng.notary.routes.list_schemas import CertificateList, EntryList
from mizheng.notary.routes.paging import PAGE, After, Limit, parse_cursor
from mizheng.notary.routes.problems import document
from sqlalchemy import Table

router = APIRouter(prefix="/v1")

State = Annotated[
    Literal["deposited", "anchored", "final"] | None, Query(description="only those in this state")
]
_RESPONSES = document(*AUTH_PROBLEMS, "cursor-wrong", "request-malformed")


@router.get("/deposits", response_model=EntryList, responses=_RESPONSES, tags=["deposits"])
def list_deposits(
    caller: ReaderOf, service: ServiceOf, state: State = None, after: After = None, limit: Limit = PAGE
) -> JSONResponse:
    """The organisation's deposits in the order of the log, the oldest first. Asked again with the last
    cursor, only what is new comes.
    """
    return _entries(service, deposits, caller.organisation_id, state, after, limit)


@router.get("/events", response_model=EntryList, responses=_RESPONSES, tags=["events"])
def list_events(
    caller: ReaderOf, service: ServiceOf, state: State = None, after: After = None, limit: Limit = PAGE
) -> JSONResponse:
    """Events that the organisation put on record, in the order of the log, the oldest first."""
    return _entries(service, events, caller.organisation_id, state, after, limit)


@router.get(
    "/organisation/certificates", response_model=CertificateList, responses=_RESPONSES, tags=["certificates"]
)
def list_own_certificates(
    caller: ReaderOf, service: ServiceOf, after: After = None, limit: Limit = PAGE
) -> JSONResponse:
    """Certificates that the organisation asked for, in the order of their deposits."""
    place = parse_cursor(after)
    with reading(service.engine) as connection:
        found = list_certificates(connection, caller.organisation_id, after=place, limit=limit + 1)
    items = [describe_to_depositor(deposit_id, kept, None) for deposit_id, kept in found[:limit]]
    following = found[limit - 1][1].leaf_index if len(found) > limit else None
    return _page(items, following)


def _entries(
    service: ServiceOf, table: Table, organisation_id: int, state: str | None, after: str | None, limit: int
) -> JSONResponse:
    place = parse_cursor(after)
    with reading(service.engine) as connection:
        found = list_entries(connection, table, organisation_id, state=state, after=place, limit=limit + 1)
    following = found[limit - 1]["leaf_index"] if len(found) > limit else None
    return _page(found[:limit], following)


def _page(items: list[dict[str, Any]], following: int | None) -> JSONResponse:
    return JSONResponse({"items": items, "next": None if following is None else str(following)})
