"""The log's routes without a socket: an ASGI client that sends exactly the bytes it is given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from mizheng.notary.log.served import ServedLog
from mizheng.notary.routes import log
from mizheng.notary.routes.problems import install_handlers
from sqlalchemy import Engine


@dataclass(frozen=True)
class Answer:
    """Status, headers with lower-case names, and the body as it was sent."""

    status: int
    headers: dict[str, str]
    body: bytes


class Reader:
    """A reader of one log."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        self._app = FastAPI(redirect_slashes=False)
        self._app.state.service = SimpleNamespace(served=ServedLog(engine, **options))
        self._app.include_router(log.router)
        install_handlers(self._app)
        self._runner = asyncio.Runner()

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """`path` as it would stand on the wire; header names with underscores."""
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        return self._runner.run(self._run(scope))

    def get(self, path: str) -> bytes:
        answer = self.ask(path)
        assert answer.status == 200, (path, answer.status)
        return answer.body

    async def _run(self, scope: dict[str, Any]) -> Answer:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        start = sent[0]
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
