"""Read many like things in their order, while a second thread does what of the work takes long.

That is checking signatures, the only part that runs without the interpreter's lock. A thread that comes back
from it needs the lock for the next one, and gets it when the other thread, too, checks a signature: so both
of them check, and whoever comes first takes the next one. What comes out, and in which order, is the same as
without threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, Generic, TypeVar

from .errors import MizhengError

# To hand something to a thread takes some tens of microseconds; so it is done by rows.
_ROW = 32
# As many rows wait to be looked at: what is held of a million things is of these.
_AHEAD = 4

_T = TypeVar("_T")
_R = TypeVar("_R")


def outcome(action: Callable[[], _T]) -> Callable[[], _T]:
    """Do it now; what is returned gives its value, or raises its MizhengError, to whoever asks."""
    try:
        value = action()
    except MizhengError as error:
        found = error

        def fail() -> _T:
            raise found

        return fail
    return lambda: value


class Later(Generic[_T]):
    """The outcome of something that is done once: by a thread that has the time, or by whoever asks first."""

    __slots__ = ("_action", "_outcome", "_turn")

    def __init__(self, action: Callable[[], _T]) -> None:
        self._action = action
        self._outcome: Callable[[], _T] | None = None
        self._turn = Lock()

    def __call__(self) -> _T:
        """Its value, or its MizhengError."""
        if self._outcome is None:
            with self._turn:
                self._do()
        assert self._outcome is not None  # noqa: S101 - it was done
        return self._outcome()

    def begin(self) -> bool:
        """Do it; False if it was done, or another thread is at it."""
        if self._outcome is not None or not self._turn.acquire(blocking=False):
            return False
        try:
            return self._do()
        finally:
            self._turn.release()

    def _do(self) -> bool:
        if self._outcome is not None:
            return False
        self._outcome = outcome(self._action)
        return True


Work = Callable[[_T, Callable[[Callable[[], Any]], Later[Any]]], _R]
"""Takes a thing, and what puts off the slow part of the work on it."""


def in_order(work: Work[_T, _R], things: Sequence[_T]) -> Generator[_R, None, None]:
    """`work` of each thing, in their order; it is done for up to 160 things ahead, and nothing after `close`.

    `work` runs in the caller's thread. What it puts off runs in this thread or in another one, and was
    at least begun when the turn of the thing comes.
    """
    pool = ThreadPoolExecutor(1)
    waiting: deque[tuple[list[_R], list[Later[Any]]]] = deque()
    try:
        for start in range(0, len(things), _ROW):
            found, later = _begin(work, things[start : start + _ROW])
            pool.submit(_do_all, later)
            waiting.append((found, later))
            if len(waiting) > _AHEAD:
                yield from _finish(*waiting.popleft())
        while waiting:
            yield from _finish(*waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(work: Work[_T, _R], things: Sequence[_T]) -> tuple[list[_R], list[Later[Any]]]:
    later: list[Later[Any]] = []

    def put_off(action: Callable[[], Any]) -> Later[Any]:
        later.append(Later(action))
        return later[-1]

    return [work(thing, put_off) for thing in things], later


def _do_all(later: Sequence[Later[Any]]) -> None:
    for item in later:
        item.begin()


def _finish(found: list[_R], later: Sequence[Later[Any]]) -> list[_R]:
    # From the other end than the thread: where the two meet, all is done.
    for item in reversed(later):
        if not item.begin():
            break
    return found
