"""The log's files as HTTP answers them: bytes, entity tags, a gzip form of entries, and a small cache.

A place names the same bytes for ever, so what was read once need not be read again. The cache is bounded and
only saves reading: with or without it the same is answered.
"""

import gzip
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

from mizheng.notary.database import reading
from mizheng.notary.log.keys import load_history
from mizheng.notary.log.publish import Place, read_place
from mizheng.notary.publishing.head import (
    NONE,
    add_cosignatures,
    find_published,
    load_published,
    load_published_head,
)
from sqlalchemy import Engine

# Some thousand tiles: what clients of the last hours ask for. A full tile is 8 KiB, a bundle with its gzip
# form 34 KiB.
CACHE_BYTES = 32 * 1024 * 1024
# Entries are hex: every level makes about half of them, and the first ones take a fraction of the time.
_GZIP_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Form:
    """One representation of a file."""

    data: bytes
    etag: str
    """Strong (RFC 9110 §8.8.3): of exactly these bytes."""


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file in the forms in which it can be sent."""

    plain: Form
    gzip: Form | None = None
    """None where compression is of no use: hashes, and bundles of very few entries."""


class ServedLog:
    """The published log, to be read by any number of threads."""

    def __init__(self, engine: Engine, cache_bytes: int = CACHE_BYTES) -> None:
        self._engine = engine
        # By the path, which is spelled in one way: who has it need not read it.
        self._cache: OrderedDict[str, ServedFile] = OrderedDict()
        self._guard = threading.Lock()
        self._room = cache_bytes

    def checkpoint(self) -> tuple[Form, str]:
        """The published head's signed note with its cosignatures, as of now, and how its quorum stands."""
        with reading(self._engine) as connection:
            found = find_published(connection)
            if found is None:
                return _form(load_published(connection).checkpoint), NONE
            note = add_cosignatures(connection, found.head.tree_size, found.head.checkpoint)
        return _form(note), found.quorum

    def log_keys(self) -> Form | None:
        """The history of the log's key."""
        with reading(self._engine) as connection:
            history = load_history(connection)
        return None if history is None else _form(history)

    def remembered(self, path: str) -> ServedFile | None:
        """What can be answered without asking the database; `path` as in `Place.path`."""
        with self._guard:
            found = self._cache.get(path)
            if found is not None:
                self._cache.move_to_end(path)
            return found

    def read(self, place: Place) -> ServedFile | None:
        """The file; None where the published head has nothing."""
        # One snapshot: the head and the tile are of the same commit.
        with reading(self._engine) as connection:
            data = read_place(connection, place, load_published_head(connection).tree_size)
        if data is None:
            return None
        found = ServedFile(_form(data), _compressed(data) if place.level is None else None)
        self._remember(place.path, found)
        return found

    def _remember(self, path: str, found: ServedFile) -> None:
        with self._guard:
            if path in self._cache:
                return
            self._cache[path] = found
            self._room -= _size(found)
            while self._room < 0:
                self._room += _size(self._cache.popitem(last=False)[1])


def _form(data: bytes) -> Form:
    return Form(data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')


def _compressed(data: bytes) -> Form | None:
    # No time in it: the same bytes from every process.
    packed = gzip.compress(data, _GZIP_LEVEL, mtime=0)
    return _form(packed) if len(packed) < len(data) else None


def _size(found: ServedFile) -> int:
    return len(found.plain.data) + (len(found.gzip.data) if found.gzip else 0)
