"""The routes of deposits, of tiles and of certificates' pages past FastAPI's layers, which cost more than the
deposit, the tile or the page itself.

What is left of the way: the size is limited, the answer is counted, and what goes wrong is answered by the
same handlers as everywhere.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from fastapi import FastAPI
from mizheng.notary.metrics import Counting
from mizheng.notary.pages.routes import CERTIFICATE_PATH, CERTIFICATE_PATTERN, answer_certificate
from mizheng.notary.routes.intake import DEPOSITS_PATH, MAX_BATCH_BYTES, take_batch, take_deposit
from mizheng.notary.routes.limits import MAX_BODY_BYTES, BodyLimit
from mizheng.notary.routes.log import TILE_PATTERN, tile_reader
from mizheng.notary.service import Service
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request, Exception], Awaitable[Response]]
Take = Callable[[Service, Scope, Receive], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What the figures call the route; see `mizheng.notary.metrics.Counting`."""

    path: str


class _Direct:
    """ASGI application: answers with what `take` gives, or with what the handlers make of its error."""

    def __init__(self, app: FastAPI, service: Service, path: str, take: Take) -> None:
        self._handlers = app.exception_handlers
        self._service = service
        self._pattern = _Pattern(path)
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self._pattern
        try:
            response = await self._take(self._service, scope, receive)
        except ClientDisconnect:
            # Nobody is there to be answered, and nothing was begun.
            return
        except Exception as error:
            kind = next(kind for kind in type(error).__mro__ if kind in self._handlers)
            handler = cast(Handler, self._handlers[kind])
            answer = await handler(Request(scope, receive), error)
            await answer(scope, receive, send)
            if kind is Exception:
                # The server logs it with its traceback.
                raise
            return
        await response(scope, receive, send)


async def _take_tile(service: Service, scope: Scope, _receive: Receive) -> Response:
    return await tile_reader.answer(service.served, scope)


async def _show_certificate(service: Service, scope: Scope, receive: Receive) -> Response:
    return await answer_certificate(service, Request(scope, receive))


class NotaryApp(FastAPI):
    """FastAPI, with shortcuts: POST requests to some paths, reading tiles, certificates' pages."""

    shortcuts: dict[str, ASGIApp]
    tiles: ASGIApp
    certificates: ASGIApp | None

    def add_shortcuts(self, service: Service) -> None:
        self.shortcuts = {
            path: Counting(BodyLimit(_Direct(self, service, path, take), limit), service.metrics)
            for path, take, limit in (
                (DEPOSITS_PATH, take_deposit, MAX_BODY_BYTES),
                (f"{DEPOSITS_PATH}:batch", take_batch, MAX_BATCH_BYTES),
            )
        }

        # Whoever reads a whole log asks for thousands of them.
        self.tiles = Counting(_Direct(self, service, TILE_PATTERN, _take_tile), service.metrics)
        # What stands in a QR code is asked for again and again.
        page = _Direct(self, service, CERTIFICATE_PATTERN, _show_certificate)
        self.certificates = Counting(page, service.metrics) if service.pages.is_enabled else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            if scope["path"].startswith("/tile/"):
                await self.tiles(scope, receive, send)
                return
            if self.certificates and scope["method"] == "GET" and CERTIFICATE_PATH.fullmatch(scope["path"]):
                await self.certificates(scope, receive, send)
                return
        elif scope["type"] == "http" and scope["method"] == "POST":
            shortcut = self.shortcuts.get(scope["path"])
            if shortcut is not None:
                await shortcut(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
