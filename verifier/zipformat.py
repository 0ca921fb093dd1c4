"""The structures of a ZIP (PKWARE APPNOTE 6.3.10), read strictly and written in one form only.

The standard library's reader is made to get at what a damaged file still holds; this one refuses
whatever a second reader could understand otherwise: counts, sizes and names that are said twice and
differ, other disks, names hidden in extra fields.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import NamedTuple

from .errors import FormatError, TruncatedError
from .words import N_

STORED, DEFLATED = 0, 8
# Entries, 16 bits, and sizes and offsets, 32 bits: a field that holds this says that Zip64 has the number.
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
LOCAL_BYTES, END_BYTES = _LOCAL.size, _END.size
END64_BYTES = _END64.size + _LOCATOR64.size
# The longest comment, and the records that stand before and after it.
MAX_TAIL_BYTES = END64_BYTES + END_BYTES + _FULL16

_FLAG_ENCRYPTED, _FLAG_DESCRIPTOR, _FLAG_STRONG, _FLAG_MASKED = 0x1, 0x8, 0x40, 0x2000
_ZIP64_EXTRA, _UNICODE_PATH_EXTRA = 0x0001, 0x7075
_VERSION, _VERSION64 = 20, 45
_UNIX = 3 << 8
_DATE = 0x21  # 1980-01-01
_MODE = (stat.S_IFREG | 0o644) << 16
_DISAGREE = N_("a ZIP whose directory and members disagree")
_CUT = N_("not a ZIP file, or one that was cut short")
_HINT = N_("copy the bundle again from where it was made")


class Entry(NamedTuple):
    """One member as the directory describes it."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    flags: int = 0

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")

    @property
    def is_plain(self) -> bool:
        """Neither packed nor marked in any way: what the canonical headers can say of a member."""
        return self.method == STORED and not self.flags

    @property
    def is_deferred(self) -> bool:
        """Sizes and checksum stand after the data, in a descriptor."""
        return bool(self.flags & _FLAG_DESCRIPTOR)

    def local_header(self) -> bytes:
        """The canonical header before the data, Zip64 only where a size needs it."""
        extra = b""
        packed, size, version = self.packed, self.size, _VERSION
        if max(packed, size) >= _FULL32:
            extra = struct.pack("<HHQQ", _ZIP64_EXTRA, 16, size, packed)
            packed = size = _FULL32
            version = _VERSION64
        name = self.name.encode("ascii")
        fields = (version, 0, STORED, 0, _DATE, self.crc, packed, size, len(name), len(extra))
        return _LOCAL.pack(b"PK\x03\x04", *fields) + name + extra

    def directory_header(self) -> bytes:
        """The canonical entry of the directory."""
        size, packed, offset = values = (self.size, self.packed, self.offset)
        extra = b""
        if max(values) >= _FULL32:
            large = b"".join(struct.pack("<Q", value) for value in values if value >= _FULL32)
            extra = struct.pack("<HH", _ZIP64_EXTRA, len(large)) + large
            size, packed, offset = (min(value, _FULL32) for value in values)
        version = _VERSION64 if extra else _VERSION
        name = self.name.encode("ascii")
        head = (_UNIX | version, version, 0, STORED, 0, _DATE, self.crc, packed, size)
        tail = (len(name), len(extra), 0, 0, 0, _MODE, offset)
        return _CENTRAL.pack(b"PK\x01\x02", *head, *tail) + name + extra

    def descriptors(self) -> tuple[bytes, ...]:
        """Every spelling of the descriptor after the data (APPNOTE §4.3.9)."""
        forms = [struct.pack("<LQQ", self.crc, self.packed, self.size)]
        if max(self.packed, self.size) <= _FULL32:
            forms.append(struct.pack("<LLL", self.crc, self.packed, self.size))
        return tuple(signature + form for form in forms for signature in (b"", b"PK\x07\x08"))


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory stands and how many entries it has."""

    offset: int
    size: int
    count: int

    def end(self) -> bytes:
        """The canonical records after the directory: no comment, Zip64 only where a number needs it."""
        count, size, offset = min(self.count, _FULL16), min(self.size, _FULL32), min(self.offset, _FULL32)
        large = b""
        if count == _FULL16 or _FULL32 in (size, offset):
            version = (_UNIX | _VERSION64, _VERSION64)
            numbers = (self.count, self.count, self.size, self.offset)
            large = _END64.pack(b"PK\x06\x06", _END64.size - 12, *version, 0, 0, *numbers)
            large += _LOCATOR64.pack(b"PK\x06\x07", 0, self.offset + self.size, 1)
        return large + _END.pack(b"PK\x05\x06", 0, 0, count, count, size, offset, 0)


def parse_end(tail: bytes, file_size: int) -> Directory:
    """Read the records at the end of the file, of which `tail` is the last MAX_TAIL_BYTES."""
    at = len(tail) - END_BYTES
    if at < 0 or tail[at : at + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        at = tail.rfind(b"PK\x05\x06", 0, max(at + 4, 0))
    if at < 0:
        raise TruncatedError(_CUT, hint=_HINT)
    _, disk, start_disk, here, count, size, offset, comment = _END.unpack_from(tail, at)
    if at + END_BYTES + comment != len(tail):
        raise FormatError("a ZIP with bytes after its end")
    if disk or start_disk or here != count:
        raise FormatError("a ZIP in several parts")
    directory = Directory(offset, size, count)
    start = file_size - len(tail) + at
    if at >= END64_BYTES and tail[at - _LOCATOR64.size : at].startswith(b"PK\x06\x07"):
        start -= END64_BYTES
        directory = _parse_end64(tail[at - END64_BYTES : at], start, directory)
    if directory.offset + directory.size != start:
        raise FormatError("a ZIP with bytes that belong to no member")
    return directory


def _parse_end64(records: bytes, start: int, short: Directory) -> Directory:
    """The Zip64 records: whatever the short record says itself, both must say."""
    signature, length, _, _, disk, start_disk, here, count, size, offset = _END64.unpack_from(records)
    _, locator_disk, position, disks = _LOCATOR64.unpack_from(records, _END64.size)
    if signature != b"PK\x06\x06" or length != _END64.size - 12 or position != start:
        raise FormatError(_DISAGREE)
    if disk or start_disk or locator_disk or disks > 1 or here != count:
        raise FormatError("a ZIP in several parts")
    pairs = ((short.count, count, _FULL16), (short.size, size, _FULL32), (short.offset, offset, _FULL32))
    if any(brief not in (full, limit) for brief, full, limit in pairs):
        raise FormatError(_DISAGREE)
    return Directory(offset, size, count)


def parse_directory(data: bytes, count: int) -> list[Entry]:
    """Read exactly `count` entries, which are all of `data`."""
    entries, at = [], 0
    for _ in range(count):
        if data[at : at + 4] != b"PK\x01\x02" or at + _CENTRAL.size > len(data):
            raise FormatError(_DISAGREE)
        values = _CENTRAL.unpack_from(data, at)
        (_, _, _, flags, method, _, _, crc, packed, size, names, extras, comments, disk, _, mode, offset) = (
            values
        )
        at += _CENTRAL.size
        name, extra = data[at : at + names], data[at + names : at + names + extras]
        at += names + extras + comments
        if disk:
            raise FormatError("a ZIP in several parts")
        size, packed, offset = _widen(extra, [size, packed, offset])
        entry = Entry(_name(name), method, crc, packed, size, offset, flags)
        _refuse_tricks(entry, mode)
        entries.append(entry)
    if at != len(data):
        raise FormatError(_DISAGREE)
    return entries


def verify_local(entry: Entry, header: bytes) -> int:
    """Check the member's own header (with its name and extra field) against the directory; its length.

    `header` may go on after its end.
    """
    if len(header) < LOCAL_BYTES or header[:4] != b"PK\x03\x04":
        raise FormatError(_DISAGREE)
    _, _, flags, method, _, _, crc, packed, size, names, extras = _LOCAL.unpack_from(header)
    length: int = LOCAL_BYTES + names + extras
    name, extra = header[LOCAL_BYTES : LOCAL_BYTES + names], header[LOCAL_BYTES + names : length]
    if len(extra) != extras:
        raise TruncatedError(_CUT, hint=_HINT)
    if (flags, method, name) != (entry.flags, entry.method, entry.name.encode("ascii")):
        raise FormatError(_DISAGREE)
    found = (crc, *_widen(extra, [size, packed]))
    known = (entry.crc, entry.size, entry.packed)
    # Where a descriptor follows, the header may leave its numbers open with zeros.
    if any(
        value != right and not (entry.is_deferred and value == 0)
        for value, right in zip(found, known, strict=True)
    ):
        raise FormatError(_DISAGREE)
    return length


def _refuse_tricks(entry: Entry, attributes: int) -> None:
    if entry.is_plain and attributes == _MODE and entry.packed == entry.size and not entry.is_folder:
        return
    if entry.flags & (_FLAG_ENCRYPTED | _FLAG_STRONG | _FLAG_MASKED):
        raise FormatError("a ZIP with encrypted members")
    if entry.method not in (STORED, DEFLATED):
        raise FormatError("a ZIP with a compression other than deflate")
    kind = stat.S_IFMT(attributes >> 16)
    # 0x10 is the folder bit of DOS, which other readers go by.
    if kind not in (0, stat.S_IFDIR if entry.is_folder else stat.S_IFREG) or (
        attributes & 0x10 and not entry.is_folder
    ):
        raise FormatError("a ZIP with a link or a special file in it")
    if (entry.method == STORED and entry.packed != entry.size) or (entry.is_folder and entry.size):
        raise FormatError(_DISAGREE)


def _name(name: bytes) -> str:
    try:
        text = name.decode("ascii")
    except UnicodeDecodeError as error:
        raise FormatError("a member whose name is not on the list of formats §8") from error
    if "\0" in text or "\\" in text:
        raise FormatError("a member whose name is not on the list of formats §8")
    return text


def _widen(extra: bytes, values: list[int]) -> list[int]:
    """Replace each full 32-bit value by the next one of the Zip64 extra field (APPNOTE §4.5.3)."""
    if not extra:
        return values
    at, large = 0, None
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _UNICODE_PATH_EXTRA or (kind == _ZIP64_EXTRA and large is not None):
            raise FormatError("a ZIP that gives a member two names or two sizes")
        if kind == _ZIP64_EXTRA:
            large = extra[at + 4 : at + 4 + length]
        at += 4 + length
    if at != len(extra):
        raise FormatError("a ZIP with an extra field that does not fit")
    wide, used = [], 0
    for value in values:
        if value == _FULL32 and large is not None:
            if used + 8 > len(large):
                raise FormatError(_DISAGREE)
            (value,) = struct.unpack_from("<Q", large, used)
            used += 8
        wide.append(value)
    return wide
