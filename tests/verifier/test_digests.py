"""The two digests of a file."""

from __future__ import annotations

import pytest
from mizheng.verifier.digests import FileDigests, compute_digests

# FIPS 180-4 and GB/T 32905-2016, appendix A.1: the digests of "abc".
ABC = FileDigests(
    3,
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
)


@pytest.mark.parametrize("chunks", [[b"abc"], [b"a", b"", b"bc"], [b"", b"abc", b""]])
def test_known_digests_whatever_the_pieces(chunks: list[bytes]) -> None:
    assert compute_digests(chunks) == ABC


def test_an_empty_file() -> None:
    assert compute_digests([]) == compute_digests([b""])
    assert compute_digests([]).size == 0
