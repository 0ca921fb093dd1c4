"""Canonical JSON: RFC 8785 within its limits. One value, one spelling."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mizheng.verifier.canonical import (
    MAX_DEPTH,
    MAX_INTEGER,
    dump,
    format_instant,
    from_base64,
    from_hex,
    other_type,
    parse,
    parse_instant,
    parse_object,
    parse_typed,
    require_fields,
    to_base64,
)
from mizheng.verifier.errors import FormatError, LimitError, NonCanonicalError, VersionError

from tests.support.scale import scaled

short = settings(max_examples=scaled(150, 5000), deadline=None)
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@short
@given(values)
def test_what_is_written_is_read_back(value: Any) -> None:
    data = dump(value)
    assert parse(data) == value
    assert dump(parse(data)) == data


@short
@given(values, st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_no_other_bytes_mean_the_same(value: Any, place: int, more: bytes) -> None:
    """Whatever changed bytes are read as, writing that gives the changed bytes again."""
    data = dump(value)
    place %= len(data) + 1
    for changed in (data[:place] + more + data[place:], data[:place] + data[place + 1 :]):
        try:
            found = parse(changed)
        except FormatError:
            continue
        assert dump(found) == changed


@short
@given(st.binary(max_size=40) | texts.map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        assert dump(parse(data)) == data


def test_keys_are_ordered_by_utf_16_code_units() -> None:
    """RFC 8785 §3.2.3, its example: surrogates come before U+FB33, which code points order otherwise."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    data = dump(dict.fromkeys(keys))
    assert list(json.loads(data)) == ordered
    assert sorted(keys) != ordered
    with pytest.raises(NonCanonicalError):
        parse(json.dumps(dict.fromkeys(sorted(keys)), ensure_ascii=False, separators=(",", ":")).encode())


def test_strings_are_escaped_as_little_as_may_be() -> None:
    """RFC 8785 §3.2.2.2: two-character escapes where there are any, other controls as lower-case \\u00xx."""
    assert (
        dump('\b\t\n\f\r"\\/\0\x1f\x7f€密\u2028')
        == b'"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\x7f' + '€密\u2028"'.encode()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b"{} ",
        b" {}",
        b"{}\n",
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"[1, 2]",
        b"[1,]",
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u000A"',
        b'"\\u000a"',
        b'"\\u001F"',
        b'"\x1f"',
        b'"\\ud83d\\ude00"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\x80"',
        b"-0",
        b"+1",
        b"01",
        b"1.0",
        b"1e2",
        b"1E400",
        b"0x10",
        b"1_000",
        b"9007199254740992",
        b"-9007199254740992",
        b"9" * 5000,
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"nul",
        b"True",
        b"undefined",
        b"'a'",
        b"\xef\xbb\xbf{}",
        "１".encode(),
        "{}".encode("utf-16"),
    ],
)
def test_other_spellings_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse(data)


@pytest.mark.parametrize("number", [0, 1, -1, MAX_INTEGER, -MAX_INTEGER])
def test_whole_numbers(number: int) -> None:
    assert parse(dump(number)) == number


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        b"x",
        (1,),
        {1},
        object(),
    ],
)
def test_values_that_have_no_form(value: Any) -> None:
    with pytest.raises(FormatError):
        dump(value)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_depth_is_limited_on_both_sides() -> None:
    assert parse(dump(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    for write in (
        lambda: dump(nested(MAX_DEPTH + 1)),
        lambda: parse(b"[" * (MAX_DEPTH + 1) + b"1" + b"]" * (MAX_DEPTH + 1)),
    ):
        with pytest.raises(LimitError):
            write()


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"[":', b'["\\"",'])
def test_depth_costs_nothing(opening: bytes) -> None:
    with pytest.raises(FormatError):
        parse(opening * 200_000)


def test_brackets_in_strings_are_no_depth() -> None:
    for text in ("[" * 1000, '"[{\\' * 100, "]" * 50 + "[" * 50):
        assert parse(dump([text])) == [text]


def test_size_is_limited() -> None:
    assert parse(b'"aa"', max_bytes=4) == "aa"
    with pytest.raises(LimitError):
        parse(b'"aaa"', max_bytes=4)


# Fields


def test_fields_are_exactly_those_named() -> None:
    types = {"a": int, "b": (str, type(None))}
    assert parse_object(b'{"a":1,"b":null}', types) == {"a": 1, "b": None}
    assert parse_object(b'{"a":1,"b":"x","c":[]}', types, {"c": list})
    for data in (
        b'{"a":1}',
        b'{"a":1,"b":"","d":1}',
        b'{"a":"1","b":""}',
        b'{"a":true,"b":""}',
        b'{"a":null,"b":""}',
        b"[]",
        b"1",
    ):
        with pytest.raises(FormatError):
            parse_object(data, types, {"c": list})


def test_a_truth_value_is_no_number() -> None:
    assert require_fields({"a": True}, {"a": bool}) == {"a": True}
    with pytest.raises(FormatError):
        require_fields({"a": 1}, {"a": bool})


def test_an_unknown_fields_name_is_shown_short_and_cannot_format() -> None:
    with pytest.raises(FormatError) as caught:
        require_fields({"{0.__class__}" + "x" * 10_000: 1}, {})
    assert len(str(caught.value)) < 200
    assert "{0.__class__}" in str(caught.value)


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ("mizheng/x/v2", VersionError),
        ("mizheng/x/v999", VersionError),
        ("mizheng/x/v0", FormatError),
        ("mizheng/x/v02", FormatError),
        ("mizheng/x/v1 ", FormatError),
        ("mizheng/y/v2", FormatError),
        ("mizheng/x/v2/", FormatError),
        ("", FormatError),
    ],
)
def test_only_a_higher_number_is_a_later_version(found: str, error: type[FormatError]) -> None:
    assert type(other_type(found, "mizheng/x/v1")) is error
    with pytest.raises(error):
        parse_typed(dump({"type": found, "whatever": 1}), "mizheng/x/v1", {})


def test_a_type_that_is_no_text_is_malformed() -> None:
    for data in (b'{"type":1}', b'{"type":null}', b"{}", b"[]", b'{"type":["mizheng/x/v1"]}'):
        with pytest.raises(FormatError):
            parse_typed(data, "mizheng/x/v1", {})


# Bytes in text


@short
@given(st.binary(max_size=100))
def test_hex_and_base64_are_read_back(data: bytes) -> None:
    assert from_hex(data.hex()) == data
    assert from_hex(data.hex(), len(data)) == data
    assert from_base64(to_base64(data)) == data


@pytest.mark.parametrize(
    "text", ["A0", "0", "0x00", "g0", " 00", "00 ", "00\n", "٠٠", "００", None, 0, b"00"]
)
def test_hex_in_another_spelling(text: Any) -> None:
    with pytest.raises(FormatError):
        from_hex(text)


def test_hex_of_another_length() -> None:
    for length in (0, 1, 3):
        with pytest.raises(FormatError):
            from_hex("0000", length)


@pytest.mark.parametrize(
    "text",
    [
        "AA",
        "AA=",
        "AA===",
        "AB==",
        "AAB=",
        "AA==\n",
        "A A==",
        "AA\n==",
        "-_-_",
        "ＡＡ==",
        "AA==AA==",
        "=",
        None,
        1,
        b"AA==",
    ],
)
def test_base64_in_another_spelling(text: Any) -> None:
    with pytest.raises(FormatError):
        from_base64(text)


@short
@given(st.text(alphabet="ABab01+/=-_ \n", max_size=12))
def test_bytes_have_one_base64(text: str) -> None:
    with contextlib.suppress(FormatError):
        assert to_base64(from_base64(text)) == text


# Instants


@short
@given(st.integers(-62135596800, 253402300799))
def test_instants_are_read_back(seconds: int) -> None:
    assert parse_instant(format_instant(seconds)) == seconds


def test_instants_at_their_ends() -> None:
    assert format_instant(0) == "1970-01-01T00:00:00Z"
    assert format_instant(-62135596800) == "0001-01-01T00:00:00Z"
    assert format_instant(253402300799) == "9999-12-31T23:59:59Z"
    assert parse_instant("2024-02-29T23:59:59Z") == 1709251199
    for seconds in (-62135596801, 253402300800, 2**63, -(2**63)):
        with pytest.raises(FormatError):
            format_instant(seconds)
