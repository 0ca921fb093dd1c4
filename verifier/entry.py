"""Log entries: what an auditor sees of a deposit, and nothing else (formats §4)."""

from __future__ import annotations

import hashlib
import re

from .errors import FormatError
from .merkle import leaf_hash

_ENTRY = re.compile(rb"mizheng/entry/v1\nsha256 ([0-9a-f]{64})\n")


def dump_entry(envelope_sha256: bytes) -> bytes:
    """Two LF-ended ASCII lines: the format, and the envelope's SHA-256."""
    if len(envelope_sha256) != 32:
        raise ValueError("a SHA-256 has 32 bytes")
    return b"mizheng/entry/v1\nsha256 %s\n" % envelope_sha256.hex().encode()


def parse_entry(data: bytes) -> bytes:
    """The envelope's SHA-256 that an entry names; FormatError for anything else."""
    match = _ENTRY.fullmatch(data)
    if not match:
        raise FormatError("not a log entry (mizheng/entry/v1)")
    return bytes.fromhex(match[1].decode())


def is_entry(data: bytes) -> bool:
    """Whether `parse_entry` would read it; quicker where only that is asked, of millions."""
    return _ENTRY.fullmatch(data) is not None


def entry_leaf(envelope: bytes) -> bytes:
    """The log's leaf hash for an envelope's bytes."""
    return entry_leaf_of(hashlib.sha256(envelope).digest())


def entry_leaf_of(envelope_sha256: bytes) -> bytes:
    """The same by the digest of the envelope."""
    return leaf_hash(dump_entry(envelope_sha256))
