"""The name that IPFS gives to a file, made here: so that a node's word for it is never needed.

The oldest and most common form, which every node can be asked for: pieces of 262,144 bytes, each a UnixFS
file node in dag-pb; up to 174 of them under a node, and so on up (balanced); CIDv0, the Base58 of the root's
SHA-256 multihash.

https://ipld.io/specs/codecs/dag-pb/spec/  https://specs.ipfs.tech/unixfs/  https://github.com/multiformats/cid
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

PIECE_BYTES = 262_144
MAX_LINKS = 174
# What asks a node for just this form (Kubo's RPC, /api/v0/add).
ADD_OPTIONS = {
    "cid-version": "0",
    "raw-leaves": "false",
    "chunker": f"size-{PIECE_BYTES}",
    "trickle": "false",
    "hash": "sha2-256",
}

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SHA256 = b"\x12\x20"
_FILE = b"\x08\x02"


@dataclass(frozen=True, slots=True)
class _Node:
    multihash: bytes
    total: int
    """Bytes of this node and all below it, as serialized."""
    size: int
    """Bytes of the file below it."""


class CidBuilder:
    """Takes a file piece by piece; in memory stay a piece and a few hundred nodes."""

    def __init__(self, block: Callable[[bytes], None] = lambda _multihash: None) -> None:
        """`block` is told of every block that the file has, the root last."""
        self._block = block
        self._rest = bytearray()
        self._levels: list[list[_Node]] = [[]]
        self._size = 0

    def update(self, data: bytes) -> None:
        self._rest += data
        self._size += len(data)
        start = 0
        while len(self._rest) - start >= PIECE_BYTES:
            self._add(0, _leaf(bytes(self._rest[start : start + PIECE_BYTES])))
            start += PIECE_BYTES
        del self._rest[:start]

    def finish(self) -> str:
        """The CID; nothing may be added after it."""
        if self._rest or not self._size:
            self._add(0, _leaf(bytes(self._rest)))
        level = 0
        while True:
            nodes = self._levels[level]
            if level == len(self._levels) - 1 and len(nodes) == 1:
                return base58(nodes[0].multihash)
            # A last node with one link stands like every other, so that all leaves are equally deep.
            self._levels[level] = []
            self._add(level + 1, _join(nodes))
            level += 1

    def _add(self, level: int, node: _Node) -> None:
        self._block(node.multihash)
        if level == len(self._levels):
            self._levels.append([])
        nodes = self._levels[level]
        if len(nodes) == MAX_LINKS:
            # Only now is it known that there are more than fit under one node.
            self._levels[level] = [node]
            self._add(level + 1, _join(nodes))
        else:
            nodes.append(node)


def _leaf(data: bytes) -> _Node:
    content = _FILE + (_bytes(2, data) if data else b"") + _number(3, len(data))
    return _node(_bytes(1, content), len(data), 0)


def _join(nodes: list[_Node]) -> _Node:
    links = b"".join(
        _bytes(2, _bytes(1, node.multihash) + _bytes(2, b"") + _number(3, node.total)) for node in nodes
    )
    size = sum(node.size for node in nodes)
    content = _FILE + _number(3, size) + b"".join(_number(4, node.size) for node in nodes)
    return _node(links + _bytes(1, content), size, sum(node.total for node in nodes))


def _node(data: bytes, size: int, below: int) -> _Node:
    return _Node(_SHA256 + hashlib.sha256(data).digest(), len(data) + below, size)


def _bytes(field: int, data: bytes) -> bytes:
    """A field of bytes in protobuf's wire format."""
    return bytes([field << 3 | 2]) + _varint(len(data)) + data


def _number(field: int, value: int) -> bytes:
    return bytes([field << 3]) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def base58(data: bytes) -> str:
    """Base58 in Bitcoin's alphabet."""
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text
