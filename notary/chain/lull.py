"""What was found out at one head of the chain need not be asked again before there is another.

The anchorer looks several times a second; blocks come every few seconds. What is in which block, and how far
the chain is final, changes with its head; what a pool holds changes without, and now and then what is final,
so that after a while it is looked at again whatever the head is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

# A transaction that a pool lost waits for this long before somebody notices.
_LONGEST_SECONDS = 5.0

T = TypeVar("T")


class Lull(Generic[T]):
    """The last answer that said "not yet", and to what."""

    def __init__(self, elapsed: Callable[[], float], seconds: float = _LONGEST_SECONDS) -> None:
        """`elapsed`: seconds since any fixed moment, `time.monotonic`."""
        self._elapsed = elapsed
        self._seconds = seconds
        self._last: tuple[Hashable, float, T] | None = None

    def answer(self, question: Hashable) -> T | None:
        """What was answered to this very question a moment ago; None: ask."""
        if self._last is None:
            return None
        asked, at, answer = self._last
        return answer if asked == question and self._elapsed() - at < self._seconds else None

    def note(self, question: Hashable, answer: T) -> None:
        self._last = question, self._elapsed(), answer
