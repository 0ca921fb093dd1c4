"""Recursive Length Prefix, strict: every value has one encoding and only that one is read.

Source: Yellow Paper, appendix B (RLP); scalars are big-endian without leading zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..errors import FormatError, LimitError, NonCanonicalError, TrailingBytesError, TruncatedError

Item: TypeAlias = "bytes | tuple[Item, ...]"
Encodable: TypeAlias = "bytes | int | Sequence[Encodable]"

# A receipt nests four lists (receipt, logs, log, topics) and so does the deepest trie node
# (branch, and within the 31 bytes of an embedded node extension, branch, leaf).
MAX_DEPTH = 4


def decode(data: bytes, *, max_bytes: int) -> Item:
    """Return the one item that `data` encodes; lists are tuples. FormatError for any other bytes.

    `max_bytes` is the caller's: it knows how long its headers, nodes or receipts honestly get.
    """
    if len(data) > max_bytes:
        raise LimitError(
            "RLP of {size} bytes, more than the {limit} allowed", size=len(data), limit=max_bytes
        )
    item, end = _read(data, 0, len(data), 0)
    if end != len(data):
        raise TrailingBytesError("bytes after the end of the RLP item")
    return item


def encode(item: Encodable) -> bytes:
    """The RLP of bytes, of a whole number as a scalar, or of a sequence of these."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(0x80, len(item)) + item
    body = b"".join(map(encode, item))
    return _prefix(0xC0, len(body)) + body


def as_bytes(item: Item, length: int | None = None) -> bytes:
    """A string, of exactly `length` bytes when given."""
    if not isinstance(item, bytes):
        raise FormatError("a list in RLP where a string belongs")
    if length is not None and len(item) != length:
        raise FormatError(
            "a string of {found} bytes in RLP where {length} belong", found=len(item), length=length
        )
    return item


def as_int(item: Item, width: int) -> int:
    """A scalar of at most `width` bytes."""
    data = as_bytes(item)
    if len(data) > width:
        raise LimitError("a number of {found} bytes in RLP, more than {width}", found=len(data), width=width)
    if data[:1] == b"\0":
        raise NonCanonicalError("a number in RLP with a leading zero byte")
    return int.from_bytes(data, "big")


def as_list(item: Item, count: int | None = None) -> tuple[Item, ...]:
    """A list, of exactly `count` items when given."""
    if isinstance(item, bytes):
        raise FormatError("a string in RLP where a list belongs")
    if count is not None and len(item) != count:
        raise FormatError("a list of {found} items in RLP where {count} belong", found=len(item), count=count)
    return item


def _read(data: bytes, at: int, end: int, depth: int) -> tuple[Item, int]:
    """Read the item at `at`, which must stop by `end`; return it and where it stopped."""
    if at == end:
        raise TruncatedError("RLP that ends too early")
    first = data[at]
    start = at + 1
    if first < 0x80:
        return data[at:start], start
    is_list = first >= 0xC0
    length = first - (0xC0 if is_list else 0x80)
    if length > 55:
        at, start = start, start + length - 55
        length = int.from_bytes(data[at:start], "big")
        if start > end:
            raise TruncatedError("RLP that ends too early")
        if data[at] == 0 or length <= 55:
            raise NonCanonicalError("an RLP length that has a shorter form")
    stop = start + length
    if stop > end:
        raise TruncatedError("RLP that ends too early")
    if not is_list:
        if length == 1 and data[start] < 0x80:
            raise NonCanonicalError("a single byte in RLP that is its own encoding")
        return data[start:stop], stop
    if depth == MAX_DEPTH:
        raise LimitError("RLP nested more than {limit} levels deep", limit=MAX_DEPTH)
    items = []
    while start < stop:
        item, start = _read(data, start, stop, depth + 1)
        items.append(item)
    return tuple(items), stop


def _prefix(base: int, length: int) -> bytes:
    if length <= 55:
        return bytes([base + length])
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(digits)]) + digits
