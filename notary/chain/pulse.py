"""Whether a chain still makes blocks, by a clock that nobody can set."""

from __future__ import annotations

from collections.abc import Callable


class Pulse:
    """Watches the newest block's number while something of ours waits for a block."""

    def __init__(self, stalled_after: float, elapsed: Callable[[], float]) -> None:
        """`elapsed`: seconds since any fixed moment, `time.monotonic`: the wall clock may be set."""
        self._stalled_after = stalled_after
        self._elapsed = elapsed
        self._number: int | None = None
        self._since = 0.0

    def beats(self, number: int) -> bool:
        """Take note of the newest block; False once it has been the same for too long.

        Not lower but another: after a reorganisation the number may be smaller, and the chain lives.
        """
        now = self._elapsed()
        if number != self._number:
            self._number, self._since = number, now
        return now - self._since < self._stalled_after

    def rest(self) -> None:
        """Nothing waits: chains that make blocks only for transactions may stand still now."""
        self._number = None
