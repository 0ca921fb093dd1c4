"""An Ethereum block header and its hash.

Source: Yellow Paper §4.3 (the fifteen fields of Frontier), then one row per fork: EIP-1559 (base fee),
EIP-4895 (withdrawals), EIP-4844 (blob gas, two fields), EIP-4788 (beacon root), EIP-7685 (requests).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import FormatError, LimitError
from . import rlp
from .keccak import keccak256

# About 650 bytes today; a Clique epoch block (EIP-225) adds 20 bytes for each of its signers.
MAX_HEADER_BYTES = 8 * 1024
# The largest fork so far appended three fields; eleven more than Prague's 21 is decades of them.
MAX_FIELDS = 32
# 9999-12-31T23:59:59Z: later instants have no RFC 3339 form, and a chain that counts milliseconds shows here.
MAX_TIMESTAMP = 253402300799

_BASE_FIELDS = 15
# The length of each field in bytes; 0 is free, a negative one a scalar of at most that many bytes.
_FIELDS = (
    ("parent_hash", 32),
    ("ommers_hash", 32),
    ("coinbase", 20),
    ("state_root", 32),
    ("transactions_root", 32),
    ("receipts_root", 32),
    ("logs_bloom", 256),
    ("difficulty", -32),
    ("number", -8),
    ("gas_limit", -8),
    ("gas_used", -8),
    ("timestamp", -8),
    ("extra_data", 0),
    ("mix_hash", 32),
    ("nonce", 8),
    ("base_fee_per_gas", -32),
    ("withdrawals_root", 32),
    ("blob_gas_used", -8),
    ("excess_blob_gas", -8),
    ("parent_beacon_block_root", 32),
    ("requests_hash", 32),
)


@dataclass(frozen=True, slots=True)
class Header:
    """What of a header other checks need."""

    hash: bytes
    """Keccak-256 of the header's bytes, 32 bytes."""
    number: int
    timestamp: int
    """Seconds since 1970, as the block's producer set it."""
    parent_hash: bytes
    state_root: bytes
    receipts_root: bytes


def parse_header(data: bytes) -> Header:
    """Decode the RLP of a header; FormatError if it is none.

    Fields after the last one known are let through as strings of at most 32 bytes, which every field
    since London has been: the hash covers them, nothing is read from them, and evidence from the next
    fork must not need a new verifier.
    """
    items = rlp.as_list(rlp.decode(data, max_bytes=MAX_HEADER_BYTES))
    if not _BASE_FIELDS <= len(items) <= MAX_FIELDS:
        raise FormatError("a header with {count} fields", count=len(items))
    numbers: dict[str, int] = {}
    strings: dict[str, bytes] = {}
    for (name, length), item in zip(_FIELDS, items, strict=False):
        if length < 0:
            numbers[name] = rlp.as_int(item, -length)
        else:
            strings[name] = rlp.as_bytes(item, length or None)
    for item in items[len(_FIELDS) :]:
        if len(rlp.as_bytes(item)) > 32:
            raise LimitError("a header field of more than 32 bytes")
    if numbers["timestamp"] > MAX_TIMESTAMP:
        raise LimitError("a block time after the year 9999, perhaps not counted in seconds")
    return Header(
        hash=keccak256(data),
        number=numbers["number"],
        timestamp=numbers["timestamp"],
        parent_hash=strings["parent_hash"],
        state_root=strings["state_root"],
        receipts_root=strings["receipts_root"],
    )
