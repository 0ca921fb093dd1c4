"""Work on many like things, some of them ahead of the one that is looked at, on two cores.

`cryptography` checks a signature without holding the interpreter's lock, so that one thread can parse while
another one checks. What comes out, and in which order, is the same as without threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from .errors import MizhengError

_THREADS = 2
# To hand a thing to a thread and back takes some tens of microseconds; so they go together.
_BATCH = 32
# As many batches are worked on, or wait to be looked at: what is held of a million things is of these.
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


def in_order(work: Callable[[_T], _R], things: Sequence[_T]) -> Generator[_R, None, None]:
    """`work` of each thing, in their order; it is done for up to 160 things ahead, and nothing after `close`.

    `work` runs in threads of its own, several at once.
    """
    pool = ThreadPoolExecutor(_THREADS)
    waiting: deque[Future[list[_R]]] = deque()
    try:
        for start in range(0, len(things), _BATCH):
            waiting.append(pool.submit(_do_all, work, things[start : start + _BATCH]))
            if len(waiting) > _AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _do_all(work: Callable[[_T], _R], things: Sequence[_T]) -> list[_R]:
    return [work(thing) for thing in things]
