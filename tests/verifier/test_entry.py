"""Entries: what an auditor of the log sees of a deposit, in one spelling."""

from __future__ import annotations

import hashlib

import pytest
from mizheng.verifier.entry import dump_entry, entry_leaf, parse_entry
from mizheng.verifier.errors import FormatError

DIGEST = bytes(range(32))
ENTRY = b"mizheng/entry/v1\nsha256 " + DIGEST.hex().encode() + b"\n"


def test_an_entry_is_two_lines() -> None:
    assert dump_entry(DIGEST) == ENTRY
    assert parse_entry(ENTRY) == DIGEST
    assert len(ENTRY) == 89


def test_the_leaf_is_that_of_the_envelopes_entry() -> None:
    envelope = b"envelope"
    entry = dump_entry(hashlib.sha256(envelope).digest())
    assert entry_leaf(envelope) == hashlib.sha256(b"\0" + entry).digest()


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_digest_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError):
        dump_entry(bytes(length))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        ENTRY[:-1],
        ENTRY + b"\n",
        ENTRY + b"x",
        b"\n" + ENTRY,
        ENTRY.upper(),
        ENTRY.replace(b"0a", b"0A"),
        ENTRY.replace(b"v1", b"v2"),
        ENTRY.replace(b"sha256 ", b"sha256  "),
        ENTRY.replace(b"sha256", b"sm3"),
        ENTRY.replace(b"00", b"", 1),
        ENTRY.replace(b"\n", b"\r\n"),
        ENTRY.replace(b"00", "٠٠".encode(), 1),
    ],
)
def test_other_spellings_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_entry(data)
