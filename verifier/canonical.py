"""Canonical JSON: RFC 8785 limited to objects, arrays, strings, booleans, null and whole numbers.

The parser accepts exactly the bytes its own encoder would write: parse, dump again, compare. So
duplicate keys, other spellings of a number or an escape, white space and trailing bytes all fail.
"""

from __future__ import annotations

import binascii
import datetime
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .errors import FormatError, LimitError, NonCanonicalError, VersionError
from .words import N_

# The largest whole number every JSON implementation reads exactly (RFC 8785 §3.2.2.3, RFC 7493 §2.2).
MAX_INTEGER = 2**53 - 1
# Our deepest format (anchor evidence) nests four levels; the rest is head room for later kinds.
MAX_DEPTH = 16
# The largest JSON member, an anchor with a receipt proof of a full block, stays well below this.
MAX_BYTES = 4 * 1024 * 1024

Json = None | bool | int | str | list[Any] | dict[str, Any]

# 24:00:00 is another spelling of the next day; some releases of Python read it.
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}Z")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def dump(value: Json) -> bytes:
    """Return the canonical bytes of `value`; FormatError if it has none."""
    return _ENCODER.encode(_ordered(value, 0)).encode("utf-8")


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Json:
    """Return the value whose canonical form is exactly `data`; FormatError otherwise."""
    if len(data) > max_bytes:
        raise LimitError(
            "JSON of {size} bytes, more than the {limit} allowed", size=len(data), limit=max_bytes
        )
    try:
        # The depth is bounded before json recurses: brackets inside strings only make this stricter.
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _nesting(data) > MAX_DEPTH:
            raise LimitError("JSON nested more than {limit} levels deep", limit=MAX_DEPTH)
        text = data.decode("utf-8")
        value: Json = _DECODER.decode(text)
    # ValueError: undecodable, malformed, or a number of more digits than int() reads.
    except (ValueError, RecursionError) as error:
        raise FormatError("not valid JSON") from error
    if not _is_plainly_canonical(value, text) and dump(value) != data:
        raise NonCanonicalError("not canonical JSON (RFC 8785)")
    return value


def parse_object(
    data: bytes,
    required: Mapping[str, Any],
    optional: Mapping[str, Any] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> dict[str, Any]:
    """Parse a canonical object whose fields are exactly `required` plus any of `optional` (name: type)."""
    value = parse(data, max_bytes=max_bytes)
    return require_fields(value, required, optional)


def parse_typed(
    data: bytes, kind: str, required: Mapping[str, Any], *, max_bytes: int = MAX_BYTES
) -> dict[str, Any]:
    """Read a canonical object of type `kind`, such as mizheng/deposit/v1, with exactly these other fields.

    The type is looked at first: a later version of it is a VersionError whatever its fields are, any
    other document a FormatError.
    """
    value = parse(data, max_bytes=max_bytes)
    found = value.get("type") if isinstance(value, dict) else None
    if isinstance(found, str) and found != kind:
        raise other_type(found, kind)
    return require_fields(value, {"type": str, **required})


def other_type(found: str, expected: str) -> FormatError:
    """VersionError if `found` is `expected` with a higher version number (…v2…), else FormatError."""
    later = re.fullmatch(re.escape(expected).replace("v1", "v([1-9][0-9]{0,8})"), found)
    error = VersionError if later and int(later[1]) > 1 else FormatError
    message = N_("a document of type {found}, expected {expected}")
    return error(message, found=found[:80], expected=expected)


def require_fields(
    value: object, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Check that `value` is an object with exactly these fields and types (a type or a tuple of types)."""
    if not isinstance(value, dict):
        raise FormatError("expected an object")
    known = {**required, **optional} if optional else required
    if value.keys() != known.keys():
        for name in value:
            if name not in known:
                raise FormatError("unknown field {field!r}", field=name[:64])
        for name in required:
            if name not in value:
                raise FormatError("missing field {field!r}", field=name)
    for name, found in value.items():
        # What was read from JSON is of these types themselves; in Python bool is a subclass of int.
        kind, types = type(found), known[name]
        if kind is not types and not (isinstance(types, tuple) and kind in types):
            raise FormatError("field {field!r} has the wrong type", field=name)
    return value


def from_hex(text: object, length: int | None = None) -> bytes:
    """Bytes of lower-case hex without 0x; `length` in bytes when fixed."""
    if not isinstance(text, str):
        raise FormatError("expected lower-case hex")
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise FormatError("expected lower-case hex") from error
    # Python also reads capital letters and white space between bytes.
    if data.hex() != text:
        raise FormatError("expected lower-case hex")
    if length is not None and len(data) != length:
        raise FormatError("expected {length} bytes of hex, found {found}", length=length, found=len(data))
    return data


def to_base64(data: bytes) -> str:
    """Standard, padded Base64 (RFC 4648 §4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def from_base64(text: object) -> bytes:
    """Bytes of standard, padded Base64 with zero pad bits; FormatError for any other spelling."""
    if not isinstance(text, str):
        raise FormatError("expected Base64")
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    # ValueError: also for characters beyond ASCII.
    except ValueError as error:
        raise FormatError("expected Base64") from error
    if to_base64(data) != text:
        raise NonCanonicalError("not canonical Base64")
    return data


def parse_instant(text: object) -> int:
    """Seconds since 1970 of an RFC 3339 instant in UTC with whole seconds, `2026-11-23T02:00:00Z`."""
    if not isinstance(text, str):
        raise FormatError("expected an instant such as 2026-11-23T02:00:00Z")
    return _read_instant(text)


# What checks a document asks for its times again and again.
@lru_cache(1024)
def _read_instant(text: str) -> int:
    if not _INSTANT.fullmatch(text):
        raise FormatError("expected an instant such as 2026-11-23T02:00:00Z")
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError("expected an instant such as 2026-11-23T02:00:00Z") from error
    return int((moment - _EPOCH).total_seconds())


@lru_cache(1024)
def format_instant(seconds: int) -> str:
    """The RFC 3339 form of `seconds` since 1970, in UTC."""
    try:
        moment = _EPOCH + datetime.timedelta(seconds=seconds)
    except OverflowError as error:
        raise FormatError("an instant outside the years 1 to 9999") from error
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%SZ}"


def _is_plainly_canonical(value: Json, text: str) -> bool:
    """Whether what the decoder made of `text` is written the same again; False may also mean: look closer.

    A shorter way to what `dump` says. Depth and numbers were bounded while reading; a lone surrogate comes
    from an escape, which is written otherwise; and Python's order of keys is that of their UTF-16 code units
    (RFC 8785 §3.2.3) unless some character needs two of them.
    """
    return _SORTER.encode(value) == text and (
        text.isascii() or len(text.encode("utf-16-le")) == 2 * len(text)
    )


def _ordered(value: Any, depth: int) -> Any:
    """The value with the keys of all objects in canonical order; FormatError where it has no such form."""
    if depth > MAX_DEPTH:
        raise LimitError("JSON nested more than {limit} levels deep", limit=MAX_DEPTH)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value)
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise FormatError("a number outside ±(2^53−1)")
        return value
    if isinstance(value, list):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _ordered(value[key], depth + 1) for key in _ordered_keys(value)}
    raise FormatError("a value that JSON here does not have: {kind}", kind=type(value).__name__)


def _ordered_keys(value: dict[Any, Any]) -> list[str]:
    is_ascii = True
    for key in value:
        if not isinstance(key, str):
            raise FormatError("a key that is not a string")
        if not _checked_text(key).isascii():
            is_ascii = False
    # RFC 8785 §3.2.3: keys are compared as arrays of UTF-16 code units; for ASCII that is Python's own order.
    return sorted(value) if is_ascii else sorted(value, key=lambda key: key.encode("utf-16-be"))


def _checked_text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise FormatError("a string with a lone surrogate") from error
    return text


def _nesting(data: bytes) -> int:
    deepest = depth = 0
    in_string = escaped = False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if depth > MAX_DEPTH:
                break
        elif byte in b"]}":
            depth -= 1
    return deepest


def _refuse_float(text: str) -> Any:
    raise FormatError("a number that is not a whole number")


def _read_whole(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise FormatError("a number outside ±(2^53−1)")
    return number


# Made once: to make them takes as long as to read or write a small document.
_DECODER = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float, parse_int=_read_whole)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
# What was read from text holds no circle.
_SORTER = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True, check_circular=False
)
