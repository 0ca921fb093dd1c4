"""Single changes to bytes and JSON values, by a source of chance: what attacks and mutations are made of."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from mizheng.verifier.canonical import dump
from mizheng.verifier.errors import FormatError


def flip(data: bytes, bit: int) -> bytes:
    """The same but for one bit, counted from the least significant of the first byte."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def damage(data: bytes, source: random.Random) -> bytes:
    """Cut off, take out, put in, repeat: some bytes somewhere."""
    start = source.randrange(len(data) + 1)
    width = source.choice((1, 2, 32, 500))
    return source.choice(
        (
            data[:start],
            data[start:],
            data[:start] + data[start + width :],
            data[:start] + source.randbytes(width) + data[start:],
            data[: start + width] + data[start:],
            data + source.randbytes(width),
        )
    )


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything within a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def change_json(value: Any, source: random.Random, odd: Sequence[Any]) -> Any:
    """One change somewhere: a value replaced, by an odd one too, taken out, repeated or renamed."""
    copy = json.loads(json.dumps(value))
    path = source.choice(list(places(copy)))
    place = copy
    for key in path[:-1]:
        place = place[key]
    key, how = path[-1], source.randrange(6)
    if how == 0:
        del place[key]
    elif how == 1 and isinstance(place, dict):
        place[key + source.choice(("", "x", "\0"))] = place.pop(key)
    elif how == 2 and isinstance(place, dict):
        place[source.choice(("!", "type", "signer", "zz"))] = source.choice(odd)
    elif how == 3 and isinstance(place, list):
        place.insert(0, place[key])
    elif how == 4 and isinstance(place[key], int):
        place[key] += source.choice((-1, 1, 2**16, 2**52))
    elif how == 4 and isinstance(place[key], str) and place[key]:
        at = source.randrange(len(place[key]))
        place[key] = place[key][:at] + source.choice("0fFA=./\n密") + place[key][at + 1 :]
    else:
        place[key] = source.choice(odd)
    return copy


def spell(value: Any) -> bytes:
    """Canonical where the value has such a form, else as the standard library writes it."""
    try:
        return dump(value)
    except FormatError:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
