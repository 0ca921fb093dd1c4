"""DER: one way to write a thing, and no other is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.verifier.errors import FormatError
from mizheng.verifier.timestamp import der


@given(st.integers())
def test_whole_numbers_come_back(value: int) -> None:
    assert der.parse(der.encode_integer(value)).integer() == value


@given(st.integers(0, 2), st.lists(st.integers(0, 2**70), min_size=1, max_size=8))
def test_object_identifiers_come_back(first: int, rest: list[int]) -> None:
    rest[0] = rest[0] % 40 if first < 2 else rest[0] % 2**30
    dotted = ".".join(str(number) for number in (first, *rest))
    encoded = der.encode_oid(dotted)
    if len(encoded) <= 66:
        assert der.parse(encoded).oid() == dotted


@given(st.binary(max_size=70_000))
def test_lengths_come_back(content: bytes) -> None:
    encoded = der.encode(der.OCTET_STRING, content)
    assert der.parse(encoded).octets() == content


@given(st.binary(max_size=60))
def test_what_is_read_is_what_would_be_written(data: bytes) -> None:
    """Whatever bytes are read at all have one spelling."""
    try:
        node = der.parse(data)
    except FormatError:
        return
    assert der.encode(node.tag, node.content) == data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "nothing"),
        ("30", "no length"),
        ("3002 02", "cut off"),
        ("3080 0000", "a length that is left open (BER)"),
        ("308100", "a length in more bytes than it needs"),
        ("30820001 00", "a length that begins with zero"),
        ("3085 0000000001 00", "a length of five bytes"),
        ("0500 00", "a byte behind the end"),
        ("1f8100", "a tag above 30"),
    ],
)
def test_other_spellings_are_refused(data: str, why: str) -> None:
    with pytest.raises(FormatError):
        der.parse(bytes.fromhex(data))


@pytest.mark.parametrize("data", ["0200", "02020001", "0202ff80", "0202007f"])
def test_longer_numbers_are_refused(data: str) -> None:
    with pytest.raises(FormatError):
        der.parse(bytes.fromhex(data)).integer()


@pytest.mark.parametrize("data", ["0600", "060180", "06028001", "06022a80", "0603550480"])
def test_broken_object_identifiers_are_refused(data: str) -> None:
    with pytest.raises(FormatError):
        der.parse(bytes.fromhex(data)).oid()


@pytest.mark.parametrize("data", ["010101", "0100", "01020000"])
def test_truth_has_two_spellings(data: str) -> None:
    with pytest.raises(FormatError):
        der.parse(bytes.fromhex(data)).boolean()


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("19700101000000Z", 0),
        ("20261123020000Z", 1_795_399_200_000_000),
        ("20261123020000.5Z", 1_795_399_200_500_000),
        ("20261123020000.0000019Z", 1_795_399_200_000_001),
    ],
)
def test_times_are_read_to_the_microsecond(text: str, microseconds: int) -> None:
    assert der.parse(der.encode(der.GENERALIZED_TIME, text.encode())).time() == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "20261123020000",
        "20261123020000.50Z",
        "20261123020000.Z",
        "20261323020000Z",
        "202611230200Z",
        "20261123020060Z",
        "20261123020000+0800",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        der.parse(der.encode(der.GENERALIZED_TIME, text.encode())).time()


@pytest.mark.parametrize("text", ["1.3.6.1.4.1.99999.1", "2.999", "0.39"])
def test_dotted_identifiers(text: str) -> None:
    assert der.is_oid(text)
    assert der.parse(der.encode_oid(text)).oid() == text


@pytest.mark.parametrize("text", ["", "1", "1.40", "3.1", "1.02", "1..2", "1.2.", "１.2"])
def test_other_identifiers_are_none(text: str) -> None:
    assert not der.is_oid(text)
