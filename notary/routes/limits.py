"""Bodies are bounded before they are read."""

import asyncio
import contextlib
import json
import re
import sys

from mizheng.notary.errors import Problem
from mizheng.notary.mailbox.files import PART_BYTES
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The largest envelope the verifier reads (formats §3); nothing else that is sent here comes near it.
MAX_BODY_BYTES = 64 * 1024
# Parts of what is left in the mailbox are written to the disk as they come.
_PART = re.compile(r"/v1/mailbox/[0-9a-f]{32}/parts/[0-9]{1,7}")
# Twice the largest batch, in the time a slow line needs for it; whoever sends more sees a reset.
_DISCARD_BYTES = 8 * 1024 * 1024
_DISCARD_SECONDS = 2.0


class BodyLimit:
    """ASGI middleware: answers 413 by the announced length, and stops counting bodies that lie about it."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        if _announced_length(scope) > limit:
            await _refuse(receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise Problem("body-too-large")
            return message

        await self._app(scope, receive_counted, send)

    def _limit_of(self, scope: Scope) -> int:
        is_part = scope["method"] == "PUT" and _PART.fullmatch(scope["path"])
        return max(self._limit, PART_BYTES) if is_part else self._limit


def _announced_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            # A number of a hundred digits is too large as well, and cheaper to see by its length.
            return int(value) if len(value) < 20 else sys.maxsize
    return 0


async def _refuse(receive: Receive, send: Send) -> None:
    problem = Problem("body-too-large")
    body = json.dumps(problem.as_json()).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        # What is left of the body may stay unread, so the connection cannot be used again.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    # A connection that is closed over unread bytes is reset, and the answer may be lost on its way. So
    # what is still coming is let pass for a moment.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_discard(receive), _DISCARD_SECONDS)
    await send({"type": "http.response.body", "body": b""})


async def _discard(receive: Receive) -> None:
    discarded = 0
    while discarded < _DISCARD_BYTES:
        message = await receive()
        discarded += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
