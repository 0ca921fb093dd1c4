"""One attempt to deliver one message: a POST that goes to a checked address and nowhere else.

No client library: it would resolve the name a second time, look for proxies, follow redirects, and wait anew
for each byte of an answer. Of the answer nothing but its status counts. All of it has one deadline, but for
the name, for which the system's resolver has its own.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Mapping
from functools import cache

import httpx
from mizheng.notary.webhooks.addresses import (
    AddressRefusedError,
    Resolve,
    Target,
    WebhookSetup,
    choose_addresses,
)

# Receivers answer first and work afterwards; a notary that is told to stop waits no longer than this.
ATTEMPT_SECONDS = 10.0
# A status line and headers; what is more is not read.
_MAX_ANSWER = 16 * 1024
# After the status has come: long enough for a short answer to arrive, so that no receiver sees a reset.
_LINGER_SECONDS = 0.5
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r\n]")

DELIVERED = "delivered"
# The receiver wants no more of it (410 Gone).
GONE = "http-410"
# Outcomes that lie with the message, not with the address: others need not wait for this one.
_OF_MESSAGE = re.compile(r"http-4(?!10|29|08|25)\d\d")


def is_fault_of_message(outcome: str) -> bool:
    """Whether the receiver is well and only does not take this message."""
    return _OF_MESSAGE.fullmatch(outcome) is not None


def post_message(
    setup: WebhookSetup,
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
    *,
    seconds: float = ATTEMPT_SECONDS,
    resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
) -> str:
    """What came of it: `delivered` (2xx), `http-NNN`, `address-refused`, `unreachable`, `slow`, `tls-failed`,
    `unreadable`.
    """
    deadline = time.monotonic() + seconds
    try:
        addresses = choose_addresses(setup, target, resolve)
        with _connect(addresses, target.port, deadline) as plain:
            if target.scheme == "http":
                return _exchange(plain, _request(target, headers, body), deadline)
            plain.settimeout(_left(deadline))
            with (tls or _tls()).wrap_socket(plain, server_hostname=target.host) as stream:
                return _exchange(stream, _request(target, headers, body), deadline)
    except AddressRefusedError:
        return "address-refused"
    except TimeoutError:
        return "slow"
    except ssl.SSLError:
        return "tls-failed"
    except OSError:
        return "unreachable"


def _connect(addresses: list[str], port: int, deadline: float) -> socket.socket:
    failure: OSError = OSError("no address")
    for address in addresses[:4]:
        try:
            # A number: nothing is resolved here.
            return socket.create_connection((address, port), timeout=_left(deadline))
        except OSError as error:
            failure = error
    raise failure


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = {
        "host": target.host_header,
        "user-agent": "mizheng-webhooks/1",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _exchange(stream: socket.socket, request: bytes, deadline: float) -> str:
    stream.settimeout(_left(deadline))
    stream.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        # Each piece has what is left of all the time: who trickles is as late as who is silent.
        stream.settimeout(_left(deadline))
        piece = stream.recv(_MAX_ANSWER - len(answer))
        answer += piece
        if not piece or len(answer) >= _MAX_ANSWER:
            break
    found = _STATUS.match(answer)
    if found is None:
        return "unreadable"
    _linger(stream, deadline)
    status = int(found[1])
    return DELIVERED if 200 <= status < 300 else f"http-{status}"


def _linger(stream: socket.socket, deadline: float) -> None:
    """Take what still comes of a short answer; whatever goes wrong, it has been answered."""
    end = min(deadline, time.monotonic() + _LINGER_SECONDS)
    try:
        for _ in range(16):
            stream.settimeout(_left(end))
            if not stream.recv(_MAX_ANSWER):
                return
    except OSError:
        return


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
