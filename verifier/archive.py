"""The ZIP around a bundle: read without unpacking to disk, written in one form only.

What two ZIP readers could understand differently is refused: duplicate names, overlapping or hidden
ranges, bytes before or after, a local header that names another file, links, encryption. What a
court's system may honestly have changed (compression, dates, folder entries) is tolerated and said.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import FormatError, LimitError, TruncatedError

# 1,000,000 numbered members is the format's own limit (formats §8); the rest is head room for proofs.
MAX_MEMBERS = 1_010_000
# What is read into memory whole: the largest, a bundle document for 400,000 records, is about 60 MB.
MAX_MEMORY_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024

_DATE = (1980, 1, 1, 0, 0, 0)
# APPNOTE §4.3.7: signature, flags, method, CRC, sizes, lengths of name and extra field.
_LOCAL_HEADER = struct.Struct("<4s2xHH4xIIIHH")
_DIRECTORY_HEADER, _END_RECORD, _ZIP64_END_RECORDS = 46, 22, 56 + 20
_HIDDEN = "a ZIP with overlapping members or bytes that belong to none"
# Signature (optional), CRC and two 64-bit sizes: the longest data descriptor (APPNOTE §4.3.9).
_MAX_DESCRIPTOR = 24
_FLAG_ENCRYPTED, _FLAG_DESCRIPTOR, _FLAG_STRONG, _FLAG_UTF8 = 0x1, 0x8, 0x40, 0x800

Source = bytes | Path | BinaryIO


class ArchiveReader:
    """An open ZIP whose structure was checked: every byte of it belongs to exactly one member."""

    def __init__(self, source: Source) -> None:
        """FormatError when it is not a ZIP or plays a trick; OSError when a path cannot be read."""
        self._file: BinaryIO
        if isinstance(source, bytes):
            self._file = io.BytesIO(source)
        else:
            self._file = source.open("rb") if isinstance(source, Path) else source
        try:
            self._zip = zipfile.ZipFile(self._file)
        except _ZIP_ERRORS as error:
            raise TruncatedError(
                "not a ZIP file, or one that was cut short",
                hint="copy the bundle again from where it was made",
            ) from error
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise LimitError("a ZIP with {count} members", count=len(infos))
        self._check_layout(infos)
        self._members = self._collect(infos)
        self.is_canonical = self._zip.comment == b"" and all(_is_canonical(info) for info in infos)
        """True when the form is the one `write_archive` gives (order aside, which the bundle checks)."""

    @property
    def names(self) -> list[str]:
        """Member names in the order of the central directory, folder entries left out."""
        return list(self._members)

    def size(self, name: str) -> int:
        return self._members[name].file_size

    def read(self, name: str, limit: int = MAX_MEMORY_BYTES) -> bytes:
        """The whole content; LimitError above `limit`, FormatError when it does not unpack right."""
        if self.size(name) > limit:
            raise LimitError("member {name} of {size} bytes", name=name, size=self.size(name))
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content in pieces, never more than declared; FormatError when it does not unpack right."""
        try:
            with self._zip.open(self._members[name]) as stream:
                total = 0
                while piece := stream.read(CHUNK_BYTES):
                    total += len(piece)
                    yield piece
        except _ZIP_ERRORS as error:
            raise FormatError("member {name} does not unpack to what the ZIP says", name=name) from error
        if total != self.size(name):
            raise TruncatedError("member {name} is shorter than the ZIP says", name=name)

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_layout(self, infos: list[zipfile.ZipInfo]) -> None:
        """Every byte belongs to one member, its descriptor, the directory or its end; nothing between."""
        position, slack = 0, 0
        for info in sorted(infos, key=lambda item: item.header_offset):
            if not 0 <= info.header_offset - position <= slack:
                raise FormatError(_HIDDEN)
            position = self._member_end(info)
            slack = _MAX_DESCRIPTOR if info.flag_bits & _FLAG_DESCRIPTOR else 0
        directory = self._zip.start_dir
        if not 0 <= directory - position <= slack:
            raise FormatError(_HIDDEN)
        directory_end = directory + sum(_directory_size(info) for info in infos)
        file_end = self._file.seek(0, io.SEEK_END)
        end_record = file_end - _END_RECORD - len(self._zip.comment)
        if end_record - directory_end not in (0, _ZIP64_END_RECORDS) or b"PK\x05\x06" in self._zip.comment:
            raise FormatError(_HIDDEN)

    def _member_end(self, info: zipfile.ZipInfo) -> int:
        """Where the member's data ends; refuses a local header that differs from the directory's."""
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size:
            raise TruncatedError("a ZIP that was cut short")
        signature, flags, method, crc, packed, size, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        if signature != b"PK\x03\x04" or (flags, method) != (info.flag_bits, info.compress_type):
            raise FormatError("a ZIP whose directory and members disagree")
        is_deferred = flags & _FLAG_DESCRIPTOR or packed == 0xFFFFFFFF
        if not is_deferred and (crc, packed, size) != (info.CRC, info.compress_size, info.file_size):
            raise FormatError("a ZIP whose directory and members disagree")
        end: int = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length + info.compress_size
        return end

    def _collect(self, infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for info in infos:
            name = info.orig_filename
            if name.casefold() in folded:
                raise FormatError("a ZIP with two members of one name")
            folded.add(name.casefold())
            if info.flag_bits & (_FLAG_ENCRYPTED | _FLAG_STRONG):
                raise FormatError("a ZIP with encrypted members")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FormatError("a ZIP with a compression other than deflate")
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode) or (stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)):
                raise FormatError("a ZIP with a link or a special file in it")
            if name.endswith("/") and info.file_size == 0:
                continue
            members[name] = info
        return members


def write_archive(target: BinaryIO, members: Iterable[tuple[str, int, Iterable[bytes]]]) -> None:
    """Write (name, size, chunks) in this order: stored, dated 1980-01-01, no extras but Zip64."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, size, chunks in members:
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.file_size = size
            with archive.open(info, "w") as stream:
                for chunk in chunks:
                    stream.write(chunk)


def _is_canonical(info: zipfile.ZipInfo) -> bool:
    return (
        info.compress_type == zipfile.ZIP_STORED
        and info.date_time == _DATE
        and not info.comment
        and (not info.extra or info.file_size >= zipfile.ZIP64_LIMIT)
        and not info.is_dir()
        and info.flag_bits == 0
    )


def _directory_size(info: zipfile.ZipInfo) -> int:
    encoding = "utf-8" if info.flag_bits & _FLAG_UTF8 else "cp437"
    name = info.orig_filename.encode(encoding, "replace")
    return _DIRECTORY_HEADER + len(name) + len(info.extra) + len(info.comment)


_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
    OverflowError,
)
