"""For those who keep the notary running."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from mizheng.notary.metrics import CONTENT_TYPE
from mizheng.notary.routes.callers import ServiceOf
from mizheng.notary.routes.schemas import HealthAnswer, ReadyAnswer

router = APIRouter(tags=["operation"])


@router.get("/healthz", response_model=HealthAnswer)
async def get_health() -> JSONResponse:
    """The process answers. Says nothing about what stands behind it."""
    return JSONResponse({"state": "ok"})


@router.get(
    "/readyz",
    response_model=ReadyAnswer,
    responses={503: {"model": ReadyAnswer, "description": "Deposits cannot be taken."}},
)
def get_readiness(service: ServiceOf) -> JSONResponse:
    """Whether deposits are taken; a chain that is down only delays anchors."""
    answer = service.readiness()
    return JSONResponse(answer, 503 if answer["state"] == "not-ready" else 200)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: {}}, "description": "Prometheus text format."}},
)
def get_metrics(service: ServiceOf) -> Response:
    """Prometheus text format."""
    return Response(service.metrics.dump(), media_type=CONTENT_TYPE)
