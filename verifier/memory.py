"""What was found true of some bytes, remembered while many bundles are checked in one run.

Bundles of one log share anchors, seals and observations byte for byte. What is remembered is the result of a
pure function of those bytes, kept under its name and their SHA-256: other bytes never get it, and a failure
is never remembered. One bundle by itself needs none of this.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar, cast

# A member has at most 512 KiB, and what is parsed of it takes some times that: half a GiB at the very worst,
# some MiB with what notaries hand out.
MAX_ITEMS = 256

_T = TypeVar("_T")


class Memory:
    """Results by function and bytes, the least recently used forgotten first. For one thread."""

    def __init__(self, max_items: int = MAX_ITEMS) -> None:
        """`max_items` 0: remembers nothing."""
        self._max_items = max_items
        self._found: OrderedDict[tuple[str, bytes], Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def once(self, what: str, data: bytes, compute: Callable[[], _T]) -> _T:
        """The result of `compute`, a pure function of `data` that `what` names; its errors pass through."""
        if not self._max_items:
            return compute()
        key = (what, hashlib.sha256(data).digest())
        if key in self._found:
            self._found.move_to_end(key)
            return cast(_T, self._found[key])
        result = compute()
        self._found[key] = result
        if len(self._found) > self._max_items:
            self._found.popitem(last=False)
        return result
