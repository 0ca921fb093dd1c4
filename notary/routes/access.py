"""What the routes share: the service behind them, and who is calling."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from mizheng.notary.companies.api_keys import Caller, authenticate
from mizheng.notary.database import reading
from mizheng.notary.service import Service

# Only for the OpenAPI document; the header itself is read by `authenticate`.
bearer = HTTPBearer(auto_error=False, description="API key, as `mizheng-notary org add` showed it once")

AUTH_PROBLEMS = (
    "api-key-missing",
    "api-key-wrong",
    "api-key-expired",
    "api-key-disabled",
    "organisation-disabled",
)


def get_service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def get_caller(
    request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
) -> Caller:
    """The calling organisation; runs in a worker thread, for it asks the database."""
    with reading(get_service(request).engine) as connection:
        return authenticate(connection, request.headers.get("authorization"))


ServiceOf = Annotated[Service, Depends(get_service)]
CallerOf = Annotated[Caller, Depends(get_caller)]
