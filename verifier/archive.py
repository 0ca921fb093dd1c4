"""The ZIP around a bundle: read without unpacking to disk, written in one form only.

What two ZIP readers could understand differently is refused: duplicate names, overlapping or hidden
ranges, bytes before or after, a local header that names another file, links, encryption. What a
court's system may honestly have changed (compression, dates, folder entries) is tolerated and said.
"""

from __future__ import annotations

import io
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import FormatError, LimitError, TruncatedError
from .words import N_
from .zipformat import (
    DEFLATED,
    LOCAL_BYTES,
    MAX_TAIL_BYTES,
    STORED,
    Directory,
    Entry,
    parse_directory,
    parse_end,
    verify_local,
)

# 1,000,000 numbered members is the format's own limit (formats §8); the rest is head room for proofs.
MAX_MEMBERS = 1_010_000
# 46 bytes and a name of 27 for each member, and as much again for what a re-packing tool adds.
MAX_DIRECTORY_BYTES = 160 * 1024 * 1024
# What is read into memory whole: the largest, a bundle document for 400,000 records, is about 60 MB.
MAX_MEMORY_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024

_HIDDEN = N_("a ZIP with overlapping members or bytes that belong to none")
_LONGEST_DESCRIPTOR = 24
# Deflate of nothing (RFC 1951 §3.2.6, fixed Huffman codes): how some tools store a folder.
_EMPTY_DEFLATED = b"\x03\x00"

Source = bytes | Path | BinaryIO


class ArchiveReader:
    """An open ZIP whose structure was checked: every byte of it belongs to exactly one member.

    Several threads may read from it at once.
    """

    def __init__(self, source: Source) -> None:
        """FormatError when it is not a ZIP or plays a trick; OSError when a path cannot be read."""
        self._file: BinaryIO
        if isinstance(source, bytes):
            self._file = io.BytesIO(source)
        elif isinstance(source, Path):
            self._file = _open(source)
        else:
            self._file = source
        self._turn = threading.Lock()
        try:
            self._read_directory()
        except BaseException:
            self._file.close()
            raise

    @property
    def names(self) -> list[str]:
        """Member names in the order of the directory, folders left out."""
        return list(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        return self._members[name].size

    def read(self, name: str, limit: int = MAX_MEMORY_BYTES) -> bytes:
        """The whole content; LimitError above `limit`, FormatError when it does not unpack right."""
        entry = self._members[name]
        if entry.size > limit:
            raise LimitError("member {name} of {size} bytes", name=name, size=entry.size)
        if entry.method == STORED and entry.size <= CHUNK_BYTES:
            data = self._data(entry)
            if len(data) == entry.size and zlib.crc32(data) == entry.crc:
                return data
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content in pieces, never more than declared; FormatError when it does not unpack right."""
        entry = self._members[name]
        total, crc = 0, 0
        for piece in self._inflated(entry) if entry.method == DEFLATED else self._packed(entry):
            total += len(piece)
            crc = zlib.crc32(piece, crc)
            if total > entry.size:
                break
            yield piece
        if (total, crc) != (entry.size, entry.crc):
            raise FormatError("member {name} does not unpack to what the ZIP says", name=name)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_directory(self) -> None:
        file_size = self._file.seek(0, io.SEEK_END)
        tail = self._bytes(max(0, file_size - MAX_TAIL_BYTES), min(file_size, MAX_TAIL_BYTES))
        directory = parse_end(tail, file_size)
        if directory.count > MAX_MEMBERS or directory.size > MAX_DIRECTORY_BYTES:
            raise LimitError("a ZIP with {count} members", count=directory.count)
        raw = self._bytes(directory.offset, directory.size)
        entries = parse_directory(raw, directory.count)
        # Where each member's data starts.
        self._starts: dict[str, int] = {}
        canonical = self._check_layout(entries, directory.offset)
        self._members = {entry.name: entry for entry in entries if not entry.is_folder}
        self.folders = [entry.name for entry in entries if entry.is_folder]
        if len({entry.name.lower() for entry in entries}) != len(entries):
            raise FormatError("a ZIP with two members of one name")
        self.is_canonical = (
            canonical
            and raw == b"".join(entry.directory_header() for entry in entries)
            and self._bytes(directory.offset + directory.size, MAX_TAIL_BYTES) == directory.end()
        )
        """True when it is, byte for byte, what `write_archive` writes (order aside: the bundle's)."""

    def _check_layout(self, entries: list[Entry], end: int) -> bool:
        """Every byte before the directory belongs to one member. True when all headers are canonical, and the
        members lie in the order of the directory.
        """
        position, ordered = 0, sorted(entries, key=lambda item: item.offset)
        is_canonical = ordered == entries
        for entry in ordered:
            if entry.offset != position:
                raise FormatError(_HIDDEN)
            canonical = entry.local_header()
            # A local extra field is rarely longer than some tens of bytes, and never than 64 KiB.
            header = self._bytes(position, LOCAL_BYTES + len(entry.name) + 512)
            if entry.is_plain and header.startswith(canonical):
                length = len(canonical)
            else:
                if len(header) >= LOCAL_BYTES and int.from_bytes(header[28:30], "little") > 512:
                    header = self._bytes(position, LOCAL_BYTES + len(entry.name) + 0xFFFF)
                length = verify_local(entry, header)
                is_canonical = False
            self._starts[entry.name] = position + length
            position += length + entry.packed
            if position > end:
                raise FormatError(_HIDDEN)
            if entry.is_deferred:
                position += self._descriptor(entry, position, end)
            if entry.is_folder and entry.packed and self._data(entry) != _EMPTY_DEFLATED:
                raise FormatError(_HIDDEN)
        if position != end:
            raise FormatError(_HIDDEN)
        return is_canonical

    def _descriptor(self, entry: Entry, position: int, end: int) -> int:
        """Length of the descriptor after the data: the spelling that the next header or the end follows."""
        found = self._bytes(position, min(_LONGEST_DESCRIPTOR + 4, end - position))
        for form in entry.descriptors():
            rest = found[len(form) :]
            if found.startswith(form) and (rest.startswith(b"PK\x03\x04") or position + len(form) == end):
                return len(form)
        raise FormatError(_HIDDEN)

    def _data(self, entry: Entry) -> bytes:
        return self._bytes(self._starts[entry.name], min(entry.packed, CHUNK_BYTES))

    def _bytes(self, offset: int, length: int) -> bytes:
        with self._turn:
            self._file.seek(offset)
            return self._file.read(length)

    def _packed(self, entry: Entry) -> Iterator[bytes]:
        position, end = self._starts[entry.name], self._starts[entry.name] + entry.packed
        while position < end:
            piece = self._bytes(position, min(CHUNK_BYTES, end - position))
            if not piece:
                raise TruncatedError("member {name} is shorter than the ZIP says", name=entry.name)
            position += len(piece)
            yield piece

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        """Unpack, a chunk at a time whatever the ratio; the stream's end is the end of the data."""
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for packed in self._packed(entry):
                waiting = packed
                while waiting:
                    if stream.eof:
                        raise FormatError(_HIDDEN)
                    yield stream.decompress(waiting, CHUNK_BYTES)
                    waiting = stream.unconsumed_tail or stream.unused_data
            while not stream.eof and (piece := stream.decompress(b"", CHUNK_BYTES)):
                yield piece
        except zlib.error as error:
            raise FormatError(
                "member {name} does not unpack to what the ZIP says", name=entry.name
            ) from error
        if not stream.eof:
            raise TruncatedError("member {name} is shorter than the ZIP says", name=entry.name)


def _open(path: Path) -> BinaryIO:
    """The file, in memory if it is small, as most bundles are: one read instead of some for each member."""
    file = path.open("rb")
    try:
        start = file.read(CHUNK_BYTES)
        if len(start) < CHUNK_BYTES:
            file.close()
            return io.BytesIO(start)
    except BaseException:
        file.close()
        raise
    return file


def write_archive(target: BinaryIO, members: Iterable[tuple[str, int, Iterable[bytes]]]) -> None:
    """Write (name, size, chunks) in this order: stored, dated 1980-01-01, no extras but Zip64.

    `target` can seek: the checksum in a header is known only after the data. ValueError when chunks
    are not of the size named.
    """
    entries = []
    for name, size, chunks in members:
        offset = target.tell()
        target.write(Entry(name, STORED, 0, size, size, offset).local_header())
        written = crc = 0
        for chunk in chunks:
            written += len(chunk)
            crc = zlib.crc32(chunk, crc)
            target.write(chunk)
        if written != size:
            raise ValueError("a member of another size than named")
        entry = Entry(name, STORED, crc, size, size, offset)
        end = target.tell()
        target.seek(offset)
        target.write(entry.local_header())
        target.seek(end)
        entries.append(entry)
    directory = b"".join(entry.directory_header() for entry in entries)
    offset = target.tell()
    target.write(directory + Directory(offset, len(directory), len(entries)).end())
