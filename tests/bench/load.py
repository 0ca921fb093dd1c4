"""A load generator that costs little: it shares the cores with the server that it measures.

Plain asyncio protocols over kept-alive connections. Each sends one ready-made request, waits for the whole
answer, looks at its status and sends the next; nothing is parsed but the status and the length.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import statistics
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

CONNECTIONS = 64
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)


@dataclass(slots=True)
class Load:
    """What came back within the time; latencies in seconds."""

    seconds: float = 0.0
    server_seconds: float = 0.0
    """Processor time that the server took for it, where its process id was given."""
    latencies: list[float] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    """Beginnings of answers that were not wanted."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    @property
    def server_ms(self) -> float:
        """Milliseconds of the server's processor time for one answer."""
        return self.server_seconds / len(self.latencies) * 1000

    def percentile(self, rank: int) -> float:
        """Milliseconds within which `rank` per cent were answered."""
        return statistics.quantiles(self.latencies, n=100)[rank - 1] * 1000


def make_request(url: str, path: str, body: bytes | None = None, api_key: str = "") -> bytes:
    """The bytes of a GET, or of a POST with a JSON body."""
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
    if api_key:
        lines.append(f"Authorization: Bearer {api_key}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


class _Connection(asyncio.Protocol):
    def __init__(
        self, requests: Iterator[bytes], end_at: float, wanted: Container[bytes], load: Load
    ) -> None:
        self._requests = requests
        self._end_at = end_at
        self._wanted = wanted
        self._load = load
        self._received = b""
        self._missing = 0
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._received += data
            head = self._received.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self._received, 0, head + 2)
            assert length is not None, self._received[: head + 4]
            self._missing = head + 4 + int(length[1]) - len(self._received)
            if self._received[9:12] not in self._wanted:
                self._load.refused.append(self._received[:400])
            self._received = b""
        assert self._missing >= 0
        if not self._missing:
            self._load.latencies.append(time.perf_counter() - self._sent_at)
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._load.refused.append(f"connection lost: {error}".encode())
            self.done.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        request = next(self._requests, None) if self._sent_at < self._end_at else None
        if request is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


def run_load(
    url: str,
    requests: Sequence[bytes],
    seconds: float,
    *,
    connections: int = CONNECTIONS,
    again: bool = False,
    wanted: Container[bytes] = (b"200", b"201"),
    server: int | None = None,
) -> Load:
    """Send `requests` in turn for `seconds`; `again`: begin anew when all are sent. `server`: its process
    id.
    """
    load = Load()
    parts = urlsplit(url)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        queue = cycle(requests) if again else iter(requests)
        started = time.perf_counter()
        made = [
            await loop.create_connection(
                lambda: _Connection(queue, started + seconds, wanted, load), parts.hostname, parts.port
            )
            for _ in range(connections)
        ]
        await asyncio.gather(*(connection.done for _, connection in made))
        load.seconds = time.perf_counter() - started

    with _no_collector():
        before = _processor_seconds(server)
        asyncio.run(run())
        load.server_seconds = _processor_seconds(server) - before
    if load.refused:
        raise RuntimeError(f"{len(load.refused)} answers were not wanted, such as {load.refused[0]!r}")
    return load


@contextmanager
def _no_collector() -> Iterator[None]:
    """Python's collector walks through all that this process imported, some 80 ms in which no answer is read:
    the one in a hundred that takes longest would be ours."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _processor_seconds(process: int | None) -> float:
    if process is None:
        return 0.0
    # utime and stime, fields 14 and 15; the name before them may hold spaces.
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
