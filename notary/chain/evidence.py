"""Anchor evidence from a chain: the block, the transaction's receipt and the contract's slot, each with
its proof.

A node is not believed: the tries are rebuilt here and compared with the header, and the finished evidence
is run through the verifier's own checks before anybody stores it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mizheng.notary.chain.foreign import capture_foreign
from mizheng.notary.chain.interface import BlockReceipts, Chain, ChainError, EvidenceError, FoundTransaction
from mizheng.notary.chain.receipts import build_receipts_trie
from mizheng.verifier import anchor
from mizheng.verifier.errors import FormatError, ProofError
from mizheng.verifier.evm import rlp
from mizheng.verifier.evm.block import verify_block
from mizheng.verifier.evm.event import ANCHORED_TOPIC
from mizheng.verifier.evm.receipt import parse_receipt
from mizheng.verifier.evm.storage import root_slot, verify_account


class NoEventError(EvidenceError):
    """The transaction succeeded and wrote no event for this head."""

    code = "no-event"


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """What is to be proven: that this contract has this root for this log at this size."""

    contract: bytes
    code_hash: bytes
    log_id: bytes
    tree_size: int
    root_hash: bytes


def capture_evidence(chain: Chain, found: FoundTransaction, head: AnchoredHead) -> bytes:
    """Canonical `mizheng/anchor/v1` for a transaction that is in a block, checked as a court would check it;
    on a chain with foreign headers, `mizheng/foreign-anchor/v1`.

    EvidenceError if what the chain shows does not prove `head`; UnreachableError if it stops answering. If
    the transaction moves to another block meanwhile, the answers do not fit together: EvidenceError, and
    one asks again.
    """
    if chain.profile.is_foreign:
        return capture_foreign(chain, found, head)
    if found.block_number is None or found.block_hash is None:
        raise EvidenceError("the transaction is in no block")
    block = chain.block(found.block_number)
    if block is None or block.hash != found.block_hash:
        raise EvidenceError("the block of the transaction is no longer in the chain")
    try:
        evidence = anchor.AnchorEvidence(
            chain=chain.profile.identity,
            contract=head.contract,
            log_id=head.log_id,
            tree_size=head.tree_size,
            root_hash=head.root_hash,
            block=block,
            receipt=_prove_receipt(chain.block_receipts(block), found.index, head),
            storage=None,
        )
        evidence = _with_storage(chain, evidence)
        data = anchor.dump_anchor(evidence)
        anchor.verify_anchor(anchor.parse_anchor(data), chain.profile.identity, head.contract, head.code_hash)
    except (ProofError, FormatError) as error:
        raise EvidenceError("the chain's evidence does not check: {reason}", reason=str(error)) from error
    return data


def capture_final(chain: Chain, found: FoundTransaction, head: AnchoredHead, earlier: bytes | None) -> bytes:
    """As `capture_evidence` for an anchor whose block is final, with what was captured when it was mined.

    By now a node may have forgotten the state of then, or the receipts: what was captured of this very block
    stays as good as it was, and is kept where it holds more. It is checked again all the same.
    """
    kept = None if earlier is None or chain.profile.is_foreign else _still_good(chain, found, head, earlier)
    try:
        data = capture_evidence(chain, found, head)
    except ChainError:
        if kept is None:
            raise
        return anchor.dump_anchor(kept)
    if kept is not None and kept.storage is not None and anchor.parse_anchor(data).storage is None:
        return anchor.dump_anchor(kept)
    return data


def _still_good(
    chain: Chain, found: FoundTransaction, head: AnchoredHead, earlier: bytes
) -> anchor.AnchorEvidence | None:
    """The earlier evidence, if it is of this block and this head, and checks."""
    try:
        kept = anchor.parse_anchor(earlier)
        anchor.verify_anchor(kept, chain.profile.identity, head.contract, head.code_hash)
    except (ProofError, FormatError):
        return None
    same_head = (kept.log_id, kept.tree_size, kept.root_hash) == (head.log_id, head.tree_size, head.root_hash)
    # Nothing but the block's hash ties it to the chain; the caller has just seen that this block is final.
    return kept if same_head and kept.block.hash == found.block_hash else None


def path_nodes(trie: Any, key: bytes) -> tuple[bytes, ...]:
    """The RLP of the nodes on the way to `key` that have a hash of their own, root first (EIP-1186)."""
    encoded = [rlp.encode(node) for node in trie.get_proof(key)]
    # A node shorter than a hash stands inside its parent and is not listed.
    return tuple(node for position, node in enumerate(encoded) if position == 0 or len(node) >= 32)


def _prove_receipt(found: BlockReceipts, index: int, head: AnchoredHead) -> anchor.ReceiptProof:
    trie = build_receipts_trie(found)
    if not 0 <= index < len(found.receipts):
        raise EvidenceError("the block has no receipt of the transaction")
    data = found.receipts[index]
    return anchor.ReceiptProof(index, data, path_nodes(trie, rlp.encode(index)), _find_event(data, head))


def _find_event(receipt: bytes, head: AnchoredHead) -> int:
    topics = (ANCHORED_TOPIC, head.log_id, head.tree_size.to_bytes(32, "big"))
    for position, log in enumerate(parse_receipt(receipt).logs):
        if log.address == head.contract and log.topics == topics:
            return position
    raise NoEventError("the transaction did not anchor this head")


def _with_storage(chain: Chain, evidence: anchor.AnchorEvidence) -> anchor.AnchorEvidence:
    """The evidence with the slot's proof at the same block, where the chain can still give it.

    Then one block supports all of the evidence. Nodes keep old state for an hour or not at all, and some
    answer with the newest state instead: without a proof that checks the receipt stands alone.
    """
    block = evidence.block
    proof = chain.prove_storage(evidence.contract, root_slot(evidence.log_id, evidence.tree_size), block)
    if proof is None:
        return evidence
    try:
        account = verify_account(verify_block(block).state_root, evidence.contract, proof.account_proof)
        storage = anchor.StorageProof(block, proof.account_proof, account.code_hash, proof.slot_proof)
        complete = replace(evidence, storage=storage)
        anchor.verify_storage(complete)
    except (ProofError, FormatError):
        return evidence
    return complete
