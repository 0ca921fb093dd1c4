"""SM3 of one long message: the digest of OpenSSL, whatever library there is."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.sealing import sm3_stream
from mizheng.cli.sealing.sm3_stream import Stream, find_first, start_sm3

from tests.support.scale import scaled

PIECE = bytes(range(251)) * 4178


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    sm3_stream.find_library.cache_clear()
    yield
    sm3_stream.find_library.cache_clear()


@pytest.fixture
def library() -> Any:
    """It has to be found and right wherever the extra `fast` brings it: Linux on x86-64."""
    own = Path(sys.prefix) / "lib" / "libippcp.so.13"
    if not own.exists():
        pytest.skip(f"ippcp (the extra `fast`) is not installed at {own}")
    found = sm3_stream.find_library()
    assert found is not None
    return found


def test_a_long_message_in_pieces_has_the_digest_of_openssl(library: Any) -> None:
    """Soaked, its length in bits and in bytes passes 2^32: a counter of 32 bits would show."""
    stream, expected = Stream(library), hashlib.new("sm3")
    for number in range(scaled(9, 4200)):
        piece = PIECE[number % 65 :]
        stream.update(piece)
        expected.update(piece)
    assert stream.hexdigest() == expected.hexdigest()


def test_two_at_a_time_do_not_disturb_each_other(library: Any) -> None:
    first, second = Stream(library), Stream(library)
    first.update(b"first")
    second.update(b"second")
    assert first.hexdigest() == hashlib.new("sm3", b"first").hexdigest()
    assert second.hexdigest() == hashlib.new("sm3", b"second").hexdigest()


def test_without_a_library_it_is_that_of_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm3_stream.sys, "platform", "elsewhere")
    digest = start_sm3()
    assert not isinstance(digest, Stream)
    digest.update(b"content")
    assert digest.hexdigest() == hashlib.new("sm3", b"content").hexdigest()


class Library:
    """One whose steps all answer the same, and that digests nothing."""

    def __init__(self, status: int) -> None:
        self.asked = 0

        def step(*_arguments: Any) -> int:
            self.asked += 1
            return status

        def method() -> int:
            return 1

        self.ippsHashMethod_SM3_TT: Any = method
        self.ippsHashGetSize_rmf = self.ippsHashInit_rmf = step
        self.ippsHashUpdate_rmf = self.ippsHashFinal_rmf = step


@pytest.mark.parametrize("status", [0, -8], ids=["wrong digests", "failures"])
def test_a_library_that_does_not_answer_as_openssl_is_not_used(status: int) -> None:
    library = Library(status)
    assert find_first(lambda _path: library) is None
    assert library.asked


def test_an_update_that_fails_gives_no_digest() -> None:
    library = Library(0)
    library.ippsHashUpdate_rmf = lambda *_arguments: -8
    stream = Stream(library)
    stream.update(b"content")
    with pytest.raises(ArithmeticError):
        stream.hexdigest()


def test_no_library_at_all_and_one_without_sm3() -> None:
    def missing(_path: str) -> Any:
        raise OSError("no such library")

    assert find_first(missing) is None
    assert find_first(lambda _path: object()) is None
