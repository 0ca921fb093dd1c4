"""Two SHA-256 at once: the digests of hashlib, whatever the sizes; else it is not used."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.cli.keeping import digests, encrypting
from mizheng.cli.keeping.digests import Apart, Together, find_pair, is_right
from pyrage import x25519

from tests.support.compiled import compile_quick

EDGES = (0, 1, 55, 56, 63, 64, 65, 119, 128, 1000)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Where it does not help, all but the processor's instructions is tested."""
    return compile_quick(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    find_pair.cache_clear()
    yield
    find_pair.cache_clear()


def check(compiled: Any, pieces: list[tuple[int, int]]) -> None:
    states, expected = [compiled.pair_start() for _ in range(2)], (hashlib.sha256(), hashlib.sha256())
    for sizes in pieces:
        data = [os.urandom(size) for size in sizes]
        compiled.pair_update(*states, *data)
        for digest, piece in zip(expected, data, strict=True):
            digest.update(piece)
        assert [compiled.pair_digest(state) for state in states] == [digest.digest() for digest in expected]


def test_every_two_sizes_around_blocks(compiled: Any) -> None:
    for sizes in product(EDGES, EDGES):
        check(compiled, [sizes, (64, 7), sizes[::-1], (3, 200)])


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=6))
def test_pieces_of_any_sizes(compiled: Any, pieces: list[tuple[int, int]]) -> None:
    check(compiled, pieces)


@pytest.mark.parametrize("pieces", [1, 2, 3, 4, 9])
def test_an_original_has_the_digests_of_hashlib(
    compiled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    """Whole pieces and a rest: the last comes when nothing is held, or together with one that is."""
    size = pieces * encrypting._PIECE + encrypting.CHUNK + 5
    monkeypatch.setattr(digests, "find_pair", lambda: compiled)
    monkeypatch.setattr(digests, "usable_cores", lambda: 2)
    used: list[int] = []
    honest = Together.add_both
    monkeypatch.setattr(Together, "add_both", lambda *given: used.append(1) or honest(*given))
    data, identity, written = os.urandom(size), x25519.Identity.generate(), bytearray()
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb", buffering=0) as file:
        made = encrypting.encrypt(file, [identity.to_public()], written.extend)
    assert made.original_sha256 == hashlib.sha256(data).hexdigest()
    assert made.ciphertext.sha256 == hashlib.sha256(written).hexdigest()
    assert pyrage.decrypt(bytes(written), [identity]) == data
    assert len(used) == (pieces + 1) // 2


@pytest.mark.parametrize("which", [0, 1])
def test_one_wrong_digest_and_it_is_not_used(
    compiled: Any, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    calls = iter(range(1000))

    def lie(state: bytearray) -> bytes:
        """Of the original's or of the ciphertext's, the last bit."""
        right = compiled.pair_digest(state)
        return right[:-1] + bytes([right[-1] ^ (next(calls) % 2 == which)])

    liar = SimpleNamespace(**{**vars(compiled), "pair_helps": lambda: True, "pair_digest": lie})
    assert is_right(compiled)
    monkeypatch.setitem(sys.modules, "mizheng.cli.sealing._quick", liar)
    assert find_pair() is None


@pytest.mark.parametrize(
    "module",
    [None, SimpleNamespace(), SimpleNamespace(pair_helps=lambda: False)],
    ids=["not built", "built before", "no help"],
)
def test_without_it_hashlib_makes_both(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    monkeypatch.setitem(sys.modules, "mizheng.cli.sealing._quick", module)
    assert find_pair() is None
    assert isinstance(digests.begin(b"start", is_large=True), Apart)


@pytest.mark.parametrize(("is_large", "cores"), [(False, 2), (True, 3)], ids=["small file", "many cores"])
def test_where_it_takes_longer_it_is_not_tried_out(
    monkeypatch: pytest.MonkeyPatch, is_large: bool, cores: int
) -> None:
    monkeypatch.setattr(digests, "usable_cores", lambda: cores)
    monkeypatch.setattr(digests, "find_pair", lambda: pytest.fail("tried"))
    assert isinstance(digests.begin(b"start", is_large=is_large), Apart)


def test_what_is_no_state_is_refused(compiled: Any) -> None:
    state = compiled.pair_start()
    for states in ((bytearray(100), state), (state, bytearray(100)), (state, state)):
        with pytest.raises(ValueError, match="pair_start"):
            compiled.pair_update(*states, b"", b"")
    with pytest.raises(ValueError, match="pair_start"):
        compiled.pair_digest(bytearray(100))
