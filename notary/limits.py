"""Bodies are bounded before they are read."""

import json
import sys

from mizheng.notary.errors import Problem
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The largest envelope the verifier reads (formats §3); nothing else that is sent here comes near it.
MAX_BODY_BYTES = 64 * 1024


class BodyLimit:
    """ASGI middleware: answers 413 by the announced length, and stops counting bodies that lie about it."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_length(scope) > self._limit:
            await _refuse(send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise Problem("body-too-large")
            return message

        await self._app(scope, receive_counted, send)


def _announced_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            # A number of a hundred digits is too large as well, and cheaper to see by its length.
            return int(value) if len(value) < 20 else sys.maxsize
    return 0


async def _refuse(send: Send) -> None:
    problem = Problem("body-too-large")
    body = json.dumps(problem.as_json()).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        # The rest of the body stays unread, so the connection cannot be used again.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
