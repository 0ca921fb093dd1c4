"""Three nodes of one chain, one of which may be told to be bad: three proxies before one anvil.

python -m tests.support.badnodes http://127.0.0.1:8545 8548 other-blocks        # one alone, for trying
"""

from __future__ import annotations

import copy
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from mizheng.notary.chain.encoding import _HEADER_FIELDS, parse_data, parse_quantity
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.keccak import keccak256

from tests.support.rpcproxy import Fault, RpcProxy

Rule = Callable[[str, list[Any]], Fault | None]

_BLOCKS = ("eth_getBlockByNumber", "eth_getBlockByHash")
FORGED = b"\x66" * 32


@contextmanager
def three_nodes(url: str) -> Iterator[list[RpcProxy]]:
    """Proxies before the node at `url`, honest until their `rule` says otherwise."""
    with ExitStack() as stack:
        yield [stack.enter_context(RpcProxy(url)) for _ in range(3)]


def forge_block(block: Any) -> Any:
    """Another block of the same height whose header hashes right: a lie that no checking of hashes finds."""
    if not block or "number" not in block:
        return block
    forged = {**block, "extraData": "0x6c6965"}
    fields: list[rlp.Encodable] = []
    for name, is_number in _HEADER_FIELDS:
        if name not in forged:
            break
        fields.append(parse_quantity(forged[name]) if is_number else parse_data(forged[name]))
    return {**forged, "hash": "0x" + keccak256(rlp.encode(fields)).hex()}


def forge_receipt(receipt: Any) -> Any:
    """The transaction in a block that nobody else has, and done with success."""
    if not receipt:
        return receipt
    return {**receipt, "blockHash": "0x" + FORGED.hex(), "status": "0x1"}


def other_blocks(method: str, params: list[Any]) -> Fault | None:
    """Another chain from its second block on, told consistently."""
    if method in _BLOCKS and params[0] != "0x0":
        return forge_block
    return forge_receipt if method == "eth_getTransactionReceipt" else None


def final_too_soon(method: str, params: list[Any]) -> Fault | None:
    """Asked for the final block, it forges one far above all others."""
    if method == "eth_getBlockByNumber" and params[0] == "finalized":
        return lambda block: forge_block({**block, "number": hex(int(block["number"], 16) + 500)})
    return other_blocks(method, params)


def broken_headers(method: str, params: list[Any]) -> Fault | None:
    """Headers that do not hash to their hash."""
    return (lambda block: block and {**block, "gasUsed": "0x1"}) if method in _BLOCKS else None


def no_receipts(method: str, params: list[Any]) -> Fault | None:
    """Empty answers where there is something: receipts, logs, proofs."""
    if method in ("eth_getBlockReceipts", "eth_getLogs"):
        return lambda _: []
    return None


def short_receipts(method: str, params: list[Any]) -> Fault | None:
    """One receipt less than the block has, and proofs with a node less."""
    if method == "eth_getBlockReceipts":
        return lambda receipts: receipts[:-1]
    if method == "eth_getProof":
        return lambda proof: {**proof, "accountProof": proof["accountProof"][:-1]}
    return None


def other_state(method: str, params: list[Any]) -> Fault | None:
    """Zeros for what the contract holds, a nonce and a balance that nobody has."""
    if method == "eth_call":
        return lambda answer: "0x" + "00" * ((len(answer) - 2) // 2)
    if method in ("eth_getTransactionCount", "eth_getBalance"):
        return lambda _: hex(2**40)
    return None


def dear(method: str, params: list[Any]) -> Fault | None:
    """Fees a million times what they are."""
    if method == "eth_feeHistory":
        return _dearer
    return (lambda fee: hex(int(fee, 16) * 10**6)) if method == "eth_gasPrice" else None


def swallows(method: str, params: list[Any]) -> Fault | None:
    """Takes transactions and drops them, and knows of none."""
    if method == "eth_sendRawTransaction":
        return {"code": -32000, "message": "already known"}
    if method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
        return lambda _: None
    return None


def always(fault: Fault) -> Rule:
    """The same fault at every request."""
    return lambda _method, _params: fault


def _dearer(history: Any) -> Any:
    told = copy.deepcopy(history)
    told["baseFeePerGas"] = [hex(int(fee, 16) * 10**6 + 10**15) for fee in told["baseFeePerGas"]]
    return told


class Lagging:
    """A node that stopped following: it shows the chain as it was at `height`."""

    def __init__(self, height: int) -> None:
        self._height = height

    def __call__(self, method: str, params: list[Any]) -> Fault | None:
        if method == "eth_getTransactionReceipt":
            return self._hide("blockNumber")
        if method == "eth_getBlockByNumber":
            return self._hide("number")
        return None

    def _hide(self, field: str) -> Fault:
        return lambda found: None if found and int(found[field], 16) > self._height else found


BAD: dict[str, Rule] = {
    "other-blocks": other_blocks,
    "final-too-soon": final_too_soon,
    "broken-headers": broken_headers,
    "no-receipts": no_receipts,
    "short-receipts": short_receipts,
    "other-state": other_state,
    "dear": dear,
    "swallows": swallows,
    "rate-limited": always("429"),
    "cut": always("cut"),
    "gone": always("lost"),
    "slow": always("slow"),
}


def main(target: str, port: str, how: str) -> None:
    """One such node on a port, until it is told to stop; `honest` for one that is not bad."""
    with RpcProxy(target, int(port)) as proxy:
        if how != "honest":
            proxy.rule = BAD[how]
        print(f"listening on {proxy.url}: {how}", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(*sys.argv[1:])
