"""The two digests of every file: SHA-256 (FIPS 180-4) and SM3 (GB/T 32905), in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileDigests:
    """What a file record says of content: size in bytes, digests in lower-case hex."""

    size: int
    sha256: str
    sm3: str


def compute_digests(chunks: Iterable[bytes]) -> FileDigests:
    """Digest content that comes in pieces, with memory for one piece."""
    size, sha256, sm3 = 0, hashlib.sha256(), hashlib.new("sm3")
    for chunk in chunks:
        size += len(chunk)
        sha256.update(chunk)
        sm3.update(chunk)
    return FileDigests(size, sha256.hexdigest(), sm3.hexdigest())
