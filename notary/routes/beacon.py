"""A recent final block."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from mizheng.notary.errors import Problem
from mizheng.notary.routes.callers import AUTH_PROBLEMS, CallerOf, ServiceOf
from mizheng.notary.routes.problems import document
from mizheng.notary.routes.schemas import BeaconAnswer

router = APIRouter(prefix="/v1/beacon", tags=["beacon"])


@router.get("", response_model=BeaconAnswer, responses=document(*AUTH_PROBLEMS, "no-final-block"))
def get_beacon(_caller: CallerOf, service: ServiceOf) -> JSONResponse:
    """A recent final block, for a statement's `not_before`: its hash could not be known before it existed."""
    beacon = service.beacon()
    if beacon is None:
        raise Problem("no-final-block")
    return JSONResponse(beacon)
