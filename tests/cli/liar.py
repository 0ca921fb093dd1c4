"""A notary in the middle: passes everything on, and changes what a test wants changed."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Alter = Callable[[str, dict[str, Any]], dict[str, Any] | tuple[int, bytes] | None]
"""Gets path and the true JSON answer; gives another, a status with raw bytes, or None to hang up."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Liar:
    """Listens on a port of its own in front of the notary at `target`."""

    def __init__(self, target: str, alter: Alter) -> None:
        self.requests: list[tuple[str, bytes]] = []
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["content-length"])))

            def _answer(self, body: bytes | None) -> None:
                liar.requests.append((self.path, body or b""))
                status, data = _pass_on(target + self.path, body, self.headers["authorization"])
                told = json.loads(data) if data else {}
                answer = alter(self.path, told)
                if answer is told:
                    # Byte for byte: some answers have one way to be written.
                    answer = (status, data)
                if answer is None:
                    self.close_connection = True
                    return
                if isinstance(answer, tuple):
                    status, data = answer
                else:
                    data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Liar:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pass_on(address: str, body: bytes | None, authorization: str | None) -> tuple[int, bytes]:
    headers = {"content-type": "application/json"}
    if authorization:
        headers["authorization"] = authorization
    try:
        request = urllib.request.Request(address, body, headers)  # noqa: S310 - the test's own server
        with _DIRECT.open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 502, b""
