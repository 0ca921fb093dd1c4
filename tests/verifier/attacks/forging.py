"""Blocks that no chain has, made so that everything about them fits together."""

from __future__ import annotations

from dataclasses import replace

import rlp
from eth_utils import keccak
from mizheng.verifier.anchor import AnchorEvidence, parse_anchor
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.evm.block import Block

from tests.verifier.evm import world as evm

from .scene import Scene

IN_2020 = parse_instant("2020-01-01T00:00:00Z")
# No pin, no observer and no node knows a block of this number.
FREE_NUMBER = 1_000_000


def honest_evidence(scene: Scene) -> AnchorEvidence:
    return parse_anchor(scene.anchor[1])


def forge_anchor(scene: Scene, *, number: int, timestamp: int = IN_2020) -> AnchorEvidence:
    """A home-made block with the right event: header, trie and receipt fit together in every bit."""
    honest = honest_evidence(scene)
    event = evm.anchored_log(
        honest.tree_size, honest.root_hash, contract=honest.contract, log_id=honest.log_id
    )
    block = evm.World(number, [evm.build_receipt(2, [event])], timestamp=timestamp)
    return replace(honest, block=block.block, receipt=block.receipt_proof(0, 0), storage=None)


def forge_state(scene: Scene, number: int) -> AnchorEvidence:
    """The same by storage alone: a home-made state in which the contract has the root in its slot."""
    honest = honest_evidence(scene)
    slot = keccak(honest.tree_size.to_bytes(32, "big") + keccak(honest.log_id + bytes(32)))
    storage = evm.build_trie({keccak(slot): rlp.encode(honest.root_hash)})
    code = scene.world.deployment.code_hash
    state = evm.build_trie({keccak(honest.contract): rlp.encode([1, 0, storage.root_hash, code])})
    block = evm.World(number, [evm.build_receipt(2, [])], timestamp=IN_2020)
    block.header = block.header.copy(state_root=state.root_hash)
    proof = evm.StorageProof(
        block.block, evm.prove(state, keccak(honest.contract)), code, evm.prove(storage, keccak(slot))
    )
    return replace(honest, block=block.block, receipt=None, storage=proof)


def home_made(number: int, timestamp: int) -> Block:
    return evm.World(number, [evm.build_receipt(2, [])], timestamp=timestamp).block
