"""SHA-256 of an original and of its ciphertext while one becomes the other: hashlib's, or both at once.

The compiled part takes three quarters of hashlib's processor time for the same digests, on one thread. It is
used where there are no cores for more, it was built, the processor can do it, and it was right when it was
tried (decision 35).
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from importlib import import_module
from typing import Protocol

# With a third, hashlib's two threads end sooner.
_FEW_CORES = 2


class Pair(Protocol):
    """What native/pair.h says of each function."""

    def pair_helps(self) -> bool: ...
    def pair_start(self) -> bytearray: ...
    def pair_update(
        self,
        state: bytearray,
        other_state: bytearray,
        piece: bytes | memoryview,
        other: bytes | memoryview,
        /,
    ) -> None: ...
    def pair_digest(self, state: bytearray, /) -> bytes: ...


class Apart:
    """By hashlib, each of the two by itself."""

    def __init__(self, start: bytes) -> None:
        """`start`: of the ciphertext."""
        original, ciphertext = hashlib.sha256(), hashlib.sha256(start)
        self.add_original, self.add_ciphertext = original.update, ciphertext.update
        self._digests = original, ciphertext

    def results(self) -> tuple[str, str]:
        """In hexadecimal: the original's, the ciphertext's."""
        original, ciphertext = self._digests
        return original.hexdigest(), ciphertext.hexdigest()


class Together:
    """By the compiled part. Two threads may add to one each, or one to both."""

    def __init__(self, pair: Pair, start: bytes) -> None:
        self._pair = pair
        self._original, self._ciphertext = pair.pair_start(), pair.pair_start()
        self.add_ciphertext(start)

    def add_original(self, piece: bytes | memoryview) -> None:
        self._pair.pair_update(self._original, self._pair.pair_start(), piece, b"")

    def add_ciphertext(self, piece: bytes | memoryview) -> None:
        self._pair.pair_update(self._ciphertext, self._pair.pair_start(), piece, b"")

    def add_both(self, plain: bytes | memoryview, made: bytes | memoryview) -> None:
        self._pair.pair_update(self._original, self._ciphertext, plain, made)

    def results(self) -> tuple[str, str]:
        digest = self._pair.pair_digest
        return digest(self._original).hex(), digest(self._ciphertext).hex()


def begin(start: bytes, *, is_large: bool) -> Apart | Together:
    """For a small file nothing is tried out."""
    pair = find_pair() if is_large and usable_cores() <= _FEW_CORES else None
    return Together(pair, start) if pair else Apart(start)


def usable_cores() -> int:
    """Of those that there are, how many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def find_pair() -> Pair | None:
    """The compiled part, tried out; None where there is none, or it would not help, or is wrong."""
    try:
        pair: Pair = import_module("mizheng.cli.sealing._quick")
        return pair if pair.pair_helps() and is_right(pair) else None
    except (ImportError, AttributeError):
        # AttributeError: one that was built before it could do this.
        return None


def is_right(pair: Pair) -> bool:
    """Whether it answers as hashlib does, around the edges of blocks on either side."""
    data = memoryview(bytes(range(256)) * 3)
    sizes = (0, 1, 55, 56, 63, 64, 65, 128, 500)
    for first in sizes:
        apart, together = Apart(bytes(data[:first])), Together(pair, bytes(data[:first]))
        for number, size in enumerate(sizes):
            plain, made = data[number : number + size], data[: sizes[-1 - number]]
            together.add_both(plain, made)
            together.add_original(made)
            for piece in (plain, made):
                apart.add_original(piece)
            apart.add_ciphertext(made)
        if apart.results() != together.results():
            return False
    return True
