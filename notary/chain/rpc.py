"""JSON-RPC to one node, through web3.py's HTTP provider.

Only the transport is used. web3 would by itself repeat requests, eth_sendRawTransaction among them, and
follow what contracts say about other servers (CCIP-read, EIP-3668); here a request goes out once, and the
outbox decides whether it goes out again. An answer has a limit in bytes and one in seconds, all in all: a
node that trickles would otherwise never be late.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from mizheng.notary.chain.interface import (
    RateLimitedError,
    SlowError,
    UnreachableError,
    UnreadableError,
)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# A node that needs longer is of no use to an anchorer that asks again in seconds.
TIMEOUT_SECONDS = 10.0
# The receipts of a full block on the busiest chains are some ten MiB of JSON.
_MAX_ANSWER_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 16
_HINT = "is the node running, and is rpc in notary.toml right?"


class RpcError(Exception):
    """The node answered, with an error object. `message` is the node's and is not shown to depositors."""

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(f"{method}: {code} {message}")
        self.code = code
        self.message = message


class Rpc:
    """One node. Safe to call from several threads."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        # 1.4 s: paid by the process that really talks to a node, when it first does.
        import requests
        from web3 import HTTPProvider

        parts = urlsplit(url)
        # Never the whole URL: path and query carry customers' keys.
        self.name = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        session = requests.Session()
        # This machine's own addresses are never looked for at a proxy.
        session.trust_env = parts.hostname not in LOOPBACK
        adapter = _make_adapter(timeout)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        options = {"timeout": timeout, "allow_redirects": False}
        self._provider = HTTPProvider(
            url, request_kwargs=options, session=session, exception_retry_configuration=None
        )

    def call(self, method: str, *params: Any) -> Any:
        """The result; RpcError if the node answers with an error, UnreachableError or one of its kinds if it
        does not answer.
        """
        from requests.exceptions import HTTPError, RequestException, Timeout
        from urllib3.exceptions import HTTPError as TransportError
        from web3.types import RPCEndpoint

        try:
            answer = self._provider.make_request(RPCEndpoint(method), list(params))
        except HTTPError as error:
            raise _http_error(self.name, error) from error
        except (Timeout, _TooSlowError) as error:
            raise SlowError(
                "the chain node {node} does not answer in time", hint=_HINT, node=self.name
            ) from error
        except _TooLongError as error:
            raise UnreadableError("the chain node {node} answers with too much", node=self.name) from error
        except (RequestException, TransportError, ValueError, OSError) as error:
            raise _transport_error(self.name, error) from error
        if not isinstance(answer, dict) or not answer.keys() & {"result", "error"}:
            raise UnreadableError(
                "what answers at {node} does not speak JSON-RPC", hint=_HINT, node=self.name
            )
        if answer.get("error") is None:
            return answer.get("result")
        raise _as_error(method, answer["error"])


class _TooSlowError(OSError):
    """The time for the whole answer is over."""


class _TooLongError(OSError):
    """More bytes than any answer of use has."""


def _make_adapter(timeout: float) -> Any:
    from requests.adapters import HTTPAdapter

    class Bounded(HTTPAdapter):
        """Reads the whole answer here, within its limits."""

        def send(self, request: Any, *arguments: Any, **options: Any) -> Any:
            deadline = time.monotonic() + timeout
            response = super().send(request, *arguments, **{**options, "stream": True})
            data = bytearray()
            try:
                while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                    data += chunk
                    if len(data) > _MAX_ANSWER_BYTES:
                        raise _TooLongError("too long")
                    if time.monotonic() > deadline:
                        raise _TooSlowError("too slow")
            except BaseException:
                response.close()
                raise
            response._content = bytes(data)
            response.raw.release_conn()
            return response

    return Bounded(max_retries=0)


def _http_error(node: str, error: Any) -> UnreachableError:
    response = error.response
    if response.status_code == 429:
        return RateLimitedError(
            "the chain node {node} answers no more requests for now",
            hint="ask its operator for a higher limit, or name a node of your own",
            node=node,
            seconds=_retry_after(response.headers.get("Retry-After")),
        )
    return UnreachableError(
        "the chain node {node} answers with HTTP {status}", hint=_HINT, node=node, status=response.status_code
    )


def _transport_error(node: str, error: Exception) -> UnreachableError:
    from requests.exceptions import ConnectionError as NoConnectionError
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

    if isinstance(error, ReadTimeoutError):
        return SlowError("the chain node {node} does not answer in time", hint=_HINT, node=node)
    if isinstance(error, (ValueError, ProtocolError)) and not isinstance(error, NoConnectionError):
        # Cut off, or no JSON at all.
        return UnreadableError("what answers at {node} does not speak JSON-RPC", hint=_HINT, node=node)
    return UnreachableError(
        "no chain node answers ({reasons})", hint=_HINT, reasons=f"{node}: {type(error).__name__}"
    )


def _retry_after(text: str | None) -> float:
    """Seconds (RFC 9110 §10.2.3); a date or nothing: the usual rest."""
    return float(text) if text is not None and text.isascii() and text.isdecimal() else 0.0


def _as_error(method: str, error: object) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(method, 0, str(error))
    code = error.get("code")
    return RpcError(method, code if isinstance(code, int) else 0, str(error.get("message")))
