"""Where a log is read from: a notary or a web server, or the plain files that a wound-down notary left.

Nothing that is read is believed: whoever reads compares it with a signed checkpoint. So a proxy, a cache
or a mirror may stand in between, and plain HTTP does no harm.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mizheng.cli.errors import InputFault, UnavailableFault, UsageFault

if TYPE_CHECKING:
    import httpx

# Requests in flight: one waits while the other is hashed; more would only crowd out the log's depositors.
IN_FLIGHT = 4
_SECONDS = 20.0
# How long one resource is asked for in all; notaries that are restarted or busy are back by then.
_PATIENCE = 90.0
_FIRST_PAUSE = 0.5
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
# Asked again later these may answer: too many requests, and everything that is the server's own trouble.
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE = frozenset({404, 410})


class DeniedFault(UnavailableFault):
    """The log answers, but neither with the file nor that there is none."""


class Source(Protocol):
    """Files of a log by their C2SP paths; safe to use from several threads."""

    name: str
    """How to call it to a person; without passwords."""

    def read(self, path: str, limit: int, *, fresh: bool = False) -> bytes | None:
        """The file, or None where the log says it has none; of a longer file, just over `limit` bytes.

        `fresh` asks past caches. UnavailableFault when it cannot be asked.
        """

    def close(self) -> None: ...


def open_source(address: str) -> Source:
    """The source an address names: http(s)://, file:// or a directory."""
    scheme = urlsplit(address).scheme
    if scheme in ("http", "https"):
        return HttpSource(address)
    if scheme == "file":
        parts = urlsplit(address)
        if parts.netloc not in ("", "localhost"):
            raise _not_a_log(address)
        folder = Path(url2pathname(parts.path))
    else:
        folder = Path(address)
    if not folder.is_dir():
        raise _not_a_log(address)
    return FolderSource(folder)


class FolderSource:
    """The layout of the HTTP paths as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = str(folder)

    def read(self, path: str, limit: int, *, fresh: bool = False) -> bytes | None:
        place = self._folder / path
        try:
            with place.open("rb") as file:
                return file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise InputFault("{name}: {reason}", name=str(place), reason=error.strerror) from error

    def close(self) -> None:
        return


class HttpSource:
    """A log over HTTP: connections kept, trouble waited out, no answer larger than asked for."""

    def __init__(self, address: str, *, seconds: float = _SECONDS, patience: float = _PATIENCE) -> None:
        import httpx
        from mizheng.cli.depositing.client import is_loopback

        parts = urlsplit(address)
        if not parts.hostname or parts.query or parts.fragment:
            raise _not_a_log(address)
        port = f":{parts.port}" if parts.port else ""
        # Passwords stay out of reports and evidence.
        self.name = f"{parts.scheme}://{parts.hostname}{port}{parts.path}".rstrip("/")
        self._base = address.rstrip("/") + "/"
        self._patience = patience
        self._closed = threading.Event()
        self._client = httpx.Client(
            timeout=seconds,
            headers={"accept-encoding": "gzip, identity"},
            # Static hosts send from one address to another; what arrives is checked all the same.
            follow_redirects=True,
            limits=httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT),
            # A log on this machine must not be looked for at a proxy.
            trust_env=not is_loopback(address),
        )

    def close(self) -> None:
        # Threads that wait for their next attempt must not keep the command from ending.
        self._closed.set()
        self._client.close()

    def read(self, path: str, limit: int, *, fresh: bool = False) -> bytes | None:
        import httpx

        headers = {"cache-control": "no-cache"} if fresh else {}
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            wait: float | None = None
            try:
                with self._client.stream("GET", self._base + path, headers=headers) as answer:
                    if answer.status_code == 200:
                        return self._collect(answer, limit, deadline)
                    if answer.status_code in _GONE:
                        return None
                    if answer.status_code not in _BUSY:
                        raise DeniedFault(
                            "the log at {name} answers {code} for {path}",
                            "check the address",
                            name=self.name,
                            code=answer.status_code,
                            path=path,
                        )
                    wait = _retry_after(answer.headers.get("retry-after", ""))
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise _not_a_log(self.name) from error
            except httpx.HTTPError as error:
                if time.monotonic() >= deadline:
                    raise self._unreachable(path) from error
            pause = min(_LONGEST_PAUSE, pause * 2)
            wait = pause if wait is None else max(wait, _SHORTEST_PAUSE)
            if time.monotonic() + wait >= deadline or self._closed.wait(wait):
                raise self._unreachable(path)

    def _collect(self, answer: httpx.Response, limit: int, deadline: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in answer.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                break
            # A server that hands out a byte now and then must not hold the audit for ever.
            if time.monotonic() >= deadline:
                raise self._unreachable(answer.url.path)
        return b"".join(chunks)[: limit + 1]

    def _unreachable(self, path: str) -> UnavailableFault:
        return UnavailableFault(
            "the log at {name} cannot be reached for {path}",
            "what was checked stays checked; run the command again later",
            name=self.name,
            path=path,
        )


def _retry_after(text: str) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 §10.2.3); None for a date or none."""
    return min(float(text), _LONGEST_PAUSE) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _not_a_log(address: str) -> UsageFault:
    return UsageFault(
        "{address} is not the address of a log",
        "it looks like https://notary.example, or is a directory that holds one",
        address=address,
    )
