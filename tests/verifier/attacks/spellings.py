"""Other spellings of JSON documents, of bytes within them and of instants: none of them may count."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator


def first_pair(data: bytes, pair: bytes) -> bytes:
    return b"{" + pair + b"," + data[1:]


def nest(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * levels + b"1" + closing * levels


def name_of_first(data: bytes) -> bytes:
    match = re.match(rb'\{("[^"]*"):', data)
    assert match
    return match[1]


def escaped(name: bytes) -> bytes:
    """The same string with its first letter as an escape."""
    return b'"\\u%04x' % name[1] + name[2:]


def loose(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# Each takes an honest document (canonical, an object of known fields) and spells it otherwise.
ODDITIES: dict[str, Callable[[bytes], bytes]] = {
    "space at the end": lambda d: d + b" ",
    "newline at the end": lambda d: d + b"\n",
    "zero byte at the end": lambda d: d + b"\0",
    "space at the start": lambda d: b" " + d,
    "byte order mark": lambda d: b"\xef\xbb\xbf" + d,
    "space after a comma": lambda d: d.replace(b",", b", ", 1),
    "space after a colon": lambda d: d.replace(b":", b": ", 1),
    "a second document": lambda d: d + d,
    "trailing comma": lambda d: d[:-1] + b",}",
    "comment": lambda d: d[:-1] + b"/**/}",
    "duplicate key": lambda d: first_pair(d, name_of_first(d) + b":null"),
    "duplicate key, escaped": lambda d: first_pair(d, escaped(name_of_first(d)) + b":1"),
    "unknown key": lambda d: first_pair(d, b'"!":1'),
    "keys in another order": lambda d: loose(dict(reversed(json.loads(d).items()))),
    "escaped letter": lambda d: d.replace(name_of_first(d), escaped(name_of_first(d)), 1),
    "escaped slash": lambda d: d.replace(b"/", b"\\/", 1) if b"/" in d else d + b" ",
    "single quotes": lambda d: d.replace(b'"', b"'"),
    "UTF-16": lambda d: d.decode().encode("utf-16"),
    "not UTF-8": lambda d: first_pair(d, b'"\xff":1'),
    "overlong UTF-8": lambda d: first_pair(d, b'"\xc0\xaf":1'),
    "UTF-8 surrogate": lambda d: first_pair(d, b'"\xed\xa0\x80":1'),
    "lone surrogate as key": lambda d: first_pair(d, b'"\\ud800":1'),
    "lone surrogate as value": lambda d: first_pair(d, b'"!":"\\udfff"'),
    "control character": lambda d: first_pair(d, b'"\x01":1'),
    "braces for a format string": lambda d: first_pair(d, b'"{0.__class__}":"{x}"'),
    "NaN": lambda d: first_pair(d, b'"!":NaN'),
    "Infinity": lambda d: first_pair(d, b'"!":-Infinity'),
    "exponent": lambda d: first_pair(d, b'"!":1e2'),
    "huge exponent": lambda d: first_pair(d, b'"!":1e999999999'),
    "fraction": lambda d: first_pair(d, b'"!":1.0'),
    "negative zero": lambda d: first_pair(d, b'"!":-0'),
    "leading zero": lambda d: first_pair(d, b'"!":01'),
    "2^53": lambda d: first_pair(d, b'"!":9007199254740992'),
    "number of 5,000 digits": lambda d: first_pair(d, b'"!":' + b"9" * 5000),
    "number of a million digits": lambda d: first_pair(d, b'"!":' + b"9" * 1_000_000),
    "nested 17 deep": lambda d: first_pair(d, b'"!":' + nest(17)),
    "nested 100,000 deep": lambda d: first_pair(d, b'"!":' + nest(100_000)),
    "objects nested 100,000 deep": lambda d: first_pair(d, b'"!":' + nest(100_000, b'{"a":', b"}")),
    "open brackets": lambda d: b"[" * 100_000,
    "array": lambda d: b"[" + d + b"]",
    "string": lambda d: json.dumps(d.decode()).encode(),
    "null": lambda d: b"null",
    "number": lambda d: b"1",
    "empty object": lambda d: b"{}",
    "empty": lambda d: b"",
}  # fmt: skip


def strings(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from strings(item, (*path, place))
    elif isinstance(value, str):
        yield path, value


def put(value: object, path: tuple[object, ...], item: object) -> object:
    """The value with `item` at `path`; nothing of the old one is shared."""
    copy = json.loads(json.dumps(value))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = item
    return copy


# Other spellings of the bytes that a hex or Base64 field stands for.
HEX = {
    "upper case": str.upper,
    "0x": lambda text: "0x" + text,
    "space": lambda text: text + " ",
    "newline": lambda text: text + "\n",
    "odd length": lambda text: text[:-1],
    "longer": lambda text: text + "00",
    "full-width digits": lambda text: "".join(chr(0xFEE0 + ord(c)) if c.isdigit() else c for c in text),
}
BASE64 = {
    "unpadded": lambda text: text.rstrip("=") if text.endswith("=") else text + "====",
    "padded more": lambda text: text + "=",
    "newline": lambda text: text + "\n",
    "newline within": lambda text: text[:4] + "\n" + text[4:],
    "space within": lambda text: text[:4] + " " + text[4:],
    "URL alphabet": lambda text: text.replace("+", "-").replace("/", "_") + "-",
    "pad bits": lambda text: (
        text[:-3] + chr(ord(text[-3]) + 1) + "==" if text.endswith("==") else text + "AA=="
    ),
    "not ASCII": lambda text: "Ａ" + text[1:],
}


INSTANTS = [
    "2026-11-23T02:00:00+00:00",
    "2026-11-23T02:00:00z",
    "2026-11-23 02:00:00Z",
    "2026-11-23T02:00:00.0Z",
    "2026-11-23T02:00Z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T23:59:60Z",
    "2026-11-31T02:00:00Z",
    "2026-02-29T02:00:00Z",
    "0000-01-01T00:00:00Z",
    "２０２６-11-23T02:00:00Z",
    "٢٠٢٦-11-23T02:00:00Z",
    "2026-11-23T02:00:00Z\n",
    "20261123T020000Z",
    "",
]
