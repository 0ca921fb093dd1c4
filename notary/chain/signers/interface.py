"""What the publisher needs of a key, wherever it lies: in a file, or in a hardware security module.

A signer signs 32-byte digests with ECDSA on secp256k1 (SEC 1 §4.1.3) and nothing else: what is signed, and
when, is decided by the publisher and written down by the outbox.
"""

from __future__ import annotations

from typing import Protocol

from mizheng.notary.chain.interface import ChainError
from mizheng.verifier.evm.keccak import keccak256

# The order of secp256k1 (SEC 2 §2.4.1).
ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


class SignerError(ChainError):
    """The key cannot be used now; anchoring waits and tries again."""

    code = "signer-unavailable"


class Signer(Protocol):
    """One secp256k1 key. Safe to call from several threads."""

    @property
    def address(self) -> bytes:
        """The account's 20 bytes."""

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        """(r, s, recovery id 0 or 1) over 32 bytes, with the low s that EIP-2 wants; SignerError if the key
        cannot be used.
        """

    def close(self) -> None:
        """Let go of what the key needs; called once, at the end."""


def address_of(public_key: bytes) -> bytes:
    """The account of an uncompressed public key, 64 bytes x || y (Yellow Paper, appendix F)."""
    return keccak256(public_key)[12:]
