from typing import Any

import pytest
import rlp as oracle
from hypothesis import example, given
from hypothesis import strategies as st
from mizheng.verifier.errors import (
    FormatError,
    LimitError,
    NonCanonicalError,
    TrailingBytesError,
    TruncatedError,
)
from mizheng.verifier.evm import rlp

MAX = 100_000
LOREM = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit"


def nest(leaves: st.SearchStrategy[Any], depth: int = rlp.MAX_DEPTH) -> st.SearchStrategy[Any]:
    items = leaves
    for _ in range(depth):
        items = st.one_of(leaves, st.lists(items, max_size=6).map(tuple))
    return items


strings = st.one_of(st.binary(max_size=3), st.integers(53, 58).map(bytes), st.integers(254, 258).map(bytes))
items = nest(strings)


@pytest.mark.parametrize(
    ("item", "encoded"),
    [
        # The examples of the page "Recursive-length prefix serialization" of ethereum.org's documentation.
        (b"dog", "83646f67"),
        ((b"cat", b"dog"), "c88363617483646f67"),
        (b"", "80"),
        ((), "c0"),
        (b"\x00", "00"),
        (b"\x0f", "0f"),
        (b"\x7f", "7f"),
        (b"\x80", "8180"),
        (b"\x04\x00", "820400"),
        (((), ((),), ((), ((),))), "c7c0c1c0c3c0c1c0"),
        (LOREM, "b838" + LOREM.hex()),
    ],
)
def test_known_encodings(item: rlp.Item, encoded: str) -> None:
    assert rlp.encode(item).hex() == encoded
    assert rlp.decode(bytes.fromhex(encoded), max_bytes=MAX) == item


@given(items)
@example(bytes(65_535))
@example((bytes(65_536), b""))
def test_round_trip_and_agreement(item: rlp.Item) -> None:
    encoded = rlp.encode(item)
    assert encoded == oracle.encode(item)
    assert rlp.decode(encoded, max_bytes=MAX * 10) == item


@given(st.integers(0, 2**256 - 1))
def test_scalars(number: int) -> None:
    encoded = rlp.encode(number)
    assert encoded == oracle.encode(number)
    assert rlp.as_int(rlp.decode(encoded, max_bytes=33), 32) == number


def as_tuples(item: Any) -> rlp.Item:
    return item if isinstance(item, bytes) else tuple(map(as_tuples, item))


def depth_of(item: rlp.Item) -> int:
    return 0 if isinstance(item, bytes) else 1 + max(map(depth_of, item), default=0)


@given(st.binary(max_size=12))
@example(b"\xc4\xc3\xc2\xc1\xc0")
@example(b"\xb8\x01\x00")
@example(b"\xf8\x00")
@example(b"\xbf" + b"\xff" * 8)
def test_reads_what_pyrlp_reads_and_nothing_else(data: bytes) -> None:
    """On bytes that are seldom RLP: both read the same, or neither does. Ours has a depth limit beside."""
    try:
        expected = as_tuples(oracle.decode(data, strict=True))
    except oracle.DecodingError:
        with pytest.raises(FormatError):
            rlp.decode(data, max_bytes=MAX)
        return
    try:
        assert rlp.decode(data, max_bytes=MAX) == expected
    except LimitError:
        assert depth_of(expected) > rlp.MAX_DEPTH


@given(items, st.data())
def test_only_one_encoding(item: rlp.Item, data: st.DataObject) -> None:
    """Whatever a changed byte makes of an encoding, reading and writing it again gives the same bytes."""
    encoded = bytearray(rlp.encode(item))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = rlp.decode(bytes(encoded), max_bytes=MAX * 10)
    except FormatError:
        return
    assert found != item
    assert rlp.encode(found) == encoded


@pytest.mark.parametrize(
    ("encoded", "error"),
    [
        ("", TruncatedError),
        ("83646f", TruncatedError),
        ("c883636174", TruncatedError),
        ("b8", TruncatedError),
        ("b9ff", TruncatedError),
        ("bfffffffffffffffff", TruncatedError),
        ("f8", TruncatedError),
        ("c1b8", TruncatedError),  # a length that would lie after the end of its list
        ("c28363", TruncatedError),  # a string that would end after its list
        ("83646f6700", TrailingBytesError),
        ("c000", TrailingBytesError),
        ("8100", NonCanonicalError),  # a single byte is its own encoding
        ("817f", NonCanonicalError),
        ("b800", NonCanonicalError),  # long form of a short length
        ("b801ff", NonCanonicalError),
        ("b837" + "61" * 55, NonCanonicalError),
        ("b90038" + "61" * 56, NonCanonicalError),  # a length with a leading zero
        ("f800", NonCanonicalError),
        ("f90000", NonCanonicalError),
        ("c4c3c2c1c0", LimitError),
    ],
)
def test_refusals(encoded: str, error: type[FormatError]) -> None:
    with pytest.raises(error):
        rlp.decode(bytes.fromhex(encoded), max_bytes=MAX)


def test_limits() -> None:
    deep = bytes.fromhex("c3c2c1c0")
    assert rlp.decode(deep, max_bytes=4) == ((((),),),)
    with pytest.raises(LimitError):
        rlp.decode(deep, max_bytes=3)
    with pytest.raises(LimitError):
        rlp.decode(b"\xc4" + deep, max_bytes=5)


def test_shapes() -> None:
    assert rlp.as_bytes(b"ab", 2) == b"ab"
    assert rlp.as_list((b"",), 1) == (b"",)
    assert rlp.as_int(b"", 1) == 0
    for call in (
        lambda: rlp.as_bytes(()),
        lambda: rlp.as_bytes(b"ab", 3),
        lambda: rlp.as_list(b""),
        lambda: rlp.as_list((), 1),
        lambda: rlp.as_int((), 8),
        lambda: rlp.as_int(b"\x01" * 9, 8),
        lambda: rlp.as_int(b"\x00", 8),
        lambda: rlp.as_int(b"\x00\x01", 8),
    ):
        with pytest.raises(FormatError):
            call()
