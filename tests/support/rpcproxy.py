"""An HTTP proxy before a JSON-RPC node, for one request at a time to go wrong: lost on its way there or back,
slow, refused with 429, cut off, or answered with a lie.

    with RpcProxy(node.url) as proxy:
        proxy.plan("eth_sendRawTransaction", "unanswered")     # the next one of these
        proxy.rule = lambda method, params: "429" if method == "eth_getLogs" else None      # every one
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

# lost: the node never sees the request. unanswered: it does, and its answer is lost. cut: half of the
# answer's bytes. slow: SLOW_SECONDS later. A number: that HTTP status instead of an answer. A dict: this
# JSON-RPC error. A function: what it makes of the node's answer.
Fault = str | dict[str, Any] | Callable[[Any], Any]
SLOW_SECONDS = 0.4


class RpcProxy:
    """Listens on `url` and passes requests on to `target`, until `plan` or `rule` say otherwise."""

    def __init__(self, target: str, port: int = 0) -> None:
        self.target = target
        self.rule: Callable[[str, list[Any]], Fault | None] = lambda _method, _params: None
        self.counts: Counter[str] = Counter()
        """Requests that arrived here, by method."""
        self.faults: Counter[str] = Counter()
        """Faults that happened."""
        self._plans: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._guard = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def plan(self, method: str, *faults: Fault) -> None:
        """What happens to the next requests of this method, one after the other."""
        with self._guard:
            self._plans[method].extend(faults)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: bytes) -> tuple[int, bytes | None, bool]:
        """(HTTP status, body or None for a connection that is closed, whether the body is cut off)."""
        request = json.loads(body)
        method, params = str(request["method"]), list(request.get("params") or [])
        with self._guard:
            self.counts[method] += 1
            fault = self._plans[method].popleft() if self._plans[method] else self.rule(method, params)
            if fault is not None:
                name = "error" if isinstance(fault, dict) else "lie"
                self.faults[fault if isinstance(fault, str) else name] += 1
        if fault == "lost":
            return 0, None, False
        if isinstance(fault, str) and fault.isdigit():
            return int(fault), b"too many requests\n", False
        if isinstance(fault, dict):
            error = {"jsonrpc": "2.0", "id": request["id"], "error": fault}
            return 200, json.dumps(error).encode(), False
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        try:
            answer = self._pass_on(body)
        except (OSError, http.client.HTTPException):
            return 0, None, False
        if fault == "unanswered":
            return 0, None, False
        if callable(fault):
            told = json.loads(answer)
            told["result"] = fault(told.get("result"))
            answer = json.dumps(told).encode()
        return 200, answer, fault == "cut"

    def _pass_on(self, body: bytes) -> bytes:
        """The node's answer. A connection a request: one that is kept alive does not notice that the node was
        started anew.
        """
        node = urlsplit(self.target)
        connection = http.client.HTTPConnection(node.hostname or "", node.port, timeout=30)
        try:
            connection.request("POST", node.path or "/", body, {"content-type": "application/json"})
            return connection.getresponse().read()
        finally:
            connection.close()


def _handler(proxy: RpcProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: two would each wait for the other side's acknowledgement.
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, answer, is_cut = proxy.answer(body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer[: len(answer) // 2] if is_cut else answer)
            self.close_connection = is_cut or self.close_connection

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
