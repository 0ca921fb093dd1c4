"""Segments of a seal: a line that says type, number and length, then the encrypted bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from mizheng.verifier.canonical import dump, parse, require_fields
from mizheng.verifier.errors import FormatError

MAGIC = b"mizheng-seal/v2\n"
FAMILY = b"mizheng-seal/"
# Sixteen keys for escrow are more than a company has.
MAX_HEADER_BYTES = 64 * 1024
_MAX_LINE_BYTES = 128

RECORDS, LABELS, TREE, CONTENTS = "records", "labels", "tree", "contents"


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a segment lies: `offset` and `length` of its encrypted bytes in the file."""

    kind: str
    number: int
    offset: int
    length: int


def segment_line(kind: str, number: int, length: int) -> bytes:
    return dump({"length": length, "number": number, "type": kind}) + b"\n"


def walk_segments(file: BinaryIO, start: int) -> Iterator[Segment]:
    """The whole segments from `start` on; what was cut off or is none ends it. For a seal never finished."""
    end = file.seek(0, 2)
    position = start
    while True:
        file.seek(position)
        try:
            value = require_fields(
                parse(file.readline(_MAX_LINE_BYTES).removesuffix(b"\n")),
                {"length": int, "number": int, "type": str},
            )
        except FormatError:
            return
        offset = file.tell() if value["length"] >= 0 else end + 1
        if offset + value["length"] + 1 > end:
            return
        yield Segment(value["type"], value["number"], offset, value["length"])
        position = offset + value["length"] + 1
        file.seek(position)


def read_segment(file: BinaryIO, segment: Segment) -> bytes:
    """The encrypted bytes; FormatError when the file ends before them."""
    file.seek(segment.offset)
    data = file.read(segment.length)
    if len(data) != segment.length:
        raise FormatError("a segment of the seal that was cut off")
    return data
