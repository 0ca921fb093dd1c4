"""An account and one slot of its storage, proven against a state root.

Source: Yellow Paper §4.1 (account, storage root), EIP-1186 (proofs), Solidity "Layout of State
Variables in Storage" (where a mapping keeps its values).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import rlp
from .keccak import keccak256
from .trie import verify_value

# MizhengAnchor.sol's first variable, _roots: mapping(bytes32 logId => mapping(uint64 size => bytes32 root)).
_ROOTS_SLOT = 0
# nonce ≤ 9, balance ≤ 33, two hashes of 33, and the list's own two bytes.
_MAX_ACCOUNT_BYTES = 9 + 33 + 33 + 33 + 2
# A 32-byte value and its prefix.
_MAX_SLOT_BYTES = 33


@dataclass(frozen=True, slots=True)
class Account:
    """What of an account other checks need."""

    storage_root: bytes
    code_hash: bytes


def verify_account(state_root: bytes, address: bytes, proof: Sequence[bytes]) -> Account:
    """Return the account at the 20-byte `address`; AbsentError if the proof shows there is none."""
    value = verify_value(state_root, keccak256(address), proof)
    nonce, balance, storage_root, code_hash = rlp.as_list(rlp.decode(value, max_bytes=_MAX_ACCOUNT_BYTES), 4)
    rlp.as_int(nonce, 8)
    rlp.as_int(balance, 32)
    return Account(rlp.as_bytes(storage_root, 32), rlp.as_bytes(code_hash, 32))


def verify_slot(storage_root: bytes, slot: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the 32 bytes stored at the 32-byte key `slot`; AbsentError if they are zero."""
    value = verify_value(storage_root, keccak256(slot), proof)
    return rlp.as_int(rlp.decode(value, max_bytes=_MAX_SLOT_BYTES), 32).to_bytes(32, "big")


def root_slot(log_id: bytes, size: int) -> bytes:
    """The slot of the root anchored for `log_id` (32 bytes) at tree size `size`: a mapping in a mapping."""
    outer = keccak256(log_id + _ROOTS_SLOT.to_bytes(32, "big"))
    return keccak256(size.to_bytes(32, "big") + outer)
