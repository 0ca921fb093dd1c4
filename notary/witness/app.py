"""A witness over HTTP: `POST /add-checkpoint` and nothing that a log has to log in for."""

import sqlite3

from mizheng.notary.witness.witness import TEXT, Answer, Witness
from mizheng.verifier.witnessing import MAX_REQUEST_BYTES
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_RETRY = {"Retry-After": "5"}


def create_witness_app(witness: Witness) -> Starlette:
    """The application of one witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = await _read(request)
        if body is None:
            # The rest of the body stays unread, so the connection cannot be used again.
            return Response("the body is too long\n", 413, {"Connection": "close"}, TEXT)
        try:
            answer = await run_in_threadpool(witness.add_checkpoint, body)
        except (sqlite3.Error, OSError):
            # Nothing was stored, or nobody knows: either way nothing was cosigned.
            return Response("the witness cannot store anything just now\n", 503, _RETRY, TEXT)
        return _respond(answer)

    async def get_health(_request: Request) -> Response:
        return Response("ok\n", media_type=TEXT)

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/healthz", get_health, methods=["GET"]),
        ]
    )


async def _read(request: Request) -> bytes | None:
    """The body; None when it is longer than any request."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            return None
    return body


def _respond(answer: Answer) -> Response:
    # As bytes and with the whole media type: Starlette adds a charset to text/… by itself.
    headers = {"Content-Type": answer.media_type}
    return Response(answer.body, answer.status, headers)
