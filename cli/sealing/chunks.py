"""Work in pieces: some hundred names at a time, and of an earlier seal what concerns just those.

A chunk is all that whoever reads its files has to know, and small: names go as they are, many in one piece of
bytes, so that handing it to another process costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mizheng.cli.sealfile.content import Kept
from mizheng.cli.sealfile.labels import Stamp, first_path
from mizheng.cli.sealing.folder import Other
from mizheng.cli.sealing.walking import Listing

# A chunk keeps a reader busy for about ten milliseconds, so that handing it over costs nothing.
CHUNK_NAMES = 500

Piece = tuple[bytes, bytes | Kept]
"""Of an earlier seal: packed entries, and as many record lines or where they are."""
Earlier = Iterable[Piece]
"""Pieces in the order of their seal."""


class Part(NamedTuple):
    """Names of one folder."""

    base: bytes
    folder: bytes
    names: bytes
    """One behind the other, a zero byte between two."""
    others: dict[int, Other]
    stamps: tuple[Stamp, ...] = ()
    """As in a listing."""


class Chunk(NamedTuple):
    """Names in the order of the walk."""

    parts: tuple[Part, ...]
    size: int
    """How many names."""
    earlier: tuple[Piece, ...] = ()
    """What earlier seals have of the stretch in which these names lie."""
    is_split: bool = False
    """Large files have been taken apart from small ones."""


def cut(listings: Iterable[Listing]) -> Iterator[Chunk]:
    """Everything listed, in chunks; small folders share one."""
    parts: list[Part] = []
    count = 0
    for base, folder, names, others, stamps in listings:
        start = 0
        while start < len(names):
            some = names[start : start + CHUNK_NAMES - count]
            inside = {
                place - start: other for place, other in others.items() if 0 <= place - start < len(some)
            }
            known = tuple(stamps[start : start + len(some)])
            parts.append(Part(base, folder, b"\0".join(some), inside, known))
            count += len(some)
            start += len(some)
            if count == CHUNK_NAMES:
                yield Chunk(tuple(parts), count)
                parts, count = [], 0
    if parts:
        yield Chunk(tuple(parts), count)


def join_earlier(chunks: Iterable[Chunk], earlier: Earlier) -> Iterator[Chunk]:
    """Each chunk with the pieces of `earlier` that may hold a name of its own.

    Both come in the order of the walk, so they are compared step by step and neither is held in memory.
    """
    pieces = _placed(earlier)
    following = next(pieces, None)
    held: list[tuple[list[tuple[bool, bytes]], Piece]] = []
    for chunk in chunks:
        first, last = _ends(chunk)
        while following is not None and following[0] <= last:
            held.append(following)
            following = next(pieces, None)
        # A piece reaches as far as the next one's beginning.
        while len(held) > 1 and held[1][0] <= first:
            del held[0]
        yield chunk._replace(earlier=(*chunk.earlier, *(piece for _key, piece in held)))


def walk_key(label: bytes) -> list[tuple[bool, bytes]]:
    """Sorts labels as the walk finds them: in each folder its files first, then its folders."""
    *folders, name = label.split(b"/")
    return [*((True, folder) for folder in folders), (False, name)]


def _placed(earlier: Earlier) -> Iterator[tuple[list[tuple[bool, bytes]], Piece]]:
    for labels, records in earlier:
        label = first_path(labels)
        # What was told, not found, comes first and has no path.
        if label is not None:
            yield walk_key(label), (labels, records)


def _ends(chunk: Chunk) -> tuple[list[tuple[bool, bytes]], list[tuple[bool, bytes]]]:
    first, last = chunk.parts[0], chunk.parts[-1]
    return (
        walk_key(first.folder + first.names.split(b"\0", 1)[0]),
        walk_key(last.folder + last.names.rsplit(b"\0", 1)[-1]),
    )
