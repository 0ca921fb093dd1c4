"""The mailbox: ciphertexts that one leaves for another; the notary can read none of them."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials
from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.mailbox import items
from mizheng.notary.mailbox.files import PART_BYTES, size_of_part
from mizheng.notary.mailbox.keeper import MailboxKeeper
from mizheng.notary.mailbox.withdrawals import check_withdrawal
from mizheng.notary.people.permissions import Action, Target, decide
from mizheng.notary.routes.callers import AUTH_PROBLEMS, CorrespondentOf, ServiceOf, bearer, get_caller
from mizheng.notary.routes.certificates import let_in
from mizheng.notary.routes.mailbox_schemas import MailboxItem, MailboxPage, MailboxRequest
from mizheng.notary.routes.paging import PAGE, After, Limit
from mizheng.notary.routes.problems import document
from starlette.requests import ClientDisconnect

TOKEN_HEADER = "Mizheng-Token"  # noqa: S105 - its name
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_OCTETS = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_JSON = {"application/json": {"schema": {"type": "object"}}}


def get_mailbox(service: ServiceOf) -> MailboxKeeper:
    if not service.mailbox.setup.is_enabled:
        raise Problem("not-found")
    return service.mailbox


def get_visitor(
    request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Caller | None:
    """The calling company where an API key with the scope is sent; else nobody, who is counted."""
    if request.headers.get("authorization") is None:
        let_in(request)
        return None
    caller = get_caller(request, _documented)
    return caller if decide(caller.actor, Action.MAILBOX, Target(caller.organisation_id)) else None


router = APIRouter(prefix="/v1/mailbox", tags=["mailbox"])
MailboxOf = Annotated[MailboxKeeper, Depends(get_mailbox)]
VisitorOf = Annotated[Caller | None, Depends(get_visitor)]
ItemId = Annotated[str, Path(description="the item's id", pattern="^[0-9a-f]{32}$")]
PartNumber = Annotated[int, Path(description="from 0", ge=0, le=1_000_000)]
Token = Annotated[
    str | None,
    Header(alias=TOKEN_HEADER, description="what the sender gave to the recipient; never in a URL"),
]
_OWN = (*AUTH_PROBLEMS, "not-found", "mailbox-unknown")
_VISITOR = (*_OWN, "too-many-requests")
_GONE = ("mailbox-withdrawn", "mailbox-expired")


def _body(content: dict[str, Any], text: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "description": text, "content": content}}


# The sender's


@router.post(
    "",
    status_code=201,
    response_model=MailboxItem,
    responses=document(*AUTH_PROBLEMS, "not-found", "mailbox-limit", "mailbox-full"),
)
def leave(
    asked: MailboxRequest, caller: CorrespondentOf, service: ServiceOf, mailbox: MailboxOf
) -> JSONResponse:
    """Begin to leave something: its parts follow, each of `part_bytes`, the last one of what is left."""
    now = int(time.time())
    leaving = items.Leaving(
        asked.size,
        bytes.fromhex(asked.sha256),
        bytes.fromhex(asked.token_sha256),
        asked.days,
        asked.addressee,
    )
    with writing(service.engine) as connection:
        row = items.create_item(connection, caller, leaving, mailbox.setup, now)
        mailbox.files.require_room(asked.size)
    return JSONResponse({**items.describe(row, now), "have": []}, 201)


@router.get("", response_model=MailboxPage, responses=document(*AUTH_PROBLEMS, "not-found", "cursor-wrong"))
def list_items(
    caller: CorrespondentOf,
    service: ServiceOf,
    _mailbox: MailboxOf,
    box: Annotated[Literal["sent", "received"], Query(description="left by me, or for me")] = "received",
    after: After = None,
    limit: Limit = PAGE,
) -> JSONResponse:
    """What the company left, or what others left for it, oldest first."""
    now = int(time.time())
    with reading(service.engine) as connection:
        rows, following = items.list_items(connection, caller, box, after, limit)
    return JSONResponse({"items": [items.describe(row, now) for row in rows], "next": following})


@router.put(
    "/{item}/parts/{number}",
    status_code=204,
    response_class=Response,
    openapi_extra=_body(_OCTETS, f"Exactly {PART_BYTES} bytes, or of the last part what is left."),
    responses=document(*_OWN, "body-too-large", "mailbox-complete", "mailbox-full"),
)
async def put_part(
    item: ItemId,
    number: PartNumber,
    request: Request,
    caller: CorrespondentOf,
    service: ServiceOf,
    mailbox: MailboxOf,
) -> Response:
    """Send one part; the same one again replaces it. Parts may come in any order."""

    def find() -> int:
        with writing(service.engine) as connection:
            row = items.find_own(connection, caller, item)
            if row.state != items.OPEN:
                raise Problem("mailbox-complete")
            items.touch(connection, item, int(time.time()))
        return size_of_part(row.size, number)

    size = await run_in_threadpool(find)
    try:
        await mailbox.files.write_part(item, number, size, request.stream())
    except ClientDisconnect:
        # Nobody is there to be answered, and nothing of the part was kept.
        return Response(status_code=400)
    return Response(status_code=204)


@router.post(
    "/{item}/complete",
    response_model=MailboxItem,
    responses=document(*_OWN, "mailbox-incomplete", "mailbox-digest-wrong"),
)
def complete(item: ItemId, caller: CorrespondentOf, service: ServiceOf, mailbox: MailboxOf) -> JSONResponse:
    """All parts were sent: from now on it lies for its recipient. Asked again, nothing changes."""
    with reading(service.engine) as connection:
        row = items.find_own(connection, caller, item)
    if row.state == items.OPEN:
        if mailbox.files.digest(item, row.size) != row.sha256:
            mailbox.files.delete(item)
            raise Problem("mailbox-digest-wrong")
        mailbox.files.settle(item)
        with writing(service.engine) as connection:
            items.finish(connection, item)
            row = items.find_own(connection, caller, item)
    return JSONResponse(items.describe(row, int(time.time())))


@router.get("/{item}", response_model=MailboxItem, responses=document(*_VISITOR))
def show(
    item: ItemId, visitor: VisitorOf, service: ServiceOf, mailbox: MailboxOf, token: Token = None
) -> JSONResponse:
    """What lies there: for its sender (with the parts that came), its addressee, or who has the token."""
    now = int(time.time())
    with reading(service.engine) as connection:
        row = _find(connection, visitor, token, item)
    answer = items.describe(row, now)
    if visitor is not None and row.organisation_id == visitor.organisation_id:
        answer["have"] = mailbox.files.parts(item)
    return JSONResponse(answer, headers=_NO_STORE)


@router.post(
    "/{item}/withdrawal",
    status_code=204,
    response_class=Response,
    openapi_extra=_body(_JSON, "mizheng/withdrawal/v1, signed by a key of the company; at most 64 KiB."),
    responses=document(*_OWN, "body-too-large", "withdrawal-malformed", "mailbox-answered"),
)
async def withdraw(
    item: ItemId, request: Request, caller: CorrespondentOf, service: ServiceOf, mailbox: MailboxOf
) -> Response:
    """Take it back: the ciphertext is deleted, the signed withdrawal is shown to whoever comes for it."""
    body = await request.body()

    def run() -> None:
        with writing(service.engine) as connection:
            row = items.find_own(connection, caller, item)
            check_withdrawal(connection, caller, body)
            items.withdraw(connection, row, body)
        mailbox.files.delete(item)

    await run_in_threadpool(run)
    return Response(status_code=204)


@router.get(
    "/{item}/acceptance",
    response_class=Response,
    responses={200: {"content": _OCTETS}, **document(*_OWN, "mailbox-unanswered")},
)
def fetch_acceptance(
    item: ItemId, caller: CorrespondentOf, service: ServiceOf, _mailbox: MailboxOf
) -> Response:
    """What the recipient answered, encrypted to the sender."""
    with reading(service.engine) as connection:
        row = items.find_own(connection, caller, item)
    if row.acceptance is None:
        raise Problem("mailbox-unanswered")
    return Response(row.acceptance, media_type="application/octet-stream", headers=_NO_STORE)


# The recipient's


@router.get(
    "/{item}/parts/{number}",
    response_class=FileResponse,
    responses={200: {"content": _OCTETS}, **document(*_VISITOR, *_GONE)},
)
def fetch_part(
    item: ItemId,
    number: PartNumber,
    visitor: VisitorOf,
    service: ServiceOf,
    mailbox: MailboxOf,
    token: Token = None,
) -> FileResponse:
    """One part, as it was sent."""
    with reading(service.engine) as connection:
        row = items.find_for(connection, visitor, token, item)
    items.require_there(row, int(time.time()))
    size_of_part(row.size, number)
    return FileResponse(
        mailbox.files.part(item, number), media_type="application/octet-stream", headers=_NO_STORE
    )


@router.get(
    "/{item}/withdrawal",
    response_class=Response,
    responses={200: {"content": _JSON}, **document(*_VISITOR, "mailbox-unanswered")},
)
def fetch_withdrawal(
    item: ItemId, visitor: VisitorOf, service: ServiceOf, _mailbox: MailboxOf, token: Token = None
) -> Response:
    """The sender's signed word that he took it back."""
    with reading(service.engine) as connection:
        row = items.find_for(connection, visitor, token, item)
    if row.withdrawal is None:
        raise Problem("mailbox-unanswered")
    return Response(row.withdrawal, media_type="application/json", headers=_NO_STORE)


@router.post(
    "/{item}/acceptance",
    status_code=204,
    response_class=Response,
    openapi_extra=_body(_OCTETS, "An age file to the sender's `reply_to`; at most 64 KiB."),
    responses=document(*_VISITOR, "body-too-large", "mailbox-answered"),
)
async def accept(
    item: ItemId,
    request: Request,
    visitor: VisitorOf,
    service: ServiceOf,
    _mailbox: MailboxOf,
    token: Token = None,
) -> Response:
    """Answer the sender; the first answer stands, and the same one again changes nothing."""
    body = await request.body()
    if not body:
        raise Problem("request-malformed", "an answer that says nothing")

    def run() -> None:
        with writing(service.engine) as connection:
            items.accept(connection, items.find_for(connection, visitor, token, item), body)

    await run_in_threadpool(run)
    return Response(status_code=204)


def _find(connection: Any, visitor: Caller | None, token: str | None, item: str) -> Any:
    """For its sender as for its recipient."""
    try:
        return items.find_for(connection, visitor, token, item)
    except Problem:
        if visitor is None:
            raise
        return items.find_own(connection, visitor, item)
