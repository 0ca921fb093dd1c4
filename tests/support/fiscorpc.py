"""What FISCO BCOS 3.9's Ethereum RPC is documented to do, in front of anvil: no real node is to be had here.

Done as the library notes describe it: every tag and block number means the newest state; blocks are hashed in
another way, with fields of their own and time in milliseconds; base fee 0; no eth_getProof, eth_feeHistory,
eth_maxPriorityFeePerGas or eth_getBlockReceipts; legacy transactions alone, with gas and gas price given; a
receipt is the only one to name a new contract. Not done, because anvil runs the contract: the CHAINID opcode
answers with the chain's id instead of 0, and the TIMESTAMP opcode in seconds; the contract uses neither.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.support.anvil import Anvil
from tests.support.plain import NO_TLS
from tests.support.rpcproxy import RpcProxy

_NOT_THERE = ("eth_getProof", "eth_feeHistory", "eth_maxPriorityFeePerGas", "eth_getBlockReceipts")
# Which parameter says at which block.
_AT = {
    "eth_call": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_getStorageAt": 2,
}
_FOREIGN = ("hash", "parentHash", "blockHash")


class FiscoRpc(RpcProxy):
    """Listens on `url`; lies and faults as any RpcProxy, told of FISCO's answers."""

    def answer(self, body: bytes) -> tuple[int, bytes | None, bool]:
        request = json.loads(body)
        method, params = request["method"], list(request.get("params") or [])
        if method in _NOT_THERE:
            return _error(request, -32601, "Method not found")
        if method == "eth_sendRawTransaction" and int(params[0][2:4], 16) < 0xC0:
            return _error(request, -32000, "only legacy transactions")
        if method in _AT and len(params) > _AT[method]:
            params[_AT[method]] = "latest"
        if method == "eth_getBlockByNumber" and not params[0].startswith("0x"):
            params[0] = "latest"
        if method == "eth_getBlockByHash":
            return _error(request, -32601, "Method not found")
        status, answer, is_cut = super().answer(json.dumps({**request, "params": params}).encode())
        if answer is None or status != 200:
            return status, answer, is_cut
        told = json.loads(answer)
        if isinstance(told.get("result"), dict):
            told["result"] = _foreign(told["result"], is_block=method == "eth_getBlockByNumber")
        return status, json.dumps(told).encode(), is_cut


def _foreign(found: dict[str, Any], *, is_block: bool) -> dict[str, Any]:
    told = dict(found)
    for name in _FOREIGN:
        # A transaction's own hash is Ethereum's here, too.
        if told.get(name) and (is_block or name == "blockHash"):
            told[name] = "0x" + hashlib.new("sm3", bytes.fromhex(told[name][2:])).hexdigest()
    if is_block:
        for name in ("withdrawalsRoot", "requestsHash", "blobGasUsed", "excessBlobGas", "mixHash"):
            told.pop(name, None)
        told["timestamp"] = hex(int(told["timestamp"], 16) * 1000 + 7)
        told["baseFeePerGas"] = "0x0"
        told["nonce"] = "0x0000000000000000"
        told["sha3Uncles"] = "0x" + "00" * 32
    return told


def _error(request: dict[str, Any], code: int, message: str) -> tuple[int, bytes, bool]:
    error = {"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}}
    return 200, json.dumps(error).encode(), False


@contextmanager
def fisco_chain(count: int = 1, *, chain_id: int = 20200) -> Iterator[tuple[Anvil, list[FiscoRpc]]]:
    """A chain whose gas is free, behind so many such RPCs."""
    free = ("--base-fee", "0", "--gas-price", "0", "--disable-min-priority-fee")
    with Anvil(chain_id=chain_id, extra=free) as node:
        proxies = [FiscoRpc(node.url) for _ in range(count)]
        for proxy in proxies:
            proxy.__enter__()
        try:
            yield node, proxies
        finally:
            for proxy in proxies:
                proxy.__exit__(None, None, None)


def ask(url: str, method: str, *params: Any) -> Any:
    """The whole answer, error or result."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    return httpx.post(url, json=request, trust_env=False, verify=NO_TLS).json()
