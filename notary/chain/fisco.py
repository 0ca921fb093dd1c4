"""A node of FISCO BCOS 3.x, seen through its Ethereum RPC (3.9 and later, port 8545, off by default).

It runs the same contract and takes the same transactions, and is no Ethereum chain: every tag means the
newest block, blocks are hashed in another way, their time is in milliseconds, there is no state proof and no
fee history, the base fee is 0, transactions are legacy ones with gas and gas price given, the CHAINID opcode
answers 0, and a new contract's address is known from the receipt alone. So nothing here is hashed anew, and
its evidence is a type of its own.

Source: docs/chains/fisco-bcos.md, where it also says that no real node was tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mizheng.notary.chain.encoding import parse_data, parse_quantity
from mizheng.notary.chain.interface import BlockReceipts, EvidenceError, StorageProof
from mizheng.notary.chain.node import NodeChain, reading
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.evm.block import Block

# Later than any moment in seconds that a block could mean: such a number is milliseconds.
_LAST_SECOND = 1 << 36


class FiscoNode(NodeChain):
    """`Chain` over the RPC of one such node. Blocks carry no header: theirs is not Ethereum's."""

    def block_receipts(self, block: Block) -> BlockReceipts:
        raise EvidenceError("a chain with foreign headers has no receipts trie")

    def prove_storage(self, address: bytes, slot: bytes, block: Block) -> StorageProof | None:
        return None

    def sealed_header(self, number: int, fits: Callable[[bytes], bool] = bool) -> bytes | None:
        return None

    def nonce(self, address: bytes, *, at_final: bool = False) -> int:
        # Every tag and number means the newest state; and the newest block is final.
        return self._nonce(address, "latest")

    def block_time(self, number: int) -> str:
        """What the block says when it was made, RFC 3339."""
        with reading("eth_getBlockByNumber"):
            answer = self._call("eth_getBlockByNumber", hex(number), False)
            said = parse_quantity(answer["timestamp"])
            return format_instant(said // 1000 if said >= _LAST_SECOND else said)

    def _block(self, at: str) -> Block | None:
        with reading("eth_getBlockByNumber"):
            answer: Any = self._call("eth_getBlockByNumber", at, False)
            if answer is None:
                return None
            return Block(parse_quantity(answer["number"]), parse_data(answer["hash"], 32), b"")
