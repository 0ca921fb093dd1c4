"""What the routes share: the service behind them, and who is calling."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from mizheng.notary.auditing.refusals import API_KEY, REQUEST
from mizheng.notary.companies.api_keys import Caller, authenticate
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.people.permissions import Action
from mizheng.notary.service import Service

# Only for the OpenAPI document; the header itself is read by `authenticate`.
bearer = HTTPBearer(auto_error=False, description="API key, as `mizheng-notary org add` showed it once")

AUTH_PROBLEMS = (
    "api-key-missing",
    "api-key-wrong",
    "api-key-expired",
    "api-key-disabled",
    "organisation-disabled",
    "quota-minute",
    "scope-missing",
)


def signed_body(what: str, example: object) -> dict[str, Any]:
    """The OpenAPI document of a route that takes a DSSE envelope. Written out, not declared as a parameter:
    nothing of such a body is read by FastAPI.
    """
    return {
        "security": [{bearer.scheme_name: []}],
        "requestBody": {
            "required": True,
            "description": f"The {what}'s DSSE envelope, byte for byte as it was signed; at most 64 KiB.",
            "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        },
    }


def get_service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def get_caller(
    request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Caller:
    """The calling organisation; runs in a worker thread, for it asks the database."""
    service = get_service(request)
    caller = admit(service, request.headers.get("authorization"))
    if caller.quota is not None:
        service.rates.let_in(caller.organisation_id, caller.quota.per_minute)
    return caller


def admit(service: Service, authorization: str | None) -> Caller:
    """Whom an Authorization header names; Problem when it is nobody that may call. Asks the database."""
    try:
        with reading(service.engine) as connection:
            return authenticate(connection, authorization)
    except Problem as problem:
        # Who sent no key has tried nothing.
        if problem.code != "api-key-missing":
            service.refusals.note(API_KEY, "notary", reason=problem.code)
        raise


def require(service: Service, caller: Caller, action: Action) -> Caller:
    """The caller, if its key may be used for this; Problem otherwise, and a row of the audit log."""
    try:
        return caller.require(action)
    except Problem:
        key, company = f"api-key:{caller.api_key_id}", f"organisation:{caller.organisation_id}"
        service.refusals.note(REQUEST, key, actor=company, reason=f"scope-missing {action.value}")
        raise


def _caller_with(action: Action) -> Callable[..., Caller]:
    def get(request: Request, caller: Annotated[Caller, Depends(get_caller)]) -> Caller:
        return require(get_service(request), caller, action)

    return get


ServiceOf = Annotated[Service, Depends(get_service)]
# By what the route does; whoever calls with another key is answered 403.
ReaderOf = Annotated[Caller, Depends(_caller_with(Action.DEPOSITS_READ))]
DepositorOf = Annotated[Caller, Depends(_caller_with(Action.DEPOSIT))]
EnrollerOf = Annotated[Caller, Depends(_caller_with(Action.KEY_ENROL))]
SubscriberOf = Annotated[Caller, Depends(_caller_with(Action.WEBHOOKS))]
CorrespondentOf = Annotated[Caller, Depends(_caller_with(Action.MAILBOX))]
AccessOf = Annotated[Caller, Depends(_caller_with(Action.ACCESS))]
CallerOf = Annotated[Caller, Depends(get_caller)]
