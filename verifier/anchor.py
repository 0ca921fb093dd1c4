"""Anchor evidence, `mizheng/anchor/v1`: a checkpoint's size and root, written to a contract on a chain.

What proves what, in the order of checking:

1. contract  chain, contract and code are the ones the trust file names
2. header    the block's hash and number are those of its header
3. receipt   the receipt is in that block at that index
4. event     the receipt's log is the contract's Anchored event with this log id, size and root
5. storage   in its block's state the contract has this code, and this root in the slot of log id and size

Whether a block is the chain's is not in the evidence and is checked elsewhere. A storage proof may
stand on a later block than the event; that block needs the same check before the proof counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from .canonical import dump, from_hex, parse_typed, require_fields
from .errors import ChainProofError, FormatError, LimitError
from .evm import receipt as evm_receipt
from .evm.block import (
    Block,
    Chain,
    as_proof_error,
    limited_hex,
    natural,
    parse_block,
    parse_chain,
    verify_block,
)
from .evm.event import verify_anchored
from .evm.header import Header
from .evm.storage import Account, root_slot, verify_account, verify_slot
from .evm.trie import MAX_NODE_BYTES

TYPE = "mizheng/anchor/v1"
# In hex: two headers 32 KiB, a receipt and its leaf 256 KiB, state proofs of ten full nodes 11 KiB each.
MAX_BYTES = 512 * 1024
# A path of 64 nibbles passes at most a branch for each of them, and ends in a leaf.
MAX_PROOF_NODES = 65

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """A transaction receipt of the block and the event in it."""

    index: int
    """Of the transaction in the block, from 0."""
    data: bytes
    """Consensus encoding: the type byte if it has one, then RLP."""
    proof: tuple[bytes, ...]
    """Nodes of the receipts trie, root first."""
    log_index: int
    """Of the event within this receipt, from 0: not within the block, as nodes count."""

    def to_json(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "bytes": self.data.hex(),
            "proof": [node.hex() for node in self.proof],
            "log_index": self.log_index,
        }


@dataclass(frozen=True, slots=True)
class StorageProof:
    """The contract's slot in the state of a block."""

    block: Block
    account_proof: tuple[bytes, ...]
    """Nodes of the state trie, root first."""
    code_hash: bytes
    """Keccak-256 of the contract's runtime code."""
    slot_proof: tuple[bytes, ...]
    """Nodes of the contract's storage trie, root first."""

    def to_json(self) -> dict[str, Any]:
        return {
            "block": self.block.to_json(),
            "account_proof": [node.hex() for node in self.account_proof],
            "code_hash": self.code_hash.hex(),
            "slot_proof": [node.hex() for node in self.slot_proof],
        }


@dataclass(frozen=True, slots=True)
class AnchorEvidence:
    """Everything in one `anchors/NNNN.json`; nothing of it is true until the functions below say so."""

    chain: Chain
    contract: bytes
    """Address, 20 bytes."""
    log_id: bytes
    tree_size: int
    root_hash: bytes
    block: Block
    """The block whose time counts."""
    receipt: ReceiptProof | None
    storage: StorageProof | None
    """At least one of the two."""


@dataclass(frozen=True, slots=True)
class StorageFinding:
    """What a storage proof proved."""

    header: Header
    """Of the block whose state it is: only if that block is the chain's does the rest count."""
    account: Account
    slot: bytes
    value: bytes


def parse_anchor(data: bytes) -> AnchorEvidence:
    """Read canonical evidence; FormatError, or VersionError for a type or kind of chain not known here."""
    fields = parse_typed(data, TYPE, _FIELDS, max_bytes=MAX_BYTES)
    receipt, storage = fields["receipt"], fields["storage"]
    if receipt is None and storage is None:
        raise FormatError("an anchor with neither a receipt nor a storage proof")
    return AnchorEvidence(
        chain=parse_chain(fields["chain"]),
        contract=from_hex(fields["contract"], 20),
        log_id=from_hex(fields["log_id"], 32),
        tree_size=natural(fields["tree_size"], least=1),
        root_hash=from_hex(fields["root_hash"], 32),
        block=parse_block(fields["block"]),
        receipt=None if receipt is None else _parse_receipt(receipt),
        storage=None if storage is None else _parse_storage(storage),
    )


def dump_anchor(evidence: AnchorEvidence) -> bytes:
    """The canonical bytes of `evidence`."""
    return dump(
        {
            "type": TYPE,
            "chain": evidence.chain.to_json(),
            "contract": evidence.contract.hex(),
            "log_id": evidence.log_id.hex(),
            "tree_size": evidence.tree_size,
            "root_hash": evidence.root_hash.hex(),
            "block": evidence.block.to_json(),
            "receipt": evidence.receipt and evidence.receipt.to_json(),
            "storage": evidence.storage and evidence.storage.to_json(),
        }
    )


def verify_contract(evidence: AnchorEvidence, chain: Chain, contract: bytes, code_hash: bytes) -> None:
    """Return if the evidence is about this chain and contract, with this code where it says which."""
    if evidence.chain != chain:
        raise ChainProofError("the anchor is on another chain")
    if evidence.contract != contract:
        raise ChainProofError("the anchor is in another contract")
    if evidence.storage and evidence.storage.code_hash != code_hash:
        raise ChainProofError("the anchor's contract has other code")


@as_proof_error()
def verify_header(evidence: AnchorEvidence) -> Header:
    """Return the block's header if hash and number are its own."""
    return verify_block(evidence.block)


@as_proof_error()
def verify_receipt(evidence: AnchorEvidence, header: Header) -> evm_receipt.Receipt:
    """Return the receipt if the block, whose checked header this is, holds it at its index."""
    proof = _given(evidence.receipt)
    return evm_receipt.verify_receipt(header, proof.index, proof.data, proof.proof)


def verify_event(evidence: AnchorEvidence, receipt: evm_receipt.Receipt) -> evm_receipt.Log:
    """Return the event if the checked receipt holds it: contract, log id, size and root all compared."""
    return verify_anchored(
        receipt,
        _given(evidence.receipt).log_index,
        contract=evidence.contract,
        log_id=evidence.log_id,
        size=evidence.tree_size,
        root=evidence.root_hash,
    )


@as_proof_error()
def verify_storage(evidence: AnchorEvidence) -> StorageFinding:
    """Return what the storage proof proves: the code, and the root in the slot of log id and size.

    Its block is the anchor's own or a later one. Without a receipt it must be the anchor's own, for
    then nothing else ties the root to the block whose time counts.
    """
    proof = _given(evidence.storage)
    later = evidence.receipt is not None and proof.block.number > evidence.block.number
    if proof.block != evidence.block and not later:
        raise ChainProofError(
            "a storage proof stands on the anchor's own block or, beside a receipt, on a later one"
        )
    header = verify_block(proof.block)
    account = verify_account(header.state_root, evidence.contract, proof.account_proof)
    if account.code_hash != proof.code_hash:
        raise ChainProofError("the account has other code than the evidence says")
    slot = root_slot(evidence.log_id, evidence.tree_size)
    value = verify_slot(account.storage_root, slot, proof.slot_proof)
    if value != evidence.root_hash:
        raise ChainProofError("the contract's storage holds another root")
    return StorageFinding(header, account, slot, value)


def verify_anchor(evidence: AnchorEvidence, chain: Chain, contract: bytes, code_hash: bytes) -> Header:
    """All checks above in order; return the header of the block whose time counts."""
    verify_contract(evidence, chain, contract, code_hash)
    header = verify_header(evidence)
    if evidence.receipt:
        verify_event(evidence, verify_receipt(evidence, header))
    if evidence.storage or not evidence.receipt:
        verify_storage(evidence)
    return header


def _given(part: _T | None) -> _T:
    if part is None:
        raise ChainProofError("the evidence does not carry this proof")
    return part


_FIELDS = {
    "chain": dict,
    "contract": str,
    "log_id": str,
    "tree_size": int,
    "root_hash": str,
    "block": dict,
    "receipt": (dict, type(None)),
    "storage": (dict, type(None)),
}


def _parse_receipt(value: object) -> ReceiptProof:
    fields = require_fields(value, {"index": int, "bytes": str, "proof": list, "log_index": int})
    return ReceiptProof(
        index=natural(fields["index"]),
        data=limited_hex(fields["bytes"], evm_receipt.MAX_RECEIPT_BYTES),
        proof=_parse_proof(fields["proof"]),
        log_index=natural(fields["log_index"]),
    )


def _parse_storage(value: object) -> StorageProof:
    required = {"block": dict, "account_proof": list, "code_hash": str, "slot_proof": list}
    fields = require_fields(value, required)
    return StorageProof(
        block=parse_block(fields["block"]),
        account_proof=_parse_proof(fields["account_proof"]),
        code_hash=from_hex(fields["code_hash"], 32),
        slot_proof=_parse_proof(fields["slot_proof"]),
    )


def _parse_proof(value: list[object]) -> tuple[bytes, ...]:
    if len(value) > MAX_PROOF_NODES:
        raise LimitError(
            "a proof of {count} nodes, more than the {limit} allowed", count=len(value), limit=MAX_PROOF_NODES
        )
    return tuple(limited_hex(node, MAX_NODE_BYTES) for node in value)
