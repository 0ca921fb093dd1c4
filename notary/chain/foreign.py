"""Evidence from a chain with foreign headers: what its nodes say, in a type of its own."""

from __future__ import annotations

from typing import Protocol

from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.interface import Chain, ChainError, EvidenceError, FoundTransaction
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.evm.keccak import keccak256
from mizheng.verifier.foreign import ForeignAnchor, dump_foreign, parse_foreign


class Head(Protocol):
    """What is anchored; see `mizheng.notary.chain.evidence.AnchoredHead`."""

    @property
    def contract(self) -> bytes: ...
    @property
    def code_hash(self) -> bytes: ...
    @property
    def log_id(self) -> bytes: ...
    @property
    def tree_size(self) -> int: ...
    @property
    def root_hash(self) -> bytes: ...


def capture_foreign(chain: Chain, found: FoundTransaction, head: Head) -> bytes:
    """Canonical `mizheng/foreign-anchor/v1` without observations; EvidenceError if the nodes' answers do not
    fit together.
    """
    if found.block_number is None or found.block_hash is None:
        raise EvidenceError("the transaction is in no block")
    block = chain.block(found.block_number)
    if block is None or block.hash != found.block_hash:
        raise EvidenceError("the block of the transaction is no longer in the chain")
    anchor = ForeignAnchor(
        chain.profile.identity,
        head.contract,
        head.code_hash,
        head.log_id,
        head.tree_size,
        head.root_hash,
        block.number,
        block.hash,
        chain.block_time(block.number),
    )
    if not holds(chain, anchor):
        raise EvidenceError("the contract does not hold what was anchored")
    data = dump_foreign(anchor)
    try:
        parse_foreign(data)
    except MizhengError as error:
        raise EvidenceError("the chain's evidence does not check: {reason}", reason=str(error)) from error
    return data


def holds(chain: Chain, anchor: ForeignAnchor) -> bool:
    """Whether the chain's nodes show what the anchor says: code, root, and a final block with this time."""
    try:
        return (
            anchor.chain == chain.profile.identity
            and keccak256(chain.code(anchor.contract)) == anchor.code_hash
            and calls.read_root(chain, anchor.contract, anchor.log_id, anchor.tree_size) == anchor.root_hash
            and chain.holds_final(anchor.number, anchor.hash)
            and chain.block_time(anchor.number) == anchor.block_time
        )
    except ChainError as error:
        if error.code == "other-code":
            return False
        raise
