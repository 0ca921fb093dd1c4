"""Reads a log's database with nothing of the notary's: plain SQL, hashlib, RFC 6962 written down again.

What the notary believes of its log is not asked here; rows are read and everything is computed anew.
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.engine import make_url

Reader = Callable[[str], list[tuple[Any, ...]]]


@contextmanager
def snapshot(url: str) -> Iterator[Reader]:
    """Rows by the database's own driver, all as of one instant, also while somebody writes."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database is not None
        with closing(sqlite3.connect(f"file:{parsed.database}?mode=ro", uri=True, timeout=30)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN")
            yield lambda query: connection.execute(query).fetchall()
        return
    import psycopg

    with psycopg.connect(
        host=parsed.host, port=parsed.port, user=parsed.username, dbname=parsed.database
    ) as session:
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield lambda query: session.execute(query.encode()).fetchall()


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def merkle_root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, as it stands there: split at the largest power of two below n."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + merkle_root(hashes[:split]) + merkle_root(hashes[split:])).digest()


@dataclass(frozen=True, slots=True)
class SignedHead:
    """Size and root of a checkpoint whose signature was checked."""

    size: int
    root: bytes


def open_note(note: bytes, vkey: str) -> SignedHead:
    """C2SP signed-note and tlog-checkpoint, read by hand: the Ed25519 signature of `vkey` must check."""
    name, _key_id, encoded = vkey.split("+", 2)
    key = base64.b64decode(encoded)
    assert key[0] == 1, "Ed25519"
    text, _, signatures = note.rpartition(b"\n\n")
    text += b"\n"
    (line,) = [row for row in signatures.decode().splitlines() if row.startswith(f"— {name} ")]
    signature = base64.b64decode(line.rpartition(" ")[2])[4:]
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, text)
    origin, size, root = text.decode().splitlines()[:3]
    assert origin == name
    return SignedHead(int(size), base64.b64decode(root))


def root_from(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to: RFC 6962 §2.1.1 read backwards, from the root down."""
    assert index < size
    if size == 1:
        assert not path, "the proof is too long"
        return leaf_hash
    split = 1
    while split * 2 < size:
        split *= 2
    assert path, "the proof is too short"
    if index < split:
        children = root_from(leaf_hash, index, split, path[:-1]) + path[-1]
    else:
        children = path[-1] + root_from(leaf_hash, index - split, size - split, path[:-1])
    return hashlib.sha256(b"\x01" + children).digest()


def roots_at(hashes: Sequence[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """The roots at many sizes in one pass: complete subtrees on a stack, joined from the right."""
    wanted, found = set(sizes), {}
    stack: list[tuple[int, bytes]] = []
    for size in range(len(hashes) + 1):
        if size in wanted:
            root = hashlib.sha256().digest()
            for number, (_, node) in enumerate(reversed(stack)):
                root = node if number == 0 else hashlib.sha256(b"\x01" + node + root).digest()
            found[size] = root
        if size < len(hashes):
            width, node = 1, hashes[size]
            while stack and stack[-1][0] == width:
                node = hashlib.sha256(b"\x01" + stack.pop()[1] + node).digest()
                width *= 2
            stack.append((width, node))
    return found


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The log as its entries say, and the head as its row says."""

    entries: list[bytes]
    head: SignedHead

    def contradictions(self, heads: Iterable[SignedHead]) -> list[SignedHead]:
        """Signed heads that are not beginnings of this log."""
        signed = set(heads)
        roots = roots_at([leaf(entry) for entry in self.entries], {head.size for head in signed})
        return [head for head in signed if roots.get(head.size) != head.root]


def recompute(url: str, vkey: str) -> Recomputed:
    """Read every row of the log and compute it anew; AssertionError where two places disagree."""
    with snapshot(url) as read:
        return _recompute(read, vkey)


def _recompute(read: Reader, vkey: str) -> Recomputed:
    bundles = read("SELECT tile_index, data FROM entry_bundles ORDER BY tile_index")
    entries: list[bytes] = []
    for number, (index, data) in enumerate(bundles):
        assert number == index, "a bundle is missing"
        data = bytes(data)
        while data:
            length = int.from_bytes(data[:2], "big")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
        assert len(entries) == 256 * (index + 1) or number == len(bundles) - 1, "a bundle ends too early"
    (row,) = read("SELECT tree_size, root_hash, checkpoint FROM log_head")
    assert len(entries) == row[0], "the head counts other entries than there are"
    found = Recomputed(entries, open_note(bytes(row[2]), vkey))
    assert (found.head.size, found.head.root) == (row[0], bytes(row[1]))
    hashes = [leaf(entry) for entry in entries]
    assert merkle_root(hashes) == bytes(row[1]), "the entries do not hash to the head"
    assert roots_at(hashes, [len(hashes)]) == {len(hashes): bytes(row[1])}
    _check_tiles(read, hashes)
    # The index table says the same as the log's own bytes.
    rows = read("SELECT leaf_index, envelope_sha256 FROM entries ORDER BY leaf_index")
    assert [index for index, _ in rows] == list(range(len(entries))), "indices have gaps or doubles"
    assert len({bytes(digest) for _, digest in rows}) == len(rows), "an envelope stands twice"
    for (index, digest), entry in zip(rows, entries, strict=True):
        assert bytes(digest).hex().encode() in entry, f"entry {index} is of another envelope"
    # Checkpoints that were kept are beginnings of the same log.
    kept = [open_note(bytes(note), vkey) for (note,) in read("SELECT note FROM checkpoints")]
    assert not found.contradictions(kept)
    return found


def _check_tiles(read: Reader, hashes: list[bytes]) -> None:
    tiles = {
        (level, index): bytes(data)
        for level, index, data in read("SELECT level, tile_index, hashes FROM tiles")
    }
    level = 0
    while hashes:
        for index in range(-(-len(hashes) // 256)):
            expected = b"".join(hashes[256 * index : 256 * index + 256])
            assert tiles.pop((level, index)) == expected, f"tile {level}/{index}"
        full = len(hashes) // 256
        hashes = [merkle_root(hashes[256 * index : 256 * index + 256]) for index in range(full)]
        level += 1
    assert not tiles, "tiles beyond the head"
