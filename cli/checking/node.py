"""One Ethereum node of the user's own choice: plain JSON-RPC over HTTP.

Nothing but block numbers, contract addresses and log ids is sent. Answers are taken as what this node says,
no more; whoever asks judges them.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from mizheng.cli.errors import UnavailableFault, UsageFault
from mizheng.verifier.evm.event import ANCHORED_TOPIC
from mizheng.verifier.evm.keccak import keccak256

_SECONDS = 20.0
# A header with its transaction hashes on the busiest chains stays below this.
_MAX_ANSWER_BYTES = 8 << 20
_ROOT_OF = keccak256(b"rootOf(bytes32,uint64)")[:4]
_HEAD = keccak256(b"head(bytes32)")[:4]


class Node:
    """One node's JSON-RPC."""

    def __init__(self, address: str) -> None:
        import httpx
        from mizheng.cli.depositing.client import is_loopback, tls_context

        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageFault(
                "{address} is not the address of a node",
                "it looks like https://node.example",
                address=address,
            )
        # Addresses often carry an access token in path or query: the report names the host alone.
        self.name = parts.hostname + (f":{parts.port}" if parts.port else "")
        self._address = address
        self._client = httpx.Client(
            timeout=_SECONDS, trust_env=not is_loopback(address), verify=tls_context(address)
        )

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def chain_id(self) -> int:
        return self._quantity(self._call("eth_chainId", []))

    def final_number(self) -> int:
        """The height the node calls final; -1 when it has no such notion."""
        block = self._call("eth_getBlockByNumber", ["finalized", False], may_fail=True)
        return self._quantity(block.get("number")) if isinstance(block, dict) else -1

    def block_hash(self, number: int) -> bytes | None:
        """The hash of the node's block of this number; None when it has none."""
        block = self._call("eth_getBlockByNumber", [hex(number), False])
        if block is None:
            return None
        if not isinstance(block, dict):
            raise self.nonsense()
        return self._bytes(block.get("hash"))

    def root_of(self, contract: bytes, log_id: bytes, tree_size: int) -> bytes:
        """What the contract holds for this log and size; zeros when nothing."""
        answer = self._view(contract, _ROOT_OF + log_id + tree_size.to_bytes(32, "big"))
        # A contract that is not there answers with nothing.
        if len(answer) not in (0, 32):
            raise self.nonsense()
        return answer or bytes(32)

    def head(self, contract: bytes, log_id: bytes) -> tuple[int, bytes]:
        """The size and root the contract holds as this log's last; 0 and zeros when none."""
        answer = self._view(contract, _HEAD + log_id)
        if not answer:
            return 0, bytes(32)
        if len(answer) != 64 or any(answer[:24]):
            raise self.nonsense()
        return int.from_bytes(answer[:32], "big"), answer[32:]

    def code_hash(self, contract: bytes) -> bytes:
        """Keccak-256 of the code at an address."""
        return keccak256(self._data(self._call("eth_getCode", ["0x" + contract.hex(), "latest"])))

    def latest_number(self) -> int:
        return self._quantity(self._call("eth_blockNumber", []))

    def anchored_sizes(self, contract: bytes, log_id: bytes, first: int, last: int) -> list[int] | None:
        """Sizes of the log's Anchored events in these blocks; None when the node does not list that many."""
        wanted = {
            "address": "0x" + contract.hex(),
            "topics": ["0x" + ANCHORED_TOPIC.hex(), "0x" + log_id.hex()],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        found = self._call("eth_getLogs", [wanted], may_fail=True)
        if found is None:
            return None
        try:
            return [int.from_bytes(self._bytes(item["topics"][2]), "big") for item in found]
        except (TypeError, KeyError, IndexError) as error:
            raise self.nonsense() from error

    def nonsense(self) -> UnavailableFault:
        return UnavailableFault("the node {name} does not speak Ethereum's JSON-RPC", name=self.name)

    def _view(self, contract: bytes, data: bytes) -> bytes:
        call = {"to": "0x" + contract.hex(), "data": "0x" + data.hex()}
        return self._data(self._call("eth_call", [call, "latest"]))

    def _call(self, method: str, parameters: Iterable[Any], *, may_fail: bool = False) -> Any:
        import json

        import httpx

        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        try:
            with self._client.stream("POST", self._address, json=request) as answer:
                data = b""
                for chunk in answer.iter_bytes():
                    data += chunk
                    if len(data) > _MAX_ANSWER_BYTES:
                        raise self.nonsense()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableFault(
                "the node {name} cannot be reached",
                "check the address, or do without this node",
                name=self.name,
            ) from error
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self.nonsense() from error
        if not isinstance(value, dict) or "result" not in value:
            if may_fail and isinstance(value, dict) and "error" in value:
                return None
            raise self.nonsense()
        return value["result"]

    def _quantity(self, text: object) -> int:
        try:
            return int(str(text), 16)
        except ValueError as error:
            raise self.nonsense() from error

    def _bytes(self, text: object) -> bytes:
        data = self._data(text)
        if len(data) != 32:
            raise self.nonsense()
        return data

    def _data(self, text: object) -> bytes:
        try:
            return bytes.fromhex(str(text).removeprefix("0x"))
        except ValueError as error:
            raise self.nonsense() from error
