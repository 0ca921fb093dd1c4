"""Sound bundles with one thing changed somewhere, the same for the same seed: for two verifiers to judge.

A change is made to the file, or to a member, which is then packed again in due form: so it gets past the
container and reaches the checks behind it.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mizheng.verifier.archive import ArchiveReader

from tests.support import vectors
from tests.support.changes import change_json, damage, flip, spell
from tests.support.scale import scaled
from tests.support.world import pack

SEED = os.environ.get("MIZHENG_SEED", "20261123")
COUNT = scaled(500, 10_000)
BASES = (
    "sound/one-file",
    "sound/many-records",
    "sound/two-anchors",
    "sound/witnesses",
    "sound/p256",
    "sound/real-chain",
    "sound/log-key-changed",
    "seals/qbft-quorum",
    "seals/ibft2-quorum",
    "seals/clique-quorum",
    "foreign/beside-a-token",
    "renewal/twice",
    "renewal/rehashed",
    "token/rsa",
    "token/intermediate",
    "token/not-revoked",
    "ocsp/named-responder",
    "x509/sound",
    "disclosure/on-record",
    "custody/there-and-back",
    "form/packed-anew",
    "form/streamed",
)
Members = dict[str, bytes]
# What the formats have a meaning for, and what nearly is something else.
_ODD: tuple[Any, ...] = (
    0,
    1,
    -1,
    5,
    2**53 - 1,
    2**53,
    "",
    "00",
    "AA==",
    "\0",
    "\u202e",
    None,
    True,
    [],
    {},
    [[]],
)


@dataclass(frozen=True)
class Mutation:
    """One change to a vector's bundle."""

    number: int
    base: str
    what: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.number} {self.base}: {self.what} (MIZHENG_SEED={SEED})"


def mutations(count: int = COUNT) -> Iterator[Mutation]:
    """As many changes, over all bases and all ways in turn."""
    for number in range(count):
        source = random.Random(f"{SEED} mutation {number}")
        base = BASES[number % len(BASES)]
        change = _CHANGES[number // len(BASES) % len(_CHANGES)]
        data, what = change(base, source)
        yield Mutation(number, base, what, data)


@cache
def bundle(base: str) -> bytes:
    return vectors.read(base).bundle


@cache
def _members(base: str) -> tuple[tuple[str, bytes], ...]:
    return tuple(contents(bundle(base)).items())


def contents(data: bytes) -> Members:
    """The members of a ZIP that can be read, in their order."""
    with ArchiveReader(data) as archive:
        return {name: archive.read(name) for name in archive.names}


def flip_somewhere(data: bytes, source: random.Random) -> bytes:
    if not data:
        return data
    place = source.randrange(len(data))
    return flip(data, 8 * place + source.randrange(8))


def _bit_of_the_file(base: str, source: random.Random) -> tuple[bytes, str]:
    return flip_somewhere(bundle(base), source), "a bit of the file"


def _damaged_file(base: str, source: random.Random) -> tuple[bytes, str]:
    return damage(bundle(base), source), "the file damaged"


def _bit_of_the_directory(base: str, source: random.Random) -> tuple[bytes, str]:
    data = bundle(base)
    start = data.index(b"PK\x01\x02")
    return data[:start] + flip_somewhere(data[start:], source), "a bit of the directory"


def _bit_of_a_header(base: str, source: random.Random) -> tuple[bytes, str]:
    data = bundle(base)
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"PK\x03\x04"]
    at = source.choice(starts)
    return data[:at] + flip_somewhere(data[at : at + 40], source) + data[
        at + 40 :
    ], "a bit of a member's header"


def _member(
    change: Callable[[bytes, random.Random], bytes], what: str
) -> Callable[[str, random.Random], tuple[bytes, str]]:
    def run(base: str, source: random.Random) -> tuple[bytes, str]:
        members = dict(_members(base))
        name = source.choice(list(members))
        return pack({**members, name: change(members[name], source)}), f"{what} of {name}"

    return run


def _left_out(base: str, source: random.Random) -> tuple[bytes, str]:
    members = dict(_members(base))
    name = source.choice(list(members))
    del members[name]
    return pack(members), f"{name} left out"


def _replaced(base: str, source: random.Random) -> tuple[bytes, str]:
    """By another member of the same bundle, or by one of another bundle."""
    members = dict(_members(base))
    other = dict(_members(source.choice((base, *BASES))))
    name, taken = source.choice(list(members)), source.choice(list(other))
    if source.random() < 0.5 and name in other:
        taken = name
    return pack({**members, name: other[taken]}), f"{name} replaced by a {taken}"


def _json_field(base: str, source: random.Random) -> tuple[bytes, str]:
    """A field of a document that is not signed, or of the envelope of one that is."""
    members = dict(_members(base))
    name = source.choice([each for each in members if each.endswith(".json")])
    data = spell(change_json(json.loads(members[name]), source, _ODD))
    return pack({**members, name: data}), f"a field of {name}"


_CHANGES: tuple[Callable[[str, random.Random], tuple[bytes, str]], ...] = (
    _member(flip_somewhere, "a bit"),
    _bit_of_the_file,
    _json_field,
    _member(damage, "damage"),
    _bit_of_the_directory,
    _replaced,
    _damaged_file,
    _bit_of_a_header,
    _left_out,
)
