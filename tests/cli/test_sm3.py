"""SM3 of many messages at once: the digests of OpenSSL, whatever library there is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mizheng.cli.sealing import sm3

# Around every edge of the padding, all alike, one among many that is far longer, more than fill the lanes.
_EDGES = (0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129)
_MIXES = {
    "edges": _EDGES * 3,
    "alike": (4096,) * 33,
    "one long": (*(10,) * 31, 70_000),
    "few": (5, 4096, 0),
    "none": (),
}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    sm3.find_lanes.cache_clear()
    yield
    sm3.find_lanes.cache_clear()


def make(lengths: tuple[int, ...]) -> list[bytes]:
    return [
        bytes((place * 7 + number) % 256 for place in range(length)) for number, length in enumerate(lengths)
    ]


def expect(messages: list[bytes]) -> list[str]:
    return [hashlib.new("sm3", message).hexdigest() for message in messages]


@pytest.fixture
def lanes() -> None:
    """The library has to be found and right wherever it was tried: on x86-64 with AVX-512. Elsewhere it may
    refuse, and what is used then is shown by the tests without a library.
    """
    about = Path("/proc/cpuinfo")
    if not about.exists() or "avx512ifma" not in about.read_text("ascii", "replace"):
        pytest.skip("this processor has no AVX-512 (IFMA), on which the library was tried")
    assert sm3.find_lanes() is not None


@pytest.mark.usefixtures("lanes")
@pytest.mark.parametrize("mix", _MIXES)
def test_side_by_side_they_are_those_of_openssl(mix: str) -> None:
    messages = make(_MIXES[mix])
    assert sm3.digest_all(messages) == expect(messages)


@pytest.mark.parametrize("mix", _MIXES)
def test_without_a_library_they_are_the_same(mix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm3.sys, "platform", "elsewhere")
    assert sm3.find_lanes() is None
    messages = make(_MIXES[mix])
    assert sm3.digest_all(messages) == expect(messages)


class Library:
    """One that answers as told."""

    def __init__(self, status: int) -> None:
        self.asked = 0

        def digest(_messages: Any, _lengths: Any, _places: Any) -> int:
            self.asked += 1
            return status

        self.mbx_sm3_msg_digest_mb16 = digest


@pytest.mark.parametrize("status", [0, 1], ids=["wrong digests", "unsupported processor"])
def test_a_library_that_does_not_answer_as_openssl_is_not_used(status: int) -> None:
    library = Library(status)
    assert sm3.find_first(lambda _path: library) is None
    assert library.asked


def test_a_library_that_goes_wrong_later_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that it gets wrong is OpenSSL's."""
    lanes = SimpleNamespace(digest=lambda messages: ["0" * 64] * len(messages))
    monkeypatch.setattr(sm3, "find_lanes", lambda: lanes)
    messages = make((4096,) * (sm3._MANY + 1))
    assert sm3.digest_all(messages) == expect(messages)


def test_no_library_at_all_and_one_without_sm3() -> None:
    def missing(_path: str) -> Any:
        raise OSError("no such library")

    assert sm3.find_first(missing) is None
    assert sm3.find_first(lambda _path: SimpleNamespace()) is None
