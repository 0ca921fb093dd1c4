"""What waits for the sequencer: a bounded line of groups of submissions."""

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mizheng.notary.errors import Problem

RETRY_AFTER_SECONDS = 1

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Group(Generic[S]):
    """Submissions that came together: they share one commit and are never torn apart."""

    submissions: Sequence[S]
    future: Future[Any]
    is_single: bool
    """The future is for the outcome of the one submission, and not for a list of outcomes."""

    def answer(self, outcomes: Sequence[object]) -> None:
        """Hand each submission's outcome over: a Problem, or where it stands."""
        if not self.is_single:
            self.future.set_result(list(outcomes))
        elif isinstance(outcomes[0], Problem):
            self.future.set_exception(outcomes[0])
        else:
            self.future.set_result(outcomes[0])

    def refuse(self, problem: Problem) -> None:
        """Nothing of this group was begun."""
        self.answer([problem] * len(self.submissions))


class Room:
    """For so many submissions at once and no more; to be used from one event loop."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.taken = 0

    @contextmanager
    def take(self, count: int) -> Iterator[None]:
        """Room for `count` while the block runs; Problem `queue-full` at once when there is not enough."""
        if self.taken + count > self._size:
            raise Problem("queue-full", retry_after=RETRY_AFTER_SECONDS)
        self.taken += count
        try:
            yield
        finally:
            self.taken -= count


class WaitingLine(Generic[S]):
    """First come, first served; to be used by any number of threads, and taken from by one."""

    def __init__(self, max_waiting: int) -> None:
        self._groups: queue.SimpleQueue[Group[S] | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._room = max_waiting
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """How many submissions wait."""
        return self._waiting

    def join(self, group: Group[S]) -> None:
        """Put a group at the end; Problem `queue-full` at once when too many submissions wait."""
        size = len(group.submissions)
        with self._guard:
            if self._waiting + size > self._room:
                raise Problem("queue-full", retry_after=RETRY_AFTER_SECONDS)
            self._waiting += size
        self._groups.put(group)

    def close(self) -> None:
        """Put the end mark."""
        self._groups.put(None)

    def take(self, size: int) -> tuple[list[Group[S]], bool]:
        """Wait for a group, then take all that are there until they have `size` submissions; True when the
        end mark was reached.
        """
        taken: list[Group[S]] = []
        group = self._groups.get()
        while group is not None:
            taken.append(group)
            with self._guard:
                self._waiting -= len(group.submissions)
            size -= len(group.submissions)
            if size <= 0:
                return taken, False
            try:
                group = self._groups.get_nowait()
            except queue.Empty:
                return taken, False
        return taken, True

    def take_rest(self) -> list[Group[S]]:
        """What slipped in behind the end mark."""
        rest: list[Group[S]] = []
        while not self._groups.empty():
            group = self._groups.get_nowait()
            if group is not None:
                rest.append(group)
        return rest
