"""SM3 of many short messages at once: sixteen lanes of Intel's crypto_mb where it is installed, else OpenSSL.

One message after another, SM3 takes most of the time that small files take (OpenSSL 400 MB/s a core); sixteen
side by side take a sixth of it or less. `pip install 'mizheng[fast]'` brings the library, or the system does
(Debian: libcrypto-mb). What it answers is held against OpenSSL before it is used; without it, on another
processor, or when an answer differs, every digest is OpenSSL's, and the same.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from mizheng.cli.sealing.intel import installed

LANES = 16
# A lane that has come to its end waits for the longest: below so many lanes' worth of work, one after another
# is quicker (measured: all sixteen are 5.5 times as quick as one).
_WORTH = 4
# The build on PyPI asks for these of Intel's compiler and uses nothing of them.
_NEEDED = ("libintlc.so.5", "libimf.so", "libsvml.so", "libirng.so")
# Looking for the library takes as long as some hundred small files do.
_MANY = 256
_EMPTY = hashlib.new("sm3")


class Lanes:
    """The multi-buffer digest: `mbx_sm3_msg_digest_mb16(message[16], length[16], digest[16])`."""

    def __init__(self, library: Any, name: str) -> None:
        """AttributeError when the library has no such function."""
        import ctypes

        self.name = name
        self._messages, self._lengths = ctypes.c_char_p * LANES, ctypes.c_int * LANES
        self._digest = library.mbx_sm3_msg_digest_mb16
        # Two or four bits of status a lane; a zero in every one of them is success.
        self._digest.restype = ctypes.c_uint64
        self._found = ctypes.create_string_buffer(32 * LANES)
        start = ctypes.addressof(self._found)
        self._places = (ctypes.c_void_p * LANES)(*range(start, start + 32 * LANES, 32))

    def digest(self, messages: Sequence[bytes]) -> list[str] | None:
        """SM3 of up to sixteen messages, in hex; None when the library will not."""
        count = len(messages)
        lengths = self._lengths(*map(len, messages))
        if self._digest(self._messages(*messages, *[b""] * (LANES - count)), lengths, self._places):
            return None
        found = self._found.raw.hex()
        return [found[start : start + 64] for start in range(0, 64 * count, 64)]


def digest_all(messages: Sequence[bytes]) -> list[str]:
    """SM3 (GB/T 32905) of each message, in hex, in order."""
    lanes = find_lanes() if len(messages) >= _MANY or find_lanes.cache_info().currsize else None
    if lanes is None:
        return [_digest_one(message) for message in messages]
    found = [""] * len(messages)
    # Of about the same length side by side.
    order = sorted(range(len(messages)), key=lambda place: len(messages[place]))
    for start in range(0, len(order), LANES):
        places = order[start : start + LANES]
        some = [messages[place] for place in places]
        is_worth = sum(map(len, some)) >= _WORTH * len(some[-1]) and len(some) >= _WORTH
        digests = lanes.digest(some) if is_worth else None
        for place, digest in zip(places, digests or map(_digest_one, some), strict=True):
            found[place] = digest
    # A record with a wrong digest would prove nothing, for ever: one of each row is made twice.
    middle = order[len(order) // 2] if order else None
    if middle is not None and found[middle] != _digest_one(messages[middle]):
        return [_digest_one(message) for message in messages]
    return found


@lru_cache(maxsize=1)
def find_lanes() -> Lanes | None:
    """The library, tried out; None where there is none that can be used. The second time it costs nothing."""
    if sys.platform != "linux":
        return None
    import ctypes

    return find_first(ctypes.CDLL)


def find_first(load: Callable[[str], Any]) -> Lanes | None:
    """The first that `load` finds and that answers as OpenSSL does."""
    for name, library in installed("libcrypto_mb", load, _NEEDED):
        try:
            lanes = Lanes(library, name)
        except AttributeError:
            continue
        if _is_right(lanes):
            return lanes
    return None


def _is_right(lanes: Lanes) -> bool:
    """Whether it answers as OpenSSL does, for lengths around every edge of SM3's padding."""
    lengths = (0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000, 4096, 5000)
    messages = [bytes((place + length) % 256 for place in range(length)) for length in lengths]
    return lanes.digest(messages) == [_digest_one(message) for message in messages]


def _digest_one(message: bytes) -> str:
    # A copy is made quicker than a new one, which is looked up by its name each time.
    digest = _EMPTY.copy()
    digest.update(message)
    return digest.hexdigest()
