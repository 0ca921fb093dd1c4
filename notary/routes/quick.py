"""Tiles that are remembered, answered where the bytes of their request come in.

Whoever reads a whole log asks for thousands of tiles, and to look one up takes a twentieth of the time that
parser, task and application need for it. So what nearly every reader sends is answered at once: a GET of a
tile, whole and alone in what was received, whose headers change nothing. What is not remembered goes on to
the server's own protocol; and once anything else comes, the connection is that protocol's for good.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, cast

from mizheng.notary.log.served import ServedLog
from mizheng.notary.metrics import Metrics
from mizheng.notary.routes.log import TILE_PATTERN, choose_form
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_METHOD, _VERSION = b"GET ", b" HTTP/1.1"
_START = _METHOD + b"/tile/"
# Readers send some two hundred bytes.
_MAX_BYTES = 2048
# What these say is nothing to a tile, or is `accept-encoding`, which is read. RFC 9110.
_HARMLESS = frozenset(
    (
        *(b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"connection"),
        *(b"from", b"host", b"pragma", b"referer", b"user-agent"),
    )
)
# Field values (RFC 9110 §5.5), without what is not ASCII.
_VALUE = re.compile(rb"[\t -~]*")
# A connection's heads are few: one for each file that it reads again.
_MAX_HEADS = 8192


def quick_protocol(served: ServedLog, metrics: Metrics) -> type[asyncio.Protocol]:
    """For uvicorn's configuration: its own protocol, with this before it."""
    # Whatever makes one is called as the class would be.
    return cast(type[asyncio.Protocol], partial(QuickProtocol, served, metrics))


class QuickProtocol(asyncio.Protocol):
    """One connection, as long as nothing but tiles is read over it."""

    def __init__(self, served: ServedLog, metrics: Metrics, **options: Any) -> None:
        """`options`: what uvicorn makes its protocols with."""
        self._served = served
        self._metrics = metrics
        # h11's or httptools', whichever is installed.
        self._inner: Any = AutoHTTPProtocol(**options)
        self._loop = asyncio.get_running_loop()
        self._seen: bytes | None = None
        self._accepts: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        started = perf_counter()
        line, _, headers = data.partition(b"\r\n")
        if not self._is_between_requests() or not self._is_plain(line, headers):
            # What may be left of it in the parser is none of our business any more.
            self._transport.set_protocol(self._inner)
            self._inner.data_received(data)
            return
        path = line[len(_METHOD) : -len(_VERSION)].decode("latin-1")
        found = self._served.remembered(path[1:])
        # Who does not take what was sent waits for it over there.
        if found is None or self._inner.flow.write_paused:
            self._inner.data_received(data)
            return
        form, said, body = choose_form(found, path, self._accepts)
        head = _write_head(len(form.data), *said.items(), ("ETag", form.etag), *body.items())
        self._transport.write(b"".join((b"HTTP/1.1 200 OK\r\n", self._date(), head, form.data)))
        self._renew_patience()
        self._inner.server_state.total_requests += 1
        self._metrics.count_answer("GET", TILE_PATTERN, 200, perf_counter() - started)

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

    def _is_plain(self, line: bytes, headers: bytes) -> bool:
        """Whether it is a whole GET of a tile that nothing but its path and Accept-Encoding matter for."""
        if not (line.startswith(_START) and line.endswith(_VERSION)):
            return False
        # A connection's requests are alike but for their first line.
        if headers != self._seen:
            found = read_plain_headers(headers)
            if found is None:
                return False
            self._seen, self._accepts = headers, found.get(b"accept-encoding")
        return True

    def _date(self) -> bytes:
        """What the server puts before all answers: the time, to the second."""
        return b"".join(b"%s: %s\r\n" % field for field in self._inner.server_state.default_headers)

    def _renew_patience(self) -> None:
        """From here on the connection may be idle as long as after any other answer."""
        inner = self._inner
        if inner.timeout_keep_alive_task is not None:
            inner.timeout_keep_alive_task.cancel()
        inner.timeout_keep_alive_task = self._loop.call_later(
            inner.timeout_keep_alive, inner.timeout_keep_alive_handler
        )


def read_plain_headers(block: bytes) -> dict[bytes, str] | None:
    """Header lines (RFC 9112 §5) up to and with the empty one that ends a request without a body.

    None unless each is known to change nothing, comes once, and is plain ASCII.
    """
    lines = block.split(b"\r\n")
    if len(block) > _MAX_BYTES or lines[-2:] != [b"", b""]:
        return None
    found: dict[bytes, str] = {}
    for line in lines[:-2]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or name not in _HARMLESS or name in found or not _VALUE.fullmatch(value):
            return None
        found[name] = value.strip(b" \t").decode("ascii")
    # RFC 9112 §3.2: a request without it is to be refused.
    if not found.get(b"host") or found.get(b"connection", "keep-alive").lower() != "keep-alive":
        return None
    return found


@lru_cache(_MAX_HEADS)
def _write_head(length: int, *fields: tuple[str, str]) -> bytes:
    """All header lines but the date, and the empty one."""
    lines = (*fields, ("Content-Length", str(length)))
    return "".join(f"{name.lower()}: {value}\r\n" for name, value in lines).encode("latin-1") + b"\r\n"
