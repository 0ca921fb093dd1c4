"""Requests that are answered where their bytes come in: remembered tiles, and deposits.

Whoever reads a whole log asks for thousands of tiles, and to look one up takes a twentieth of the time that
parser, task and application need for it; and a deposit costs the notary less than those do. So what nearly
every client sends is taken at once: a GET of a tile or a POST of a deposit, whole and alone in what was
received, whose headers change nothing. What would be answered with anything but the usual (a tile not
remembered, a caller not known, an envelope refused) goes on to the server's own protocol as if nobody had
looked at it; and once anything else comes, the connection is that protocol's for good.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, cast

from mizheng.notary.intake.deposits import Deposit
from mizheng.notary.log.sequencer import Outcome, Sequenced
from mizheng.notary.log.served import ServedLog
from mizheng.notary.metrics import Metrics
from mizheng.notary.routes.intake import DEPOSITS_PATH, DepositDesk
from mizheng.notary.routes.limits import MAX_BODY_BYTES
from mizheng.notary.routes.log import TILE_PATTERN, choose_form
from mizheng.notary.routes.plain import read_plain_headers
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_METHOD, _VERSION = b"GET ", b" HTTP/1.1"
_TILE = _METHOD + b"/tile/"
_DEPOSIT = f"POST {DEPOSITS_PATH} HTTP/1.1\r\n".encode()
_END = b"\r\n\r\n"
# A connection's heads are few: one for each file that it reads again.
_MAX_HEADS = 8192


def quick_protocol(
    served: ServedLog, metrics: Metrics, desk: DepositDesk | None = None
) -> type[asyncio.Protocol]:
    """For uvicorn's configuration: its own protocol, with this before it. Without a `desk` for tiles only."""
    # Whatever makes one is called as the class would be.
    return cast(type[asyncio.Protocol], partial(QuickProtocol, served, metrics, desk))


class _UnderWay:
    """Stands where uvicorn's protocols have their cycle while a deposit waits for its commit."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    def __init__(self) -> None:
        self.response_complete = False
        self.disconnected = False
        # False once the server is told to stop: then this answer is the connection's last.
        self.keep_alive = True

    @property
    def message_event(self) -> _UnderWay:
        return self

    def set(self) -> None:
        """Nobody here waits for a message."""


class QuickProtocol(asyncio.Protocol):
    """One connection, as long as nothing but tiles is read and deposits are made over it."""

    def __init__(
        self, served: ServedLog, metrics: Metrics, desk: DepositDesk | None = None, **options: Any
    ) -> None:
        """`options`: what uvicorn makes its protocols with."""
        self._served = served
        self._metrics = metrics
        self._desk = desk
        # h11's or httptools', whichever is installed.
        self._inner: Any = AutoHTTPProtocol(**options)
        self._loop = asyncio.get_running_loop()
        self._seen: bytes | None = None
        self._accepts: str | None = None
        self._seen_of_deposit: bytes | None = None
        self._length = 0
        self._authorization: str | None = None
        # A head whose body has not come yet, or what came while a deposit was under way.
        self._held = b""
        self._is_under_way = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        started = perf_counter()
        if self._is_under_way:
            # Whoever sends the next request before the answer to this one is read no further.
            self._held += data
            self._transport.pause_reading()
            return
        was_held = bool(self._held)
        data, self._held = self._held + data, b""
        if self._is_between_requests():
            if data.startswith(_TILE) and self._is_tile(data):
                self._answer_tile(data, started)
                return
            if self._desk is not None and data.startswith(_DEPOSIT):
                missing = self._look_at_deposit(data)
                if missing == 0:
                    self._take_deposit(self._desk, data, started)
                    return
                # Many clients send head and body apart. Who sends smaller pieces is waited for over there.
                if missing is not None and missing > 0 and not was_held:
                    self._held = data
                    self._stop_timer()
                    return
        # What may be left of it in the parser is none of our business any more.
        self._transport.set_protocol(self._inner)
        self._inner.data_received(data)

    def eof_received(self) -> None:
        self._inner.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._inner.connection_lost(error)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _is_between_requests(self) -> bool:
        """Whether everything that was received is answered. Each was whole, so the parser is empty then."""
        cycle = self._inner.cycle
        return cycle is None or bool(cycle.response_complete)

    # Tiles

    def _is_tile(self, data: bytes) -> bool:
        """Whether it is a whole GET of a tile that nothing but its path and Accept-Encoding matter for."""
        line, _, headers = data.partition(b"\r\n")
        if not line.endswith(_VERSION):
            return False
        # A connection's requests are alike but for their first line.
        if headers != self._seen:
            found = read_plain_headers(headers)
            if found is None:
                return False
            self._seen, self._accepts = headers, found.get(b"accept-encoding")
        return True

    def _answer_tile(self, data: bytes, started: float) -> None:
        path = data[len(_METHOD) : data.index(b"\r\n") - len(_VERSION)].decode("latin-1")
        found = self._served.remembered(path[1:])
        # Who does not take what was sent waits for it over there.
        if found is None or self._inner.flow.write_paused:
            self._inner.data_received(data)
            return
        form, said, body = choose_form(found, path, self._accepts)
        head = _write_head(len(form.data), *said.items(), ("ETag", form.etag), *body.items())
        self._transport.write(b"".join((b"HTTP/1.1 200 OK\r\n", self._date(), head, form.data)))
        self._note_answer("GET", TILE_PATTERN, 200, started)

    # Deposits

    def _look_at_deposit(self, data: bytes) -> int | None:
        """How many bytes of its body are missing, below 0 if there are more; None if it is not plain."""
        end = data.find(_END)
        if end < 0:
            return None
        headers = data[len(_DEPOSIT) : end + len(_END)]
        if headers != self._seen_of_deposit:
            found = read_plain_headers(headers, has_body=True)
            if found is None or int(found[b"content-length"]) > MAX_BODY_BYTES:
                return None
            self._seen_of_deposit, self._length = headers, int(found[b"content-length"])
            self._authorization = found.get(b"authorization")
        return self._length - (len(data) - end - len(_END))

    def _take_deposit(self, desk: DepositDesk, data: bytes, started: float) -> None:
        body = data[-self._length :]
        found = None if self._inner.flow.write_paused else desk.begin(self._authorization, body)
        if found is None:
            self._inner.data_received(data)
            return
        deposit, outcome = found
        self._stop_timer()
        self._is_under_way = True
        cycle = self._inner.cycle = _UnderWay()
        outcome.add_done_callback(
            lambda done: self._answer_deposit(desk, data, deposit, done.result(), cycle, started)
        )

    def _answer_deposit(
        self,
        desk: DepositDesk,
        data: bytes,
        deposit: Deposit,
        outcome: Outcome,
        cycle: _UnderWay,
        started: float,
    ) -> None:
        self._is_under_way = False
        cycle.response_complete = True
        if isinstance(outcome, Sequenced) and outcome.is_new:
            body = desk.finish(deposit, outcome)
            last = b"" if cycle.keep_alive else b"connection: close\r\n"
            head = b"content-length: %d\r\ncontent-type: application/json\r\n%s\r\n" % (len(body), last)
            # To nobody, if he has gone: what was written is dropped then.
            self._transport.write(b"".join((b"HTTP/1.1 201 Created\r\n", self._date(), head, body)))
            self._note_answer("POST", DEPOSITS_PATH, 201, started)
        elif not cycle.disconnected:
            # Refused, or there already: asked again it is the same, and answered as over there.
            self._inner.data_received(data)
        if cycle.disconnected:
            self._stop_timer()
            return
        if not cycle.keep_alive:
            self._end()
        elif self._held:
            data, self._held = self._held, b""
            self._transport.resume_reading()
            self.data_received(data)

    def _end(self) -> None:
        """The server stops: close the connection, now or with the answer that is under way over there."""
        if self._is_between_requests():
            self._transport.close()
        else:
            self._inner.cycle.keep_alive = False

    # What uvicorn's protocols do around an answer

    def _date(self) -> bytes:
        """What the server puts before all answers: the time, to the second."""
        return b"".join(b"%s: %s\r\n" % field for field in self._inner.server_state.default_headers)

    def _note_answer(self, method: str, route: str, status: int, started: float) -> None:
        inner = self._inner
        inner.server_state.total_requests += 1
        self._metrics.count_answer(method, route, status, perf_counter() - started)
        # From here on the connection may be idle as long as after any other answer.
        self._stop_timer()
        inner.timeout_keep_alive_task = self._loop.call_later(
            inner.timeout_keep_alive, inner.timeout_keep_alive_handler
        )

    def _stop_timer(self) -> None:
        """Let go of the timer that ends an idle connection: it is not idle."""
        inner = self._inner
        if inner.timeout_keep_alive_task is not None:
            inner.timeout_keep_alive_task.cancel()
            inner.timeout_keep_alive_task = None


@lru_cache(_MAX_HEADS)
def _write_head(length: int, *fields: tuple[str, str]) -> bytes:
    """All header lines but the date, and the empty one."""
    lines = (*fields, ("Content-Length", str(length)))
    return "".join(f"{name.lower()}: {value}\r\n" for name, value in lines).encode("latin-1") + b"\r\n"
