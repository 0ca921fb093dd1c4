"""The log as everybody may read it: C2SP checkpoint, tiles and entry bundles.

Plain ASGI: nothing here needs validation by a model, and whoever reads a whole log asks for thousands of
tiles. A path is matched as it was sent: one file has one spelling, every other one is not there.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from mizheng.notary.errors import Problem
from mizheng.notary.log.publish import ENTRIES, parse_place
from mizheng.notary.log.served import Form, ServedFile, ServedLog
from mizheng.notary.routes.negotiation import accepts_gzip, is_matched
from mizheng.notary.routes.problems import document, problem_response
from mizheng.verifier.logkeys import LOG_KEYS_PATH
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

# A path and a width name the same bytes for ever.
_IMMUTABLE = "public, max-age=31536000, immutable"
# The head moves with every deposit.
_MOVING = "public, max-age=1"
# met, not-met, or none: nobody asks for a quorum of witnesses.
QUORUM_HEADER = "Mizheng-Witness-Quorum"
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_JSON = "application/json"
_BUNDLES = f"/tile/{ENTRIES}/"

Find = Callable[[ServedLog, str, Headers], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What the figures call the route; see `mizheng.notary.metrics.Counting`."""

    path: str


class LogReader:
    """ASGI application: answers GET and HEAD with what `find` finds."""

    def __init__(self, pattern: str, find: Find) -> None:
        self._pattern = _Pattern(pattern)
        self._find = find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self._pattern
        answer = await self.answer(scope["app"].state.service.served, scope)
        await answer(scope, receive, send)

    async def answer(self, log: ServedLog, scope: Scope) -> Response:
        """What is sent; 404 as problem details where nothing is found."""
        # As it was sent: %30 is not another way to write 0.
        path = scope["raw_path"].decode("latin-1")
        answer = await self._find(log, path, Headers(scope=scope))
        if answer is None:
            answer = problem_response(Problem("not-found"))
            # What is not there yet may be there in a second: nobody in between should remember it.
            answer.headers["Cache-Control"] = "no-store"
        if scope["method"] == "HEAD":
            # The length stays that of the body which GET would send.
            answer.body = b""
        return answer


async def find_checkpoint(log: ServedLog, path: str, headers: Headers) -> Response | None:
    """The published head, signed."""
    if path != "/checkpoint":
        return None
    form, quorum = await run_in_threadpool(log.checkpoint)
    said = {"Cache-Control": _MOVING, QUORUM_HEADER: quorum}
    return _answer(form, headers, said, {"Content-Type": _TEXT})


async def find_log_keys(log: ServedLog, path: str, headers: Headers) -> Response | None:
    """Every change of the log's key."""
    form = await run_in_threadpool(log.log_keys) if path == f"/{LOG_KEYS_PATH}" else None
    said = {"Cache-Control": _MOVING}
    return None if form is None else _answer(form, headers, said, {"Content-Type": _JSON})


async def find_tile(log: ServedLog, path: str, headers: Headers) -> Response | None:
    """A tile of hashes or an entry bundle: `<N>` or `<N>.p/<W>` on its level."""
    found = log.remembered(path[1:])
    if found is None:
        place = parse_place(path[1:])
        found = None if place is None else await run_in_threadpool(log.read, place)
    if found is None:
        return None
    form, said, body = choose_form(found, path, headers.get("accept-encoding"))
    return _answer(form, headers, said, body)


def choose_form(
    found: ServedFile, path: str, accept_encoding: str | None
) -> tuple[Form, dict[str, str], dict[str, str]]:
    """What is sent of a tile or a bundle; the headers of every answer with it, and those of its body."""
    body = {"Content-Type": _BYTES}
    if not path.startswith(_BUNDLES):
        return found.plain, {"Cache-Control": _IMMUTABLE}, body
    # Also on what is sent as it is: a cache in between must not hand one reader's form to another.
    said = {"Cache-Control": _IMMUTABLE, "Vary": "Accept-Encoding"}
    if found.gzip is not None and accepts_gzip(accept_encoding):
        return found.gzip, said, {"Content-Encoding": "gzip", **body}
    return found.plain, said, body


def _answer(form: Form, asked: Headers, said: dict[str, str], body: dict[str, str]) -> Response:
    said = {**said, "ETag": form.etag}
    if is_matched(asked.get("if-none-match"), form.etag):
        return Response(status_code=304, headers=said)
    return Response(form.data, headers={**said, **body})


TILE_PATTERN = "/tile/{path}"
tile_reader = LogReader(TILE_PATTERN, find_tile)

router = APIRouter()
router.routes += [
    Route("/checkpoint", LogReader("/checkpoint", find_checkpoint), methods=["GET"]),
    Route("/tile/{path:path}", tile_reader, methods=["GET"]),
    Route(f"/{LOG_KEYS_PATH}", LogReader(f"/{LOG_KEYS_PATH}", find_log_keys), methods=["GET"]),
]


def _described(summary: str, media_type: str, what: str, **parameters: str) -> dict[str, Any]:
    answers = document("not-found")
    answers[200] = {"description": what, "content": {media_type: {}}}
    answers[304] = {"description": "not modified"}
    text = {"type": "string"}
    named = [
        {"name": name, "in": "path", "required": True, "description": meaning, "schema": text}
        for name, meaning in parameters.items()
    ]
    responses = {str(status): answer for status, answer in answers.items()}
    return {"get": {"tags": ["log"], "summary": summary, "parameters": named, "responses": responses}}


_TILE = "index in groups of three digits, all but the last with x before it; .p/ and 1 to 255 if partial"
# Plain ASGI describes nothing of itself.
OPENAPI_PATHS: dict[str, Any] = {
    "/checkpoint": _described("The log's present head, signed", "text/plain", "C2SP signed note"),
    "/tile/{level}/{path}": _described(
        "A tile of hashes", _BYTES, "C2SP tlog-tiles", level="0 to 7", path=_TILE
    ),
    "/tile/entries/{path}": _described(
        "An entry bundle", _BYTES, "each entry as u16be length and bytes", path=_TILE
    ),
    f"/{LOG_KEYS_PATH}": _described("Every change of the log's key", _JSON, "mizheng/log-keys/v1"),
}
