"""ZIPs made by hand, field by field, so that each can tell one lie. Nothing of the verifier is used."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

STORED, DEFLATED = 0, 8
UNIX_FILE = 0o100644 << 16
UNIX_LINK = 0o120777 << 16


def deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


@dataclass
class Member:
    """One member. `raw` is what stands in the file; `local` and `central` overrule fields of one header."""

    name: str | bytes
    data: bytes = b""
    method: int = STORED
    flags: int = 0
    attributes: int = UNIX_FILE
    raw: bytes | None = None
    after: bytes = b""
    """Bytes after the data: a descriptor, or something that hides."""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)

    @property
    def packed(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return deflate(self.data) if self.method == DEFLATED else self.data

    def values(self, changes: dict[str, Any]) -> dict[str, Any]:
        name = self.name.encode() if isinstance(self.name, str) else self.name
        honest = {
            "name": name,
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.data),
            "packed": len(self.packed),
            "size": len(self.data),
            "extra": b"",
            "comment": b"",
            "disk": 0,
            "time": 0,
            "date": 0x21,
        }
        return honest | changes

    def local_header(self) -> bytes:
        v = self.values(self.local)
        head = struct.pack(
            "<4s5H3L2H",
            b"PK\x03\x04",
            20,
            v["flags"],
            v["method"],
            v["time"],
            v["date"],
            v["crc"],
            v["packed"],
            v["size"],
            len(v["name"]),
            len(v["extra"]),
        )
        return bytes(head + v["name"] + v["extra"])

    def central_header(self, offset: int) -> bytes:
        v = {"offset": offset, "attributes": self.attributes} | self.values(self.central)
        head = struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            0x0314,
            20,
            v["flags"],
            v["method"],
            v["time"],
            v["date"],
            v["crc"],
            v["packed"],
            v["size"],
            len(v["name"]),
            len(v["extra"]),
            len(v["comment"]),
            v["disk"],
            0,
            v["attributes"],
            v["offset"],
        )
        return bytes(head + v["name"] + v["extra"] + v["comment"])


def end_record(offset: int, size: int, count: int, /, *, comment: bytes = b"", **changes: int) -> bytes:
    v = {"disk": 0, "start_disk": 0, "here": count, "count": count, "size": size, "offset": offset} | changes
    numbers = (v["disk"], v["start_disk"], v["here"], v["count"], v["size"], v["offset"], len(comment))
    return struct.pack("<4s4H2LH", b"PK\x05\x06", *numbers) + comment


def end_records64(offset: int, size: int, count: int, /, **changes: int) -> bytes:
    """Zip64 end record and locator, to stand directly after the directory."""
    v = {"length": 44, "disk": 0, "here": count, "count": count, "size": size, "offset": offset} | changes
    numbers = (v["length"], 45, 45, v["disk"], v["disk"], v["here"], v["count"], v["size"], v["offset"])
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, changes.get("position", offset + size), 1)
    return struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *numbers) + locator


def build_zip(
    members: Sequence[Member],
    *,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    after_directory: bytes = b"",
    suffix: bytes = b"",
    comment: bytes = b"",
    zip64: dict[str, int] | None = None,
    **end: int,
) -> bytes:
    """The whole file. `end` overrules fields of the end record; `zip64` those of the Zip64 one."""
    data, directory = prefix, b""
    for member in members:
        offset = len(data)
        data += member.local_header() + member.packed + member.after
        directory += member.central_header(offset)
    data += before_directory
    offset = len(data)
    data += directory + after_directory
    if zip64 is not None:
        data += end_records64(offset, len(directory), len(members), **zip64)
    return data + end_record(offset, len(directory), len(members), comment=comment, **end) + suffix
