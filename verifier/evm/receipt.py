"""A transaction receipt and its place in a block.

Source: Yellow Paper §4.3.1 (receipt, log), EIP-658 (status), EIP-2718 (typed envelopes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ChainProofError, FormatError, VersionError
from . import rlp
from .header import Header
from .trie import verify_value

# One anchoring writes one log of some 200 bytes; this leaves room for what a multisig or a batch adds.
MAX_RECEIPT_BYTES = 64 * 1024
# EIP-2930, EIP-1559, EIP-4844 and EIP-7702 all define the legacy receipt's four fields for their payload.
_TYPES = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Log:
    """What a contract wrote with one LOG instruction."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What of a receipt other checks need."""

    status: int
    """1 for success, 0 for a transaction that was reverted and left no log."""
    logs: tuple[Log, ...]


def parse_receipt(data: bytes) -> Receipt:
    """Decode a receipt in its consensus encoding: a type byte if it has one, then RLP.

    VersionError for a transaction type whose receipt this software does not know.
    """
    if data[:1] < b"\x80":
        if data and data[0] not in _TYPES:
            raise VersionError("a receipt of unsupported transaction type {type}", type=data[0])
        data = data[1:]
    item = rlp.decode(data, max_bytes=MAX_RECEIPT_BYTES)
    status, gas_used, bloom, logs = rlp.as_list(item, 4)
    rlp.as_int(gas_used, 8)
    rlp.as_bytes(bloom, 256)
    return Receipt(_parse_status(status), tuple(_parse_log(log) for log in rlp.as_list(logs)))


def verify_receipt(header: Header, index: int, data: bytes, proof: Sequence[bytes]) -> Receipt:
    """Return the receipt if `data` is the header's receipt number `index` (from 0).

    The key in the receipts trie is the RLP of the index (Yellow Paper §4.3.2).
    """
    if verify_value(header.receipts_root, rlp.encode(index), proof) != data:
        raise ChainProofError("the block holds another receipt at index {index}", index=index)
    return parse_receipt(data)


def _parse_status(item: rlp.Item) -> int:
    if item not in (b"", b"\x01"):
        # Before Byzantium 32 bytes of state root stood here, which say nothing of success.
        raise FormatError("a receipt that does not say whether the transaction succeeded")
    return len(item)


def _parse_log(item: rlp.Item) -> Log:
    address, topics, data = rlp.as_list(item, 3)
    hashes = tuple(rlp.as_bytes(topic, 32) for topic in rlp.as_list(topics))
    return Log(rlp.as_bytes(address, 20), hashes, rlp.as_bytes(data))
