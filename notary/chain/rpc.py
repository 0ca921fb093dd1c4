"""JSON-RPC to one of several nodes, through web3.py's HTTP provider.

Only the transport is used. web3 would by itself repeat requests, eth_sendRawTransaction among them, and
follow what contracts say about other servers (CCIP-read, EIP-3668); here a request goes out once, and the
outbox decides whether it goes out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from mizheng.notary.chain.interface import UnreachableError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# A node that needs longer is of no use to an anchorer that asks again in seconds.
_TIMEOUT_SECONDS = 10.0


class RpcError(Exception):
    """The node answered, with an error object. `message` is the node's and is not shown to depositors."""

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(f"{method}: {code} {message}")
        self.code = code
        self.message = message


class Rpc:
    """Nodes of one chain, asked in order: the next one only when one cannot be reached."""

    def __init__(self, urls: Sequence[str]) -> None:
        # 1.4 s: paid by the process that really talks to a node, when it first does.
        from web3 import HTTPProvider

        self._providers = []
        for url in urls:
            host = urlsplit(url).hostname or ""
            options: dict[str, Any] = {"timeout": _TIMEOUT_SECONDS}
            if host in LOOPBACK:
                # This machine's own addresses are never looked for at a proxy.
                options["proxies"] = {"http": "", "https": ""}
            provider = HTTPProvider(url, request_kwargs=options, exception_retry_configuration=None)
            self._providers.append((host, provider))

    def call(self, method: str, *params: Any) -> Any:
        """The result; RpcError if the node answers with an error, UnreachableError if none answers."""
        from requests.exceptions import RequestException
        from web3.types import RPCEndpoint

        reasons = []
        for host, provider in self._providers:
            try:
                answer = provider.make_request(RPCEndpoint(method), list(params))
            except (RequestException, ValueError, OSError) as error:
                # ValueError: an answer that is not JSON. The host only: URLs carry customers' keys.
                reasons.append(f"{host}: {type(error).__name__}")
                continue
            if not isinstance(answer, dict) or not answer.keys() & {"result", "error"}:
                reasons.append(f"{host}: not JSON-RPC")
                continue
            if answer.get("error") is None:
                return answer.get("result")
            raise _as_error(method, answer["error"])
        raise UnreachableError(
            "no chain node answers ({reasons})",
            hint="is the node running, and is rpc in notary.toml right?",
            reasons=", ".join(reasons),
        )


def _as_error(method: str, error: object) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(method, 0, str(error))
    code = error.get("code")
    return RpcError(method, code if isinstance(code, int) else 0, str(error.get("message")))
