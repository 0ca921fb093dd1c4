"""HMAC-SHA-256 (RFC 2104) for a million short messages under one key."""

from __future__ import annotations

import hashlib

# Of SHA-256; a longer key would be hashed first, and nobody here has one.
_BLOCK_BYTES = 64


class KeyedHash:
    """The HMAC of every message that begins alike: what both of its hashes begin with is hashed once."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, beginning: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            raise ValueError("a key of at most 64 bytes")
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + beginning)
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, rest: bytes) -> bytes:
        """HMAC-SHA-256(key, beginning || rest)."""
        inner = self._inner.copy()
        inner.update(rest)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()
