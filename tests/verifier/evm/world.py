"""A block with receipts and a contract's storage, built with other people's code.

Headers, receipts and tries come from py-evm, pyrlp and py-trie. Nothing here uses what it is to test, but for
the classes that name the parts of the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import rlp
from eth.rlp.logs import Log
from eth.rlp.receipts import Receipt
from eth.vm.forks.berlin.receipts import TypedReceipt
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.prague.receipts import PragueTypedReceipt
from eth_utils import keccak
from mizheng.verifier.anchor import AnchorEvidence, ReceiptProof, StorageProof
from mizheng.verifier.evm.block import Block, Chain
from trie import HexaryTrie

CHAIN = Chain(
    "ethereum", 1, bytes.fromhex("d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
)
CONTRACT = bytes.fromhex("c0") * 20
CODE_HASH = keccak(b"runtime code")
LOG_ID = keccak(b"log id")
TOPIC = keccak(b"Anchored(bytes32,uint64,bytes32)")


def root_of(size: int) -> bytes:
    """A root for each tree size; what trees they are is another test's matter."""
    return keccak(b"root %d" % size)


def build_trie(items: Mapping[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in items.items():
        trie[key] = value
    return trie


def prove(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """The nodes that `eth_getProof` would list: py-trie also returns those that live inside their parents."""
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    return tuple(node for place, node in enumerate(nodes) if place == 0 or len(node) >= 32)


def anchored_log(size: int, root: bytes, *, contract: bytes = CONTRACT, log_id: bytes = LOG_ID) -> Log:
    topics = [int.from_bytes(topic, "big") for topic in (TOPIC, log_id, size.to_bytes(32, "big"))]
    return Log(contract, topics, root)


def transfer_log(number: int) -> Log:
    """Some other contract's event."""
    return Log(keccak(b"token")[:20], [number, 7], b"\x01" * 40)


def build_receipt(kind: int, logs: Sequence[Log], *, status: bytes = b"\x01", gas: int = 21000) -> bytes:
    """The consensus encoding of a receipt of transaction type `kind` (0 for a legacy one)."""
    receipt = Receipt(state_root=status, gas_used=gas, bloom=0, logs=logs)
    return rlp.encode(receipt) if kind == 0 else bytes(_typed(kind, receipt).encode())


def _typed(kind: int, receipt: Receipt) -> TypedReceipt:
    return PragueTypedReceipt(kind, receipt)


@cache
def build_storage(sizes: tuple[int, ...]) -> HexaryTrie:
    """Anchored roots at their slots, and 40 other slots so that there is something to walk."""
    outer = keccak(LOG_ID + bytes(32))
    slots = {keccak(size.to_bytes(32, "big") + outer): root_of(size) for size in sizes}
    slots |= {keccak(b"slot %d" % number): b"%d" % number for number in range(40)}
    return build_trie({keccak(slot): rlp.encode(value) for slot, value in slots.items()})


@dataclass
class World:
    """One block: `receipts` in it, and the contract with the roots of `sizes` among other accounts."""

    number: int
    receipts: Sequence[bytes]
    sizes: tuple[int, ...] = ()
    timestamp: int = 1_790_000_000
    accounts: int = 60
    storage: HexaryTrie = field(init=False)
    state: HexaryTrie = field(init=False)
    receipts_trie: HexaryTrie = field(init=False)
    header: PragueBlockHeader = field(init=False)

    def __post_init__(self) -> None:
        self.storage = build_storage(self.sizes)
        accounts = {keccak(b"account %d" % number)[:20]: (number, 10**18) for number in range(self.accounts)}
        rows = {
            keccak(address): rlp.encode([nonce, balance, keccak(rlp.encode(b"")), keccak(b"")])
            for address, (nonce, balance) in accounts.items()
        }
        rows[keccak(CONTRACT)] = rlp.encode([1, 0, self.storage.root_hash, CODE_HASH])
        self.state = build_trie(rows)
        self.receipts_trie = build_trie({rlp.encode(index): data for index, data in enumerate(self.receipts)})
        self.header = PragueBlockHeader(
            difficulty=0,
            block_number=self.number,
            gas_limit=36_000_000,
            timestamp=self.timestamp,
            coinbase=keccak(b"fee recipient")[:20],
            parent_hash=keccak(b"parent %d" % self.number),
            state_root=self.state.root_hash,
            receipt_root=self.receipts_trie.root_hash,
            gas_used=30_000_000,
            extra_data=b"a test",
            mix_hash=keccak(b"randao"),
            base_fee_per_gas=7,
            withdrawals_root=keccak(b"withdrawals"),
            blob_gas_used=0,
            excess_blob_gas=0,
            parent_beacon_block_root=keccak(b"beacon"),
            requests_hash=keccak(b"requests"),
        )

    @property
    def block(self) -> Block:
        return Block(self.number, self.header.hash, rlp.encode(self.header))

    def receipt_proof(self, index: int, log_index: int) -> ReceiptProof:
        proof = prove(self.receipts_trie, rlp.encode(index))
        return ReceiptProof(index, self.receipts[index], proof, log_index)

    def storage_proof(self, size: int) -> StorageProof:
        slot = keccak(size.to_bytes(32, "big") + keccak(LOG_ID + bytes(32)))
        return StorageProof(
            self.block, prove(self.state, keccak(CONTRACT)), CODE_HASH, prove(self.storage, keccak(slot))
        )


def build_receipts(count: int, anchors: Mapping[int, int]) -> list[bytes]:
    """`count` receipts of all types; `anchors` says which (by index) anchor which size, after a log."""
    receipts = []
    for index in range(count):
        logs = [transfer_log(index)]
        if index in anchors:
            logs.append(anchored_log(anchors[index], root_of(anchors[index])))
        receipts.append(build_receipt(index % 5, logs, gas=21000 * (index + 1)))
    return receipts


def build_evidence(
    *, size: int = 70_000, number: int = 23_000_000, receipts: int = 200, index: int = 133, later: int = 40
) -> AnchorEvidence:
    """Sound evidence with both proofs, the storage proof on a block `later` blocks after the event's."""
    world = World(number, build_receipts(receipts, {index: size}), (size,))
    after = World(number + later, build_receipts(3, {}), (5, size)) if later else world
    return AnchorEvidence(
        chain=CHAIN,
        contract=CONTRACT,
        log_id=LOG_ID,
        tree_size=size,
        root_hash=root_of(size),
        block=world.block,
        receipt=world.receipt_proof(index, 1),
        storage=after.storage_proof(size),
    )
