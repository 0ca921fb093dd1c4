"""Logs of any size in a database, and their files as C2SP tlog-tiles has them, worked out by themselves."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from mizheng.notary.database import create_engine, writing
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.head import create_log, load_head, lock_head
from mizheng.notary.models import metadata
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import Engine

SIGNER = NoteSigner("log.example/read", PrivateKey.generate())


def make_log(folder: Path, size: int = 0, signer: NoteSigner = SIGNER) -> Engine:
    folder.mkdir(parents=True, exist_ok=True)
    return make_log_at(f"sqlite:///{folder / 'log.db'}", size, signer)


def make_log_at(url: str, size: int = 0, signer: NoteSigner = SIGNER) -> Engine:
    """The same in any database."""
    engine = create_engine(url)
    metadata.create_all(engine)
    with writing(engine) as connection:
        create_log(connection, signer)
    grow(engine, size, signer)
    return engine


def grow(engine: Engine, to_size: int, signer: NoteSigner = SIGNER) -> bytes:
    """Append up to this size through the notary's own code; the signed checkpoint."""
    with writing(engine) as connection:
        head = lock_head(connection)
        while head.tree_size < to_size:
            end = min(head.tree_size + 8192, to_size)
            new = [NewEntry(digest(number), "deposit") for number in range(head.tree_size, end)]
            head = append(connection, signer, head, new).head
        return load_head(connection).checkpoint


def digest(number: int) -> bytes:
    """The envelope digest of entry `number`."""
    return hashlib.sha256(b"envelope %d" % number).digest()


def entry(number: int) -> bytes:
    """Formats, section 4."""
    return b"mizheng/entry/v1\nsha256 " + hashlib.sha256(b"envelope %d" % number).hexdigest().encode() + b"\n"


@cache
def levels(size: int) -> tuple[tuple[bytes, ...], ...]:
    """The hashes of each level of tiles: leaves, then full subtrees of 256, of 65,536, …"""
    found = [tuple(hashlib.sha256(b"\0" + entry(number)).digest() for number in range(size))]
    while len(found[-1]) >= 256:
        below = found[-1]
        found.append(
            tuple(_root(below[start : start + 256]) for start in range(0, len(below) - len(below) % 256, 256))
        )
    return tuple(found)


def tile_files(size: int) -> dict[str, bytes]:
    """Every file of a log of this size but its checkpoint: full tiles, and the last partial one of each."""
    files: dict[str, bytes] = {}
    for level, hashes in enumerate(levels(size)):
        for start in range(0, len(hashes), 256):
            part = hashes[start : start + 256]
            suffix = "" if len(part) == 256 else f".p/{len(part)}"
            files[f"tile/{level}/{number_path(start // 256)}{suffix}"] = b"".join(part)
            if level == 0:
                files[f"tile/entries/{number_path(start // 256)}{suffix}"] = bundle(start, len(part))
    return files


def bundle(start: int, count: int) -> bytes:
    entries = [entry(number) for number in range(start, start + count)]
    return b"".join(len(item).to_bytes(2, "big") + item for item in entries)


def number_path(index: int) -> str:
    """1234067 → x001/x234/067."""
    last = f"{index % 1000:03}"
    path = []
    while index >= 1000:
        index //= 1000
        path.append(f"x{index % 1000:03}")
    return "/".join([*reversed(path), last])


def _root(hashes: tuple[bytes, ...]) -> bytes:
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = tuple(hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs)
    return hashes[0]
