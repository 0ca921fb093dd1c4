"""From a chunk of names to record lines: read what has to be read, take over what an earlier seal has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mizheng.cli.sealfile.labels import pack_entry, split_entries
from mizheng.cli.sealing.chunks import Chunk, Part
from mizheng.cli.sealing.folder import Folder, Other, stamp_of
from mizheng.cli.sealing.hashing import Digests, LargeFileError, Tick, UnreadableError, digest_within
from mizheng.cli.sealing.records import RecordWriter
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
        self._labels.append(pack_entry("file", label, digests.stamp))

    def unchanged(self, label: bytes, size: int, packed: bytes, record: bytes) -> None:
        """A file of an earlier seal, with its entry and record there."""
        self._batch.size += size
        self._batch.reused += 1
        self._records.append(self._writer.renew(label, record))
        self._labels.append(packed)

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
        batch, records = self._batch, self._records
        batch.count = len(records)
        batch.lines = b"".join(record + b"\n" for record in records)
        batch.leaves = b"".join(map(leaf_hash, records))
        batch.labels = b"".join(self._labels)
        self._start()
        return batch

    def _start(self) -> None:
        self._batch = Batch()
        self._records: list[bytes] = []
        self._labels: list[bytes] = []


def record_chunk(
    chunk: Chunk, writer: RecordWriter, tick: Tick, *, split: bool = False
) -> list[Batch | Chunk]:
    """The records of everything in `chunk`, in order; with `split`, a large file comes back as a chunk of its
    own, to be read apart from the rest."""
    known = known_files(chunk.earlier)
    limit = LARGE_BYTES if split and not chunk.is_split else None
    result: list[Batch | Chunk] = []
    gathering = Gathering(writer)
    for part in chunk.parts:
        with Folder(part.base, part.folder) as folder:
            for place, name in enumerate(part.names.split(b"\0")):
                label = part.folder + name
                other = part.others.get(place)
                if other is None:
                    try:
                        if known and _take_over(folder, name, label, known, gathering):
                            continue
                        gathering.file(label, digest_within(folder, name, tick, limit=limit))
                        continue
                    except LargeFileError:
                        result.append(gathering.take())
                        alone = Part(part.base, part.folder, name, {})
                        result.append(Chunk((alone,), 1, is_split=True))
                        continue
                    except UnreadableError as error:
                        other = Other("unreadable", str(error).encode())
                gathering.other(label, other)
    result.append(gathering.take())
    return result


def known_files(earlier: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Record lines by packed entry: an entry that is packed the same today is of a file that was not touched.

    Unchanged means: same name in the seal, same size, modification time, status-change time and inode. A
    program can set the modification time back; it cannot set the status-change time. Whoever fears a kernel
    that lies seals with --paranoid, which reads everything.
    """
    known: dict[bytes, bytes] = {}
    for labels, records in earlier:
        try:
            known.update(zip(split_entries(labels), records.split(b"\n")[:-1], strict=True))
        except (FormatError, ValueError):
            # It only saves time: the files are there to be read.
            continue
    return known


def _take_over(
    folder: Folder, name: bytes, label: bytes, known: dict[bytes, bytes], gathering: Gathering
) -> bool:
    try:
        state = folder.stat(name)
    except OSError:
        return False
    packed = pack_entry("file", label, stamp_of(state))
    record = known.get(packed)
    if record is None:
        return False
    gathering.unchanged(label, state.st_size, packed, record)
    return True
