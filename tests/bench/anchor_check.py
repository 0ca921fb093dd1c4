"""The offline check of one anchor: bytes in, all proofs checked, in this process.

The evidence is as large as Ethereum's: a block of 300 receipts, an account among some hundred million (nine
full branches above its leaf), a contract with some ten thousand roots (four).
"""

import random
import statistics
import sys
import time

import rlp
from eth_utils import keccak
from mizheng.verifier.anchor import AnchorEvidence, StorageProof, dump_anchor, parse_anchor, verify_anchor
from mizheng.verifier.evm.block import Block
from mizheng.verifier.evm.storage import root_slot

from tests.verifier.evm.world import (
    CHAIN,
    CODE_HASH,
    CONTRACT,
    LOG_ID,
    World,
    build_receipts,
    root_of,
)

SIZE = 1_000_000
TARGET = 5.0
ROUNDS = 500
RANDOM = random.Random(1)


def build_path(key: bytes, value: bytes, branches: int) -> tuple[bytes, ...]:
    """The nodes from a root down to `key`: full branches of 16 hashes, then a leaf."""
    rest = key.hex()[branches:]
    digits = ("3" if len(rest) % 2 else "20") + rest
    nodes = [rlp.encode([bytes.fromhex(digits), value])]
    for nibble in reversed(key.hex()[:branches]):
        children = [RANDOM.randbytes(32) for _ in range(16)]
        children[int(nibble, 16)] = keccak(nodes[0])
        nodes.insert(0, rlp.encode([*children, b""]))
    return tuple(nodes)


def build_evidence() -> AnchorEvidence:
    slot_proof = build_path(keccak(root_slot(LOG_ID, SIZE)), rlp.encode(root_of(SIZE)), 4)
    account = rlp.encode([1, 0, keccak(slot_proof[0]), CODE_HASH])
    account_proof = build_path(keccak(CONTRACT), account, 9)
    world = World(23_000_000, build_receipts(300, {133: SIZE}))
    header = world.header.copy(state_root=keccak(account_proof[0]))
    block = Block(world.number, header.hash, rlp.encode(header))
    return AnchorEvidence(
        chain=CHAIN,
        contract=CONTRACT,
        log_id=LOG_ID,
        tree_size=SIZE,
        root_hash=root_of(SIZE),
        block=block,
        receipt=world.receipt_proof(133, 1),
        storage=StorageProof(block, account_proof, CODE_HASH, slot_proof),
    )


def main() -> int:
    data = dump_anchor(build_evidence())
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        verify_anchor(parse_anchor(data), CHAIN, CONTRACT, CODE_HASH)
        times.append((time.perf_counter() - start) * 1000)
    middle, late = statistics.median(times), sorted(times)[ROUNDS * 99 // 100]
    print(
        f"check of one anchor, {len(data):,} bytes with receipt and storage proof: "
        f"median {middle:.2f} ms, 99th of 100 {late:.2f} ms (target {TARGET:.0f} ms)"
    )
    return 0 if middle <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
