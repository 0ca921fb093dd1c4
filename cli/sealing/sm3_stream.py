"""SM3 of one long message, piece by piece: Intel's ippcp where it is installed, else OpenSSL.

A large file takes as long as its SM3 does, which no second core makes quicker; ippcp takes about three
quarters of OpenSSL's time, and less on a processor with instructions for it. As with many short messages
(see `sm3`), the library has to answer as OpenSSL does before it is used, and the digest is the same without.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from mizheng.cli.sealing.intel import installed


class Digest(Protocol):
    """A digest under way, as hashlib has it."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class Stream:
    """An SM3 by ippcp: `ippsHashInit_rmf`, then `…Update_rmf` as often as wanted, then `…Final_rmf`."""

    __slots__ = ("_library", "_state", "_status")

    def __init__(self, library: Any) -> None:
        """AttributeError when the library has no SM3."""
        import ctypes

        method = library.ippsHashMethod_SM3_TT
        method.restype = ctypes.c_void_p
        size = ctypes.c_int()
        self._library = library
        self._status: int = library.ippsHashGetSize_rmf(ctypes.byref(size))
        self._state = ctypes.create_string_buffer(size.value)
        self._status |= library.ippsHashInit_rmf(self._state, ctypes.c_void_p(method()))

    def update(self, data: bytes, /) -> None:
        """Other threads run meanwhile, as in hashlib. A failure is told at the end."""
        self._status |= self._library.ippsHashUpdate_rmf(data, len(data), self._state)

    def hexdigest(self) -> str:
        """Once: the library begins anew after it. ArithmeticError when any step failed."""
        import ctypes

        found = ctypes.create_string_buffer(32)
        if self._status or self._library.ippsHashFinal_rmf(found, self._state):
            raise ArithmeticError("SM3 was not computed")
        return found.raw.hex()


def start_sm3() -> Digest:
    """SM3 (GB/T 32905) of a message worth some ten milliseconds: finding the library takes eight, once."""
    library = find_library()
    return hashlib.new("sm3") if library is None else Stream(library)


@lru_cache(maxsize=1)
def find_library() -> Any | None:
    """ippcp, tried out; None where there is none that can be used. The second time it costs nothing."""
    if sys.platform != "linux":
        return None
    import ctypes

    return find_first(ctypes.CDLL)


def find_first(load: Callable[[str], Any]) -> Any | None:
    """The first that `load` finds and that answers as OpenSSL does."""
    for _name, library in installed("libippcp", load):
        try:
            if _is_right(library):
                return library
        except (AttributeError, ArithmeticError):
            continue
    return None


def _is_right(library: Any) -> bool:
    """Whether it answers as OpenSSL does, for pieces and messages that end around every edge of a block."""
    content = bytes(range(256)) * 20
    for length in (0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000, 4096):
        for piece in (1000, 64, 63):
            stream, expected = Stream(library), hashlib.new("sm3", content[:length])
            for start in range(0, length, piece):
                stream.update(content[start : min(start + piece, length)])
            if stream.hexdigest() != expected.hexdigest():
                return False
    return True
