"""Tiles answered where their bytes come in: the answer is always that of the server's own protocol."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from mizheng.notary.log.served import ServedLog
from mizheng.notary.metrics import Metrics
from mizheng.notary.routes import log
from mizheng.notary.routes.problems import install_handlers
from mizheng.notary.routes.quick import QuickProtocol, quick_protocol, read_plain_headers
from mizheng.notary.serve import configure_server, listen
from uvicorn.server import ServerState

from tests.notary.readside.logs import make_log
from tests.notary.wire import talk

SIZE = 700
HOST = "Host: log.example\r\n"


class Side:
    """A server over the log, with or without the shortcut."""

    def __init__(self, served: ServedLog, *, is_quick: bool) -> None:
        self.app = FastAPI(redirect_slashes=False)
        self.app.state.service = SimpleNamespace(served=served)
        self.app.include_router(log.router)
        install_handlers(self.app)
        self.metrics = Metrics()
        self.config = configure_server(self.app, quick_protocol(served, self.metrics) if is_quick else None)
        self.port = 0

    @property
    def quick_answers(self) -> float:
        labels = {"method": "GET", "route": log.TILE_PATTERN, "status": "200"}
        return self.metrics.registry.get_sample_value("mizheng_http_requests_total", labels) or 0.0

    @contextlib.contextmanager
    def serving(self) -> Iterator[Side]:
        server = uvicorn.Server(self.config)
        with listen("127.0.0.1", 0) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
            thread.start()
            try:
                yield self
            finally:
                server.should_exit = True
                thread.join()

    def talk(self, *pieces: str, pause: float = 0.0) -> bytes:
        return talk(self.port, *pieces, pause=pause, patience=1.0)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """The shortcut's server and the plain one, over one log of which everything asked for is remembered."""
    served = ServedLog(make_log(tmp_path_factory.mktemp("log"), SIZE))
    for place in map(log.parse_place, ("tile/0/000", "tile/0/002.p/188", "tile/entries/000")):
        assert place is not None
        served.read(place)
    with contextlib.ExitStack() as stack:
        yield tuple(  # type: ignore[misc]
            stack.enter_context(Side(served, is_quick=is_quick).serving()) for is_quick in (True, False)
        )


@pytest.mark.parametrize(
    "request_text",
    [
        f"GET /tile/0/000 HTTP/1.1\r\n{HOST}\r\n",
        f"GET /tile/0/002.p/188 HTTP/1.1\r\n{HOST}User-Agent: a reader\r\nAccept: */*\r\n\r\n",
        f"GET /tile/entries/000 HTTP/1.1\r\n{HOST}\r\n",
        f"GET /tile/entries/000 HTTP/1.1\r\n{HOST}ACCEPT-ENCODING:gzip, br\r\nConnection: keep-alive\r\n\r\n",
        f"GET /tile/entries/000 HTTP/1.1\r\n{HOST}Accept-Encoding: gzip;q=0\r\n\r\n",
    ],
)
def test_a_remembered_file_is_answered_at_once_and_the_same(
    sides: tuple[Side, Side], request_text: str
) -> None:
    quick, plain = sides
    before = quick.quick_answers
    answer = quick.talk(request_text)
    assert quick.quick_answers == before + 1
    assert b"200 OK" in answer
    assert answer.endswith(b"(open)")
    assert answer == plain.talk(request_text)


PLAIN = f"GET /tile/0/000 HTTP/1.1\r\n{HOST}"


UNUSUAL = [
    # What changes the answer.
    (f'{PLAIN}If-None-Match: "x"\r\n\r\n',),
    (f"{PLAIN}If-None-Match: *\r\n\r\n",),
    (f"{PLAIN}Range: bytes=0-1\r\n\r\n",),
    (f"{PLAIN}Connection: close\r\n\r\n",),
    (f"{PLAIN}Expect: 100-continue\r\n\r\n",),
    (f"{PLAIN}Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",),
    (f"HEAD /tile/0/000 HTTP/1.1\r\n{HOST}\r\n",),
    ("GET /tile/0/000 HTTP/1.0\r\n\r\n",),
    (f"GET /tile/0/000?x HTTP/1.1\r\n{HOST}\r\n",),
    (f"GET /tile/0/%30%30%30 HTTP/1.1\r\n{HOST}\r\n",),
    (f"GET /tile/0/009 HTTP/1.1\r\n{HOST}\r\n",),
    (f"GET http://log.example/tile/0/000 HTTP/1.1\r\n{HOST}\r\n",),
    (f"GET /checkpoint HTTP/1.1\r\n{HOST}\r\n",),
    # What is wrong.
    ("GET /tile/0/000 HTTP/1.1\r\n\r\n",),
    (f"{PLAIN}{HOST}\r\n",),
    ("GET /tile/0/000 HTTP/1.1\r\nHost:\r\n\r\n",),
    (f"GET  /tile/0/000 HTTP/1.1\r\n{HOST}\r\n",),
    (f"GET /tile/0/000 HTTP/1.1 HTTP/1.1\r\n{HOST}\r\n",),
    (f"GET /tile/0/000 HTTP/1.1\r\n{HOST} folded\r\n\r\n",),
    (f"{PLAIN}Accept : */*\r\n\r\n",),
    (f"{PLAIN}Accept: \x00\r\n\r\n",),
    (f"{PLAIN}nothing\r\n\r\n",),
    # What is not one whole request.
    (f"{PLAIN}\r\nGET /tile/entries/000 HTTP/1.1\r\n{HOST}\r\n",),
    (f"{PLAIN}Content-Length: 3\r\n\r\nabc{PLAIN}\r\n",),
    (f"{PLAIN}Content-Length: 38\r\n\r\n", "GET /tile/0/002.p/188 HTTP/1.1\r\n\r\nabcd"),
    (f"{PLAIN}Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n", f"{PLAIN}\r\n"),
    ("GET /tile/0/0", "00 HTTP/1.1\r\n", f"{HOST}\r", "\n", f"{PLAIN}\r\n"),
    ("GET /tile/0/000 HTTP/1.1\r\n", f"{HOST}\r\n"),
    # A beginning in the parser, and then what looks like a whole one.
    ("GET /checkpoint HTTP/1.1\r\nX: ", f"{PLAIN}\r\n", f"{PLAIN}\r\n"),
]


@pytest.fixture(scope="module")
def answered(sides: tuple[Side, Side]) -> dict[tuple[str, ...], list[bytes]]:
    """What both sides say to each of the above; side by side, for most of the time is waiting for nothing."""
    with ThreadPoolExecutor(2 * len(UNUSUAL)) as threads:
        asked = {
            pieces: [threads.submit(side.talk, *pieces, pause=0.02) for side in sides] for pieces in UNUSUAL
        }
        return {pieces: [answer.result() for answer in answers] for pieces, answers in asked.items()}


@pytest.mark.parametrize("pieces", UNUSUAL)
def test_everything_else_is_answered_by_the_servers_own_protocol(
    answered: dict[tuple[str, ...], list[bytes]], pieces: tuple[str, ...]
) -> None:
    quick, plain = answered[pieces]
    assert quick == plain
    assert quick.startswith(b"HTTP/1.1 ")


def test_a_connection_goes_on_from_one_way_to_the_other(sides: tuple[Side, Side]) -> None:
    quick = sides[0]
    before = quick.quick_answers
    # Remembered, read for the first time, and remembered again; then something else.
    requests = [
        f"GET {path} HTTP/1.1\r\n{HOST}\r\n"
        for path in ("/tile/0/000", "/tile/1/000.p/2", "/tile/1/000.p/2", "/checkpoint", "/tile/0/000")
    ]
    answers = [side.talk(*requests, pause=0.2) for side in sides]
    assert quick.quick_answers == before + 2
    assert [answer.count(b"HTTP/1.1 200 OK") for answer in answers] == [5, 5]
    assert answers[0] == answers[1]


def test_an_idle_connection_is_closed(sides: tuple[Side, Side]) -> None:
    side = Side(sides[0].app.state.service.served, is_quick=True)
    side.config.timeout_keep_alive = 1
    with side.serving(), socket.create_connection(("127.0.0.1", side.port), timeout=10) as connection:
        for _ in range(3):
            # Idle for less than the limit each time, for more than it in all.
            connection.sendall(f"{PLAIN}\r\n".encode())
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
            time.sleep(0.5)
        assert side.quick_answers == 3
        started = time.monotonic()
        while connection.recv(65536):
            pass
        assert time.monotonic() - started < 5


def test_who_does_not_take_what_was_sent_is_not_sent_more(sides: tuple[Side, Side]) -> None:
    side = sides[0]
    sent: list[bytes] = []

    class Transport(asyncio.Transport):
        def write(self, data: Any) -> None:
            sent.append(data)

        def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
            raise AssertionError("it may still read tiles")

        def is_closing(self) -> bool:
            return False

        def resume_reading(self) -> None: ...

    async def run() -> None:
        served: ServedLog = side.app.state.service.served
        protocol = QuickProtocol(
            served, Metrics(), config=side.config, server_state=ServerState(), app_state={}
        )
        protocol.connection_made(Transport())
        protocol.data_received(f"{PLAIN}\r\n".encode())
        assert len(sent) == 1
        protocol.pause_writing()
        protocol.data_received(f"{PLAIN}\r\n".encode())
        await asyncio.sleep(0.05)
        assert len(sent) == 1
        protocol.resume_writing()
        await asyncio.sleep(0.05)
        assert len(sent) > 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\r\n",
        b"Host: a\r\n",
        b"Host: a\r\n\r\n\r\n",
        b"Host: a\n\r\n",
        b"Host: " + 2048 * b"a" + b"\r\n\r\n",
    ],
)
def test_headers_that_are_not_plain(block: bytes) -> None:
    assert read_plain_headers(block) is None
