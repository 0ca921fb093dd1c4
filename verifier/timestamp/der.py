"""DER (X.690 §10), as much of it as tokens, certificates and evidence records need, read strictly.

One way to write a thing: definite, shortest lengths, shortest whole numbers, no bytes behind the end. Tags
above 30 stand in none of these formats and are refused. The reader never recurses by itself, so that depth
is whatever the caller's own code goes down to.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import FormatError, NonCanonicalError, TrailingBytesError, TruncatedError

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
GENERALIZED_TIME, SEQUENCE, SET = 0x18, 0x30, 0x31
# Fractions end in no zero and the zone is Z (RFC 3161 §2.4.2).
_TIME = re.compile(rb"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(?:\.([0-9]{0,11}[1-9]))?Z")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = 1_000_000


def context(number: int, *, constructed: bool = True) -> int:
    """The tag [number] of a context."""
    return (0xA0 if constructed else 0x80) | number


@dataclass(frozen=True, slots=True)
class Node:
    """One value: its tag, its content, and both as they stood."""

    tag: int
    content: bytes
    encoded: bytes

    def reader(self, tag: int | None = None) -> Reader:
        """Go through what is inside, after looking at the tag if one is named."""
        self.expect(self.tag if tag is None else tag)
        if not self.tag & 0x20:
            raise FormatError("DER: a value that holds no others")
        return Reader(self.content)

    def expect(self, tag: int) -> Node:
        if self.tag != tag:
            raise FormatError("DER: a value of another kind than expected")
        return self

    def integer(self, tag: int = INTEGER) -> int:
        """A whole number of any size; negative ones as they are."""
        data = self.expect(tag).content
        if not data or (len(data) > 1 and data[0] in (0x00, 0xFF) and (data[0] ^ data[1]) < 0x80):
            raise NonCanonicalError("DER: a number that is not written in the shortest way")
        return int.from_bytes(data, "big", signed=True)

    def boolean(self) -> bool:
        if self.expect(BOOLEAN).content not in (b"\x00", b"\xff"):
            raise NonCanonicalError("DER: a truth value that is neither")
        return self.content == b"\xff"

    def octets(self, tag: int = OCTET_STRING) -> bytes:
        return self.expect(tag).content

    def bits(self) -> bytes:
        """A bit string of whole bytes."""
        if self.expect(BIT_STRING).content[:1] != b"\x00":
            raise FormatError("DER: a bit string that is not whole bytes")
        return self.content[1:]

    def oid(self) -> str:
        """An object identifier in dots."""
        data = self.expect(OID).content
        if not data or len(data) > 64 or data[-1] & 0x80:
            raise FormatError("DER: an object identifier that is none")
        numbers, value = [], 0
        for place, byte in enumerate(data):
            if byte == 0x80 and (place == 0 or not data[place - 1] & 0x80):
                raise NonCanonicalError("DER: an object identifier that is not written in the shortest way")
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))

    def time(self) -> int:
        """Microseconds since 1970 of a GeneralizedTime, digits beyond cut off."""
        match = _TIME.fullmatch(self.expect(GENERALIZED_TIME).content)
        if not match:
            raise FormatError("DER: a time that is not written as in RFC 3161")
        try:
            moment = datetime.datetime(*(int(part) for part in match.groups()[:6]), tzinfo=datetime.UTC)  # type: ignore[misc, arg-type]
        except ValueError as error:
            raise FormatError("DER: a time that no calendar has") from error
        fraction = int((match[7] or b"0")[:6].ljust(6, b"0"))
        return (moment - _EPOCH) // datetime.timedelta(seconds=1) * MICROSECOND + fraction


class Reader:
    """Values one after the other. FormatError where the bytes are not DER or not what was asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def is_at_end(self) -> bool:
        return self._place == len(self._data)

    def next(self, tag: int | None = None) -> Node:
        """The next value, of this tag if one is named."""
        start, data = self._place, self._data
        if len(data) < start + 2:
            raise TruncatedError("DER that ends too early")
        found, length = data[start], data[start + 1]
        if found & 0x1F == 0x1F:
            raise FormatError("DER: a tag that none of these formats has")
        content = start + 2
        if length >= 0x80:
            size = length & 0x7F
            content += size
            written = data[start + 2 : content]
            # Four bytes are more than any evidence is long; 0x80 alone would be a length that is left open.
            if not 1 <= size <= 4 or len(written) != size:
                raise FormatError("DER: a length that is none")
            length = int.from_bytes(written, "big")
            if length < 0x80 or written[0] == 0:
                raise NonCanonicalError("DER: a length that is not written in the shortest way")
        self._place = content + length
        if self._place > len(data):
            raise TruncatedError("DER that ends too early")
        node = Node(found, data[content : self._place], data[start : self._place])
        return node if tag is None else node.expect(tag)

    def optional(self, tag: int) -> Node | None:
        """The next value if it has this tag."""
        if self.is_at_end or self._data[self._place] != tag:
            return None
        return self.next(tag)

    def rest(self, tag: int | None = None) -> Iterator[Node]:
        """All that are left, each of this tag if one is named."""
        while not self.is_at_end:
            yield self.next(tag)

    def end(self) -> None:
        """TrailingBytesError when there is more."""
        if not self.is_at_end:
            raise TrailingBytesError("DER: more values than expected")


def parse(data: bytes, tag: int | None = None) -> Node:
    """The one value that `data` is."""
    reader = Reader(data)
    node = reader.next(tag)
    reader.end()
    return node


def encode(tag: int, *parts: bytes) -> bytes:
    """A value of this tag around `parts`."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def encode_integer(value: int, tag: int = INTEGER) -> bytes:
    return encode(
        tag, value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)
    )


def encode_oid(dotted: str) -> bytes:
    numbers = [int(part) for part in dotted.split(".")]
    content = bytearray()
    for number in (numbers[0] * 40 + numbers[1], *numbers[2:]):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return encode(OID, bytes(content))


def encode_set(*parts: bytes) -> bytes:
    """A SET OF in the order that DER asks for (X.690 §11.6)."""
    return encode(SET, *sorted(parts))


def is_oid(text: str) -> bool:
    """Whether a text is an object identifier in dots that can be written."""
    match = re.fullmatch(r"([0-2])\.(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,38})){0,30}", text)
    return match is not None and (match[1] == "2" or int(match[2]) < 40)
