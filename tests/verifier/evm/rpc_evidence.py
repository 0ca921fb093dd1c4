"""Anchor evidence from a node's JSON, put together with other people's RLP and tries."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import rlp
from eth_abi.abi import encode as abi_encode
from eth_utils import keccak
from mizheng.contracts.artifact import load_artifact
from mizheng.verifier.anchor import AnchorEvidence, ReceiptProof, StorageProof
from mizheng.verifier.evm.block import Block, Chain

from tests.support.anvil import Anvil

from .world import build_trie, prove

HEADER = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot"),
    "requestsHash",
)
NUMBERS = {
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp"),
    *("baseFeePerGas", "blobGasUsed", "excessBlobGas"),
}


def to_bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def block_of(header: dict[str, Any]) -> Block:
    """The header's RLP, of as many fields as the block's fork has."""
    fields = [
        int(header[name], 16) if name in NUMBERS else to_bytes(header[name])
        for name in HEADER
        if name in header
    ]
    return Block(int(header["number"], 16), to_bytes(header["hash"]), rlp.encode(fields))


def receipt_of(receipt: dict[str, Any]) -> bytes:
    logs = [
        [to_bytes(log["address"]), [to_bytes(topic) for topic in log["topics"]], to_bytes(log["data"])]
        for log in receipt["logs"]
    ]
    gas, bloom = int(receipt["cumulativeGasUsed"], 16), to_bytes(receipt["logsBloom"])
    data: bytes = rlp.encode([int(receipt["status"], 16), gas, bloom, logs])
    kind = int(receipt["type"], 16)
    return bytes([kind] if kind else []) + data


class Publisher:
    """The first account of a node, with an anchor contract and one log of its own."""

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self.artifact = load_artifact()
        created = self.receipt(self.send({"data": "0x" + self.artifact.bytecode.hex()}))
        self.contract = to_bytes(created["contractAddress"])
        origin = keccak(b"example.org/log")
        sender = to_bytes(node.accounts[0])
        self.log_id = keccak(abi_encode(["address", "bytes32"], [sender, origin]))
        self.call("open", abi_encode(["bytes32"], [origin]))
        genesis = node.rpc("eth_getBlockByNumber", "0x0", False)
        self.chain = Chain("ethereum", node.chain_id, to_bytes(genesis["hash"]))

    def send(self, transaction: dict[str, str]) -> str:
        return str(self.node.rpc("eth_sendTransaction", {"from": self.node.accounts[0], **transaction}))

    def receipt(self, transaction: str) -> dict[str, Any]:
        """The node answers null for a moment after it took the transaction."""
        for _ in range(500):
            found = self.node.rpc("eth_getTransactionReceipt", transaction)
            if isinstance(found, dict):
                return found
            time.sleep(0.02)
        raise AssertionError("the transaction is in no block")

    def call(self, name: str, arguments: bytes) -> str:
        data = "0x" + (self.artifact.selectors[name] + arguments).hex()
        return self.send({"to": "0x" + self.contract.hex(), "data": data, "gas": hex(300_000)})

    def anchor(self, size: int, root: bytes, proof: Sequence[bytes] = ()) -> str:
        kinds = ["bytes32", "uint64", "bytes32", "bytes32[]"]
        return self.call("anchor", abi_encode(kinds, [self.log_id, size, root, list(proof)]))

    def evidence(self, transaction: str, size: int, root: bytes) -> AnchorEvidence:
        """The receipt in the transaction's block, and the slot in the newest block."""
        mine = self.receipt(transaction)
        header = self.node.rpc("eth_getBlockByHash", mine["blockHash"], False)
        receipts = [receipt_of(item) for item in self.node.rpc("eth_getBlockReceipts", mine["blockNumber"])]
        trie = build_trie({rlp.encode(index): data for index, data in enumerate(receipts)})
        assert trie.root_hash == to_bytes(header["receiptsRoot"])
        index = int(mine["transactionIndex"], 16)
        proof = ReceiptProof(index, receipts[index], prove(trie, rlp.encode(index)), len(mine["logs"]) - 1)
        return AnchorEvidence(
            chain=self.chain,
            contract=self.contract,
            log_id=self.log_id,
            tree_size=size,
            root_hash=root,
            block=block_of(header),
            receipt=proof,
            storage=self.storage(size),
        )

    def storage(self, size: int) -> StorageProof:
        slot = keccak(size.to_bytes(32, "big") + keccak(self.log_id + bytes(32)))
        header = self.node.rpc("eth_getBlockByNumber", "latest", False)
        found = self.node.rpc(
            "eth_getProof", "0x" + self.contract.hex(), ["0x" + slot.hex()], header["number"]
        )
        return StorageProof(
            block_of(header),
            tuple(map(to_bytes, found["accountProof"])),
            to_bytes(found["codeHash"]),
            tuple(map(to_bytes, found["storageProof"][0]["proof"])),
        )
