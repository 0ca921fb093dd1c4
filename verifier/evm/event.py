"""The contract's event: Anchored(bytes32 indexed logId, uint64 indexed size, bytes32 root).

Source: Solidity ABI specification, "Events": topic 0 is the hash of the signature, indexed values
follow as topics, the others are the data.
"""

from __future__ import annotations

from ..errors import ChainProofError
from .keccak import keccak256
from .receipt import Log, Receipt

ANCHORED_TOPIC = keccak256(b"Anchored(bytes32,uint64,bytes32)")


def verify_anchored(
    receipt: Receipt, log_index: int, *, contract: bytes, log_id: bytes, size: int, root: bytes
) -> Log:
    """Return the receipt's log number `log_index` (from 0 within the receipt) if it is exactly this event."""
    if receipt.status != 1:
        raise ChainProofError("the transaction failed")
    if log_index >= len(receipt.logs):
        raise ChainProofError("the receipt has no event at index {index}", index=log_index)
    log = receipt.logs[log_index]
    if log.address != contract:
        raise ChainProofError("the event comes from another contract")
    if len(log.topics) != 3 or log.topics[0] != ANCHORED_TOPIC:
        raise ChainProofError("the event is not Anchored")
    if log.topics[1] != log_id:
        raise ChainProofError("the event is about another log")
    if log.topics[2] != size.to_bytes(32, "big"):
        raise ChainProofError("the event is about another tree size")
    if log.data != root:
        raise ChainProofError("the event holds another root")
    return log
