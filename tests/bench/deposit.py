"""One-shot deposits over loopback: 50 clients, each sends one envelope, waits for the durable answer, sends
the next.

The notary is the real one: its own process, SQLite with synchronous=FULL, signatures checked, anchoring in
the background. The clients share the machine's cores with it.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.notary.depositor import TestDepositor
from tests.support.notary import NotaryServer

CLIENTS = 50
SECONDS = 10.0
TARGET_P99_MS = 250.0
# As the embedded chain has it without configuration.
ANCHOR_SECONDS = "2"


async def send_one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, body: bytes
) -> tuple[int, bytes]:
    """One request on an open connection; its status and body. As little as will do: the clients must not
    be slow.
    """
    writer.write(head % len(body) + body)
    await writer.drain()
    answer = await reader.readuntil(b"\r\n\r\n")
    status = int(answer[9:12])
    lines = answer.lower().split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    return status, await reader.readexactly(length)


async def run_client(
    host: str, port: int, head: bytes, envelopes: list[bytes], end_at: float, times: list[float]
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while envelopes and time.perf_counter() < end_at:
        body = envelopes.pop()
        started = time.perf_counter()
        status, answer = await send_one(reader, writer, head, body)
        times.append(time.perf_counter() - started)
        if status != 201:
            raise RuntimeError(f"{status}: {answer[:200]!r}")
        json.loads(answer)["tlog_proof"]
    writer.close()
    await writer.wait_closed()


async def run_clients(url: str, api_key: str, envelopes: list[bytes], seconds: float) -> list[float]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    head = (
        f"POST /v1/deposits HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {api_key}\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    ).encode()
    times: list[float] = []
    end_at = time.perf_counter() + seconds
    await asyncio.gather(*(run_client(host, port, head, envelopes, end_at, times) for _ in range(CLIENTS)))
    return times


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        NotaryServer(Path(folder) / "notary", MIZHENG_ANCHOR_INTERVAL=ANCHOR_SECONDS) as server,
    ):
        depositor = TestDepositor(server.url, *server.add_org())
        depositor.enrol()
        # Made before: what is measured is the notary and not the clients' signing.
        warm_up, envelopes = ([depositor.envelope() for _ in range(count)] for count in (200, 10_000))
        asyncio.run(run_clients(server.url, depositor.api_key, warm_up, SECONDS))
        started = time.perf_counter()
        times = asyncio.run(run_clients(server.url, depositor.api_key, envelopes, SECONDS))
        elapsed = time.perf_counter() - started
    p50, p99 = (statistics.quantiles(times, n=100)[rank] * 1000 for rank in (49, 98))
    print(f"one-shot deposits over loopback, {CLIENTS} clients, {elapsed:.0f} s, SQLite synchronous=FULL")
    print(f"deposits      {len(times)} ({len(times) / elapsed:.0f}/s)")
    print(f"p50           {p50:.1f} ms")
    print(f"p99           {p99:.1f} ms (bar {TARGET_P99_MS:.0f} ms)")
    print(f"slowest       {max(times) * 1000:.1f} ms")
    return 0 if p99 <= TARGET_P99_MS else 1


if __name__ == "__main__":
    sys.exit(main())
