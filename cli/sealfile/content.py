"""What is inside a seal, for whoever has its key: records by name, and their proofs.

Nothing here reads the whole of a large seal unless all of it is asked for: names are found in the list of
labels, a record in its segment, a proof in one piece of each level of the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from mizheng.cli.sealfile.box import Box, Secret
from mizheng.cli.sealfile.labels import Entry, first_path, unpack_entries
from mizheng.cli.sealfile.read import Seal, damaged
from mizheng.cli.sealfile.segments import (
    CONTENTS,
    LABELS,
    RECORDS,
    TREE,
    Segment,
    read_segment,
    walk_segments,
)
from mizheng.cli.sealfile.write import MIN_KEPT_TREE, TREE_PIECE, Previous
from mizheng.verifier.canonical import from_hex, parse, require_fields
from mizheng.verifier.errors import FormatError
from mizheng.verifier.manifest import Manifest, OpenedRecord
from mizheng.verifier.merkle import leaf_hash, root_from_inclusion

# A billion records would need so much for the list of segments.
_MAX_CONTENTS_BYTES = 1 << 30


class Place(NamedTuple):
    """Where a record lies: which batch of the seal, which line in it."""

    batch: int
    line: int


class Batch(NamedTuple):
    """Some hundred records and their labels."""

    records: Segment
    labels: Segment
    size: int


class Kept(NamedTuple):
    """Record lines that lie in a seal: handed to another process they are a few words, and are read there."""

    path: str
    segment: Segment
    secret: Secret

    def read(self) -> bytes:
        """The lines; DataFault when they are not what was written there, OSError when the seal is gone."""
        with Path(self.path).open("rb") as file:
            try:
                return open_segment(file, Box(self.secret), self.segment)
            except FormatError as error:
                raise damaged(Path(self.path)) from error


class Content:
    """An opened seal."""

    def __init__(self, seal: Seal, secret: Secret) -> None:
        self._seal = seal
        self._box = Box(secret)
        self._secret = secret
        self.manifest_key = secret.manifest_key
        try:
            fields = self._contents()
            self.previous = _previous(fields["previous"])
            self.count: int = fields["records"]
            segments = [_segment(item) for item in fields["segments"]]
            self._batches = list(_pair(segments, [item[4] for item in fields["segments"]]))
            self._tree = [item for item in segments if item.kind == TREE]
        except (FormatError, TypeError, ValueError, IndexError) as error:
            raise damaged(seal.path) from error
        self._cached: tuple[int, list[bytes]] = (-1, [])
        self._manifest: Manifest | None = None

    def entries(
        self, passes_over: Callable[[bytes], bool] = lambda _names: False
    ) -> Iterator[tuple[Place, Entry]]:
        """Every record by name, in the order in which it was found.

        `passes_over`: of files, links and what was unreadable, told the packed names of some hundred of them,
        whether none of these is wanted; they are left out then.
        """
        for number, batch in enumerate(self._batches):
            names = self._read(batch.labels)
            # Records of other kinds stand in a batch of their own, before all these.
            if first_path(names) is not None and passes_over(names):
                continue
            for line, entry in enumerate(unpack_entries(names)):
                yield Place(number, line), entry

    def records(self) -> Iterator[bytes]:
        """Each record's bytes in the same order."""
        for number in range(len(self._batches)):
            yield from self._lines(number)

    def batches(self) -> Iterator[tuple[list[Entry], list[bytes]]]:
        """Both together, some hundred at a time."""
        for number, batch in enumerate(self._batches):
            yield list(unpack_entries(self._read(batch.labels))), self._lines(number)

    def pieces(self) -> Iterator[tuple[bytes, Kept]]:
        """The same as it is kept: packed entries, and where the record lines are."""
        path = str(self._seal.path.absolute())
        for batch in self._batches:
            yield self._read(batch.labels), Kept(path, batch.records, self._secret)

    def record(self, place: Place) -> bytes:
        return self._lines(place.batch)[place.line]

    def prove(self, records: Iterable[bytes]) -> list[OpenedRecord]:
        """The records with their proofs; DataFault when they are not those that were committed to."""
        sealed = self._seal.state.sealed
        found = [self._prove(record) for record in records]
        for item in found:
            root = root_from_inclusion(leaf_hash(item.record), item.index, item.tree_size, item.hashes)
            if root.hex() != sealed.root_hash:
                raise damaged(self._seal.path)
        return found

    def _prove(self, record: bytes) -> OpenedRecord:
        size = self._seal.state.sealed.tree_size
        if size < MIN_KEPT_TREE:
            if self._manifest is None:
                self._manifest = Manifest(map(leaf_hash, self.records()), self.manifest_key)
            return self._manifest.open(record)
        index = self._find_leaf(leaf_hash(record), size)
        hashes, node, before = [], index, 0
        level_size = size
        while level_size > 1:
            hashes.append(self._node(before, node ^ 1))
            before += -(-level_size // TREE_PIECE)
            node, level_size = node >> 1, level_size >> 1
        return OpenedRecord(record, index, size, tuple(hashes))

    def _find_leaf(self, leaf: bytes, size: int) -> int:
        """Leaves are sorted: halve the pieces, then look into one."""
        low, high = 0, size // TREE_PIECE
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._node(0, middle * TREE_PIECE) <= leaf else (low, middle)
        piece = self._piece(low)
        for place in range(0, len(piece), 32):
            if piece[place : place + 32] == leaf:
                return low * TREE_PIECE + place // 32
        raise damaged(self._seal.path)

    def _node(self, first_piece: int, number: int) -> bytes:
        piece, place = divmod(number, TREE_PIECE)
        return self._piece(first_piece + piece)[place * 32 : place * 32 + 32]

    def _piece(self, number: int) -> bytes:
        if number >= len(self._tree):
            raise damaged(self._seal.path)
        return self._read(self._tree[number])

    def _lines(self, number: int) -> list[bytes]:
        if self._cached[0] != number:
            batch = self._batches[number]
            lines = self._read(batch.records).split(b"\n")[:-1]
            if len(lines) != batch.size:
                raise damaged(self._seal.path)
            self._cached = (number, lines)
        return self._cached[1]

    def _read(self, segment: Segment) -> bytes:
        try:
            return open_segment(self._seal.file, self._box, segment)
        except FormatError as error:
            raise damaged(self._seal.path) from error

    def _contents(self) -> dict[str, Any]:
        number, offset, length = self._seal.state.sealed.contents
        data = open_segment(self._seal.file, self._box, Segment(CONTENTS, number, offset, length))
        return require_fields(
            parse(data, max_bytes=_MAX_CONTENTS_BYTES),
            {"previous": (dict, type(None)), "records": int, "segments": list},
        )


def open_segment(file: BinaryIO, box: Box, segment: Segment) -> bytes:
    """A segment's own bytes; FormatError when they are not what was written there."""
    return box.open(segment.kind, segment.number, read_segment(file, segment))


def unfinished_pieces(file: BinaryIO, start: int, secret: Secret) -> Iterator[tuple[bytes, bytes]]:
    """What an interrupted run had read, as `pieces`: whole ones from `start` on, as far as they go."""
    box = Box(secret)
    records = b""
    for segment in walk_segments(file, start):
        try:
            data = open_segment(file, box, segment)
        except FormatError:
            # Written while the power went: what is before it is whole.
            return
        if segment.kind == RECORDS:
            records = data
        elif segment.kind == LABELS:
            yield data, records


def _segment(item: Any) -> Segment:
    kind, number, offset, length, _count = item
    return Segment(str(kind), int(number), int(offset), int(length))


def _pair(segments: list[Segment], counts: list[int]) -> Iterator[Batch]:
    parts = [
        (item, count) for item, count in zip(segments, counts, strict=True) if item.kind in (RECORDS, LABELS)
    ]
    for (records, count), (labels, same) in zip(parts[::2], parts[1::2], strict=True):
        if (records.kind, labels.kind) != (RECORDS, LABELS) or count != same:
            raise FormatError("a seal whose records and names do not go together")
        yield Batch(records, labels, count)


def _previous(value: dict[str, Any] | None) -> Previous | None:
    if value is None:
        return None
    fields = require_fields(value, {"envelope_sha256": str, "path": str})
    from_hex(fields["envelope_sha256"], 32)
    return Previous(fields["envelope_sha256"], fields["path"])
