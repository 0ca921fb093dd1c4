"""An application asked in this process, as over HTTP, without a server and its port."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

_runner: list[asyncio.Runner] = []


class AppClient:
    """A client with cookies of its own; follows nobody."""

    def __init__(self, app: Any, origin: str) -> None:
        if not _runner:
            _runner.append(asyncio.Runner())
        # What the server would log with its traceback comes back as the 500 that it answers.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 50000))
        self._client = httpx.AsyncClient(transport=transport, base_url=origin)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return _runner[0].run(self._client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)
