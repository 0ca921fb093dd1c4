"""Keccak-256 as Ethereum uses it: the submission's padding, before NIST made it SHA3-256.

Source: Yellow Paper, appendix "Conventions" (KEC); The Keccak Reference 3.0.
"""

from __future__ import annotations

from Crypto.Hash import keccak


def keccak256(data: bytes) -> bytes:
    """The 32-byte digest of `data`."""
    return keccak.new(digest_bits=256, data=data).digest()
