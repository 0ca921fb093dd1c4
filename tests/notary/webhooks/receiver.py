"""A receiver of webhooks on this machine: real HTTP, and what it answers is up to the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from mizheng.cli.client import WebhookMessage, WebhookReceiver

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def open(self, *secrets: str) -> WebhookMessage:
        """Checked as a company's own software would."""
        return WebhookReceiver(*secrets).receive(self.headers, self.body)


class Receiver:
    """Keeps what it is sent. `answer` is asked for a status, or a status and a Location, each time."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], int | tuple[int, str]] = lambda _: 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.path, headers, body)
                outer.received.append(received)
                said = outer.answer(received)
                status, location = said if isinstance(said, tuple) else (said, None)
                self.send_response(status)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int) -> list[Received]:
        """All that came, once there are so many."""
        wait_until(lambda: len(self.received) >= count, lambda: [one.body for one in self.received])
        return self.received


def wait_until(holds: Callable[[], object], said: Callable[[], object] = lambda: "in vain") -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)
