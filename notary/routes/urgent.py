"""A deposit is to be anchored at once."""

import time
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from mizheng.notary.anchoring.urgent import request_anchor
from mizheng.notary.routes.callers import AUTH_PROBLEMS, DepositorOf, ServiceOf
from mizheng.notary.routes.problems import document
from mizheng.notary.routes.schemas import HEX32, UrgentAnswer

router = APIRouter(prefix="/v1/deposits", tags=["deposits"])


@router.post(
    "/{deposit_id}/urgent",
    response_model=UrgentAnswer,
    responses=document(*AUTH_PROBLEMS, "deposit-unknown", "urgent-limit"),
)
def request_urgent(
    deposit_id: Annotated[
        str, Path(description="the envelope's SHA-256, hex", json_schema_extra={"pattern": HEX32})
    ],
    caller: DepositorOf,
    service: ServiceOf,
) -> JSONResponse:
    """Have the log anchored at once, with this deposit in it, on every chain. Each company may ask so often
    in 24 hours; asked again for what is under way, nothing is counted.
    """
    answer = request_anchor(
        service.engine,
        caller,
        deposit_id,
        service.chains.profiles,
        per_day=service.instance.settings.urgent_per_day,
        now=int(time.time()),
    )
    return JSONResponse(answer)
