"""Everything that can be read in some bytes: as they are, and inside what is written in Base64 or hex."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

# A record's shortest field that tells something is longer than what twelve letters of Base64 hold.
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{12,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-f]{2}){8,}")
_DEEPEST = 4


def layers(data: bytes, depth: int = _DEEPEST) -> Iterator[bytes]:
    """`data`, and what its runs of Base64 and hex digits stand for, and so on."""
    yield data
    if depth:
        for found in _BASE64.findall(data):
            whole = found.rstrip(b"=")
            # A run may be cut at any of four places by what stands before it.
            yield from layers(base64.b64decode(whole[: len(whole) // 4 * 4]), depth - 1)
        for found in _HEX.findall(data):
            yield from layers(bytes.fromhex(found.decode()), depth - 1)


def readable(data: bytes) -> bytes:
    """All of it in one piece, to look for words in."""
    return b"\x00".join(layers(data))
