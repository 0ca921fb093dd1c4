"""Single submissions of one event loop, gathered into groups for the sequencer.

A batch costs some milliseconds whatever its size, so what comes about the same time should go together. And a
submission of its own would cost a future and two thread switches; gathered, a group does.

While a group is under way the next one gathers. It leaves when the last one is answered and half of all who
are here wait in it: so one half is checked and answered on the event loop while the database works for the
other one. Or it leaves when nothing has come for one pause.
"""

import asyncio
from concurrent.futures import Future
from time import monotonic
from typing import Generic, TypeVar

from mizheng.notary.errors import Problem
from mizheng.notary.log.sequencer import MAX_BATCH, MAX_WAITING, Outcome, Sequenced, Sequencer, Submission
from mizheng.notary.log.waiting import RETRY_AFTER_SECONDS

# Longer than one of many clients on a busy machine needs to send again; who is alone never waits for it.
PAUSE_SECONDS = 0.008
# However steadily others come, the first of a group waits no longer than this.
GATHER_SECONDS = 0.05

S = TypeVar("S", bound=Submission)
_Waiting = tuple[S, "asyncio.Future[Outcome]"]


class Gatherer(Generic[S]):
    """To be used from one event loop."""

    def __init__(self, sequencer: Sequencer[S], *, max_waiting: int = MAX_WAITING) -> None:
        self._sequencer = sequencer
        self._room = max_waiting
        self._waiting: list[_Waiting[S]] = []
        self._first_at = self._last_at = 0.0
        # The most that were here at a time since the last group left: waiting, or under way.
        self._here = 0
        self._under_way = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many submissions gather here."""
        return len(self._waiting)

    async def submit(self, submission: S) -> Sequenced:
        """Where the submission stands, once its batch is committed; Problem if it is refused, or at once if
        too many wait.
        """
        outcome = await self.place(submission)
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    def place(self, submission: S) -> "asyncio.Future[Outcome]":
        """The same for who does not wait here: the future is for the Problem, too."""
        if len(self._waiting) >= self._room:
            raise Problem("queue-full", retry_after=RETRY_AFTER_SECONDS)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._last_at = monotonic()
        if not self._waiting:
            self._first_at = self._last_at
        self._waiting.append((submission, future))
        self._here = max(self._here, len(self._waiting) + self._under_way)
        if not self._under_way:
            self._consider()
        return future

    def _consider(self) -> None:
        """Let the group leave, or look again after a pause."""
        if self._waiting and len(self._waiting) >= min(self._here // 2, MAX_BATCH):
            self._leave()
        elif self._waiting and self._timer is None:
            self._wait_until(self._last_at + PAUSE_SECONDS)

    def _wait_until(self, moment: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, moment - monotonic()), self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        if self._under_way or not self._waiting:
            return
        moment = min(self._last_at + PAUSE_SECONDS, self._first_at + GATHER_SECONDS)
        if moment <= monotonic():
            self._leave()
        else:
            self._wait_until(moment)

    def _leave(self) -> None:
        group, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        self._first_at = monotonic()
        # A caller that went away was never promised anything.
        group = [item for item in group if not item[1].done()]
        self._here = len(group) + len(self._waiting)
        if not group:
            return
        loop = asyncio.get_running_loop()
        try:
            outcomes = self._sequencer.submit_all([submission for submission, _ in group])
        except Problem as problem:
            _answer(group, [problem] * len(group))
            return
        self._under_way = len(group)
        outcomes.add_done_callback(lambda done: loop.call_soon_threadsafe(self._arrive, group, done))

    def _arrive(self, group: list[_Waiting[S]], outcomes: "Future[list[Outcome]]") -> None:
        self._under_way = 0
        _answer(group, outcomes.result())
        self._consider()


def _answer(group: list[_Waiting[S]], outcomes: list[Outcome] | list[Problem]) -> None:
    for (_, future), outcome in zip(group, outcomes, strict=True):
        if not future.done():
            future.set_result(outcome)
