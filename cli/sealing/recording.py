"""From a chunk of names to record lines: read what has to be read, take over what an earlier seal has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mizheng.cli.sealfile.labels import pack_entry, pack_file, split_entries
from mizheng.cli.sealing.chunks import Chunk, Part, Piece
from mizheng.cli.sealing.folder import Folder, Other, stamp_fields
from mizheng.cli.sealing.hashing import Digests, Tick, UnreadableError, digest_within
from mizheng.cli.sealing.quick import Run
from mizheng.cli.sealing.records import RecordWriter
from mizheng.cli.sealing.small import digest_row
from mizheng.verifier.errors import FormatError
from mizheng.verifier.merkle import leaf_hash

# Large enough to be worth a turn of its own, so that the large files of one folder spread over all readers.
LARGE_BYTES = 8 << 20


@dataclass(slots=True)
class Batch:
    """Records of some things found, in order."""

    lines: bytes = b""
    """Canonical JSON, one record a line."""
    leaves: bytes = b""
    """Their leaf hashes, 32 bytes each."""
    labels: bytes = b""
    """Their names and stamps, packed."""
    count: int = 0
    size: int = 0
    """Bytes of file content."""
    reused: int = 0
    """Files that were not read, because an earlier seal has them."""
    links: int = 0
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)
    """(label, reason)."""


class Gathering:
    """Records on their way into a batch."""

    def __init__(self, writer: RecordWriter) -> None:
        self._writer = writer
        self._start()

    def file(self, label: bytes, digests: Digests) -> None:
        self._batch.size += digests.size
        self._records.append(self._writer.file(label, digests))
        self._labels.append(pack_file(label, digests.stamp))

    def row(self, prefix: bytes, names: Iterable[bytes], row: Iterable[Digests]) -> None:
        """Files of one folder, as `file` each."""
        write, records, labels, size = self._writer.file, self._records, self._labels, 0
        for name, digests in zip(names, row, strict=False):
            label = prefix + name
            size += digests.size
            records.append(write(label, digests))
            labels.append(pack_file(label, digests.stamp))
        self._batch.size += size

    def unchanged(self, label: bytes, size: int, packed: bytes, record: bytes) -> None:
        """A file of an earlier seal, with its entry and record there."""
        self._batch.size += size
        self._batch.reused += 1
        self._records.append(self._writer.renew(label, record))
        self._labels.append(packed)

    def run(self, run: Run) -> None:
        """Files of an earlier seal that the compiled part has gone through."""
        self._join()
        _place, count, size, lines, leaves, labels = run
        self._batch.count += count
        self._batch.size += size
        self._batch.reused += count
        self._lines.append(lines)
        self._leaves.append(leaves)
        self._labels.append(labels)

    def other(self, label: bytes, other: Other) -> None:
        if other.kind == "link":
            self._batch.links += 1
            self._records.append(self._writer.link(label, other.detail))
        else:
            reason = other.detail.decode()
            self._batch.unreadable.append((label, reason))
            self._records.append(self._writer.unreadable(label, reason))
        self._labels.append(pack_entry(other.kind, label))

    def take(self) -> Batch:
        """What came in since the last time."""
        self._join()
        batch = self._batch
        batch.lines = b"".join(self._lines)
        batch.leaves = b"".join(self._leaves)
        batch.labels = b"".join(self._labels)
        self._start()
        return batch

    def _join(self) -> None:
        """Records so far into bytes, so that what comes next may be bytes already."""
        if self._records:
            self._batch.count += len(self._records)
            self._lines.append(b"\n".join([*self._records, b""]))
            self._leaves += map(leaf_hash, self._records)
            self._records.clear()

    def _start(self) -> None:
        self._batch = Batch()
        self._records: list[bytes] = []
        self._lines: list[bytes] = []
        self._leaves: list[bytes] = []
        self._labels: list[bytes] = []


def record_chunk(
    chunk: Chunk, writer: RecordWriter, tick: Tick, *, split: bool = False
) -> list[Batch | Chunk]:
    """The records of everything in `chunk`, in order; with `split`, a large file comes back as a chunk of its
    own, to be read apart from the rest."""
    known = known_files(chunk.earlier)
    reading = Reading(Gathering(writer), tick, is_splitting=split and not chunk.is_split)
    for part in chunk.parts:
        names = part.names.split(b"\0")
        with Folder(part.base, part.folder) as folder:
            start = 0
            for place, found in _not_read(folder, part, names, known):
                if start < place:
                    reading.read(part, folder, names[start:place])
                start = place + 1
                if isinstance(found, Other):
                    reading.gathering.other(part.folder + names[place], found)
                else:
                    reading.gathering.unchanged(part.folder + names[place], *found)
            reading.read(part, folder, names[start:])
    return reading.take()


class Reading:
    """A chunk on its way: what is gathered, and the large files between."""

    def __init__(self, gathering: Gathering, tick: Tick, *, is_splitting: bool) -> None:
        self.gathering = gathering
        self._tick = tick
        self._is_splitting = is_splitting
        self._result: list[Batch | Chunk] = []

    def read(self, part: Part, folder: Folder, names: list[bytes]) -> None:
        """Files that stand one behind the other and are to be read."""
        while names:
            row = digest_row(folder, names, self._tick)
            self.gathering.row(part.folder, names, row)
            names = names[len(row) :]
            if names and not row:
                self._read_one(part, folder, names[0])
                names = names[1:]

    def read_between(self, part: Part, folder: Folder, names: list[bytes], start: int, end: int) -> None:
        """All from place `start` on and before `end`, files or not."""
        for place in sorted(other for other in part.others if start <= other < end):
            self.read(part, folder, names[start:place])
            self.gathering.other(part.folder + names[place], part.others[place])
            start = place + 1
        self.read(part, folder, names[start:end])

    def _read_one(self, part: Part, folder: Folder, name: bytes) -> None:
        if self._is_splitting and _is_large(folder, name):
            self._result.append(self.gathering.take())
            alone = Part(part.base, part.folder, name, {})
            self._result.append(Chunk((alone,), 1, is_split=True))
            return
        try:
            self.gathering.file(part.folder + name, digest_within(folder, name, self._tick))
        except UnreadableError as error:
            self.gathering.other(part.folder + name, Other("unreadable", str(error).encode()))

    def take(self) -> list[Batch | Chunk]:
        """All of it, in order."""
        return [*self._result, self.gathering.take()]


def _is_large(folder: Folder, name: bytes) -> bool:
    try:
        return folder.stat(name).st_size > LARGE_BYTES
    except OSError:
        return False


def known_files(earlier: Iterable[Piece]) -> dict[bytes, bytes]:
    """Record lines by packed entry: an entry that is packed the same today is of a file that was not touched.

    Unchanged means: same name in the seal, same size, modification time, status-change time and inode. A
    program can set the modification time back; it cannot set the status-change time. Whoever fears a kernel
    that lies seals with --paranoid, which reads everything.
    """
    known: dict[bytes, bytes] = {}
    for labels, lines in readable(earlier):
        # It only saves time: the files are there to be read.
        with contextlib.suppress(FormatError, ValueError):
            known.update(zip(split_entries(labels), lines.split(b"\n")[:-1], strict=True))
    return known


def readable(earlier: Iterable[Piece]) -> Iterator[tuple[bytes, bytes]]:
    """(packed entries, record lines) of those pieces that can still be read."""
    for labels, records in earlier:
        try:
            yield labels, records if isinstance(records, bytes) else records.read()
        except (OSError, ValueError):
            continue


def _not_read(
    folder: Folder, part: Part, names: list[bytes], known: dict[bytes, bytes]
) -> Iterator[tuple[int, Other | tuple[int, bytes, bytes]]]:
    """By place in `names`: what is no file; (size, packed entry, record) of a file that an earlier seal has
    as it stands today."""
    if not known:
        yield from sorted(part.others.items())
        return
    prefix, others, stat = part.folder, part.others, folder.stater()
    for place, name in enumerate(names):
        if place in others:
            yield place, others[place]
            continue
        try:
            stamp = stamp_fields(stat(name))
        except OSError:
            continue
        packed = pack_file(prefix + name, stamp)
        if record := known.get(packed):
            yield place, (stamp[0], packed, record)
