"""Walk a Merkle-Patricia proof from a root to one key.

Source: Yellow Paper, appendix C (hex-prefix) and D (modified Merkle Patricia tree). A proof is the
list of the nodes on the path that have a hash of their own, root first, as `eth_getProof` (EIP-1186)
gives them. A node shorter than 32 bytes lives inside its parent and is no element of the list.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ChainProofError, FormatError
from . import rlp
from .keccak import keccak256

# The longest node is a leaf that carries a whole receipt, of at most 64 KiB (see receipt.py), and its path.
MAX_NODE_BYTES = 64 * 1024 + 64


class AbsentError(ChainProofError):
    """The proof is sound and shows that the trie does not hold the key."""


def verify_value(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the value that the trie with this 32-byte root holds at `key`.

    `key` is the trie's own key: for accounts and slots already hashed. Every node of `proof` must be
    used, once and in order. AbsentError if the proof shows that there is no value; ChainProofError if
    it does not hash to the root, ends early or goes on; FormatError for bytes that are no trie node.
    """
    path = key.hex()
    remaining = list(reversed(proof))
    reference: rlp.Item = root
    while True:
        if isinstance(reference, bytes):
            digest = rlp.as_bytes(reference, 32)
            if not remaining:
                raise ChainProofError("the trie proof ends before it reaches the key")
            is_root = len(remaining) == len(proof)
            node = _open(remaining.pop(), digest, is_root=is_root)
        else:
            node = _embedded(reference)
        path, reference, is_value = _step(node, path)
        if is_value or reference == b"":
            break
    if remaining:
        raise ChainProofError("the trie proof has nodes that the path to the key does not use")
    if reference == b"":
        raise AbsentError("the trie does not hold this key")
    return rlp.as_bytes(reference)


def _open(data: bytes, digest: bytes, *, is_root: bool) -> tuple[rlp.Item, ...]:
    if keccak256(data) != digest:
        raise ChainProofError("a trie node does not match the hash that refers to it")
    if len(data) < 32 and not is_root:
        raise FormatError("a trie node that belongs inside its parent")
    node = rlp.decode(data, max_bytes=MAX_NODE_BYTES)
    # The empty trie is the empty string; a branch with nothing in it says the same to the walk.
    return (b"",) * 17 if is_root and node == b"" else rlp.as_list(node)


def _embedded(node: tuple[rlp.Item, ...]) -> tuple[rlp.Item, ...]:
    if len(rlp.encode(node)) >= 32:
        raise FormatError("a trie node inside its parent that should have a hash of its own")
    return node


def _step(node: tuple[rlp.Item, ...], path: str) -> tuple[str, rlp.Item, bool]:
    """One step down: the rest of the path, the reference or value found, and whether it is a value.

    The path is hex digits. Nothing found is the empty string, which is no value and no reference.
    """
    if len(node) == 17:
        if not path:
            return path, rlp.as_bytes(node[16]), True
        return path[1:], node[int(path[0], 16)], False
    rlp.as_list(node, 2)
    shared, is_leaf = _parse_hex_prefix(rlp.as_bytes(node[0]))
    target = node[1]
    if target == b"" or not (is_leaf or shared):
        raise FormatError("a trie node that no trie has")
    if is_leaf:
        return "", rlp.as_bytes(target) if path == shared else b"", True
    return (path[len(shared) :], target, False) if path.startswith(shared) else ("", b"", False)


def _parse_hex_prefix(data: bytes) -> tuple[str, bool]:
    """The path as hex digits, and whether the node is a leaf. First digit: 2 for leaf + 1 for an odd path."""
    digits = data.hex()
    if digits[:2] in ("00", "20"):
        return digits[2:], digits[0] == "2"
    if digits[:1] in ("1", "3"):
        return digits[1:], digits[0] == "3"
    raise FormatError("a trie node whose path is not hex-prefix encoded")
