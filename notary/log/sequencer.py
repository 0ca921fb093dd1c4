"""Group commit: one thread takes whatever is waiting and appends it in one transaction.

A deposit is answered after the commit of its batch and never before. While one batch is being committed,
the next one gathers, so that the cost of a durable commit is shared by all that arrive meanwhile; who sends
one at a time is gathered before, see `mizheng.notary.intake.gathering`.

Several processes may do the same on one database: the head's lock puts their batches one behind the other.
"""

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, Protocol, TypeVar

from mizheng.notary.database import is_disk_full, reading
from mizheng.notary.errors import Problem
from mizheng.notary.log.append import NewEntry, append, ask_entries, find_entries
from mizheng.notary.log.guard import LogBehindError, LogGuard, Turn, writing_log
from mizheng.notary.log.head import Head, load_head
from mizheng.notary.log.proofs import tlog_proofs
from mizheng.notary.log.tiles import LogCorruptError, TileReader
from mizheng.notary.log.waiting import RETRY_AFTER_SECONDS, Group, WaitingLine
from mizheng.verifier.errors import ConsistencyError
from mizheng.verifier.note import NoteSigner
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

# Two full entry bundles: a batch touches at most three of them and still commits in some ten milliseconds.
# The group that reaches it may go beyond: what came together is committed together.
MAX_BATCH = 512
# At the slowest commit seen (50 ms) this is less than a second of waiting; beyond it the caller is told to
# wait.
MAX_WAITING = 4096
# A refusal ends when the operator has restored the database.
REFUSED_RETRY_SECONDS = 60


class Submission(Protocol):
    """What can be sequenced."""

    @property
    def entry(self) -> NewEntry: ...


S = TypeVar("S", bound=Submission)
S_contra = TypeVar("S_contra", bound=Submission, contravariant=True)


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Where an envelope stands."""

    leaf_index: int
    tlog_proof: bytes
    """Inclusion in the head of the batch's transaction."""
    is_new: bool
    """False: it was in the log before, and nothing was added."""


class Rules(Protocol[S_contra]):
    """What the sequencer asks about submissions, inside the transaction that holds the head's lock."""

    def refusals(
        self, connection: Connection, batch: Sequence[S_contra]
    ) -> Callable[[Collection[bytes]], Mapping[int, Problem]]:
        """Asked now, answered when it is called: places in the batch that must not be answered with a place
        in the log, and why. It is called with the envelope digests of the batch that are in the log already.
        """

    def record(self, connection: Connection, placed: Sequence[tuple[S_contra, int]]) -> None:
        """Write the submissions' own rows; each comes with its leaf index."""


Outcome = Sequenced | Problem


class Sequencer(Generic[S]):
    """The one writer thread of this process. `submit` from any thread."""

    def __init__(
        self,
        engine: Engine,
        signer: NoteSigner,
        rules: Rules[S],
        *,
        guard: LogGuard | None = None,
        max_waiting: int = MAX_WAITING,
        observe_batch: Callable[[int, float], None] = lambda size, seconds: None,
    ) -> None:
        self._engine = engine
        self._signer = signer
        self._rules = rules
        self._guard = guard
        self._observe_batch = observe_batch
        self._line: WaitingLine[S] = WaitingLine(max_waiting)
        self._stopping = threading.Event()
        self.refusal: str | None = None
        """Why nothing is signed: `damaged`, or the state of a LogBehindError; None if all is well."""
        self.commits = "ok"
        """How the last commit ended: `ok`, `disk-full`, or `failed`."""
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is waiting, then end the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._line.close()
            self._thread.join()
        for late in self._line.take_rest():
            late.refuse(Problem("log-unavailable", retry_after=RETRY_AFTER_SECONDS))

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive() and not self._stopping.is_set()

    @property
    def waiting(self) -> int:
        """How many submissions wait for a batch."""
        return self._line.waiting

    def submit(self, submission: S) -> Future[Sequenced]:
        """A future that is done when the submission's batch is; Problem `queue-full` at once when too
        many wait.
        """
        return self._join(Group([submission], Future(), True))

    def submit_all(self, submissions: Sequence[S]) -> Future[list[Outcome]]:
        """The same for many that share one commit, in their order; each has an outcome of its own."""
        return self._join(Group(submissions, Future(), False))

    def _join(self, group: Group[S]) -> Future[Any]:
        if self._stopping.is_set():
            raise Problem("log-unavailable", retry_after=RETRY_AFTER_SECONDS)
        self._line.join(group)
        return group.future

    def _run(self) -> None:
        is_last = False
        while not is_last:
            groups, is_last = self._line.take(MAX_BATCH)
            # A caller that went away before its batch began has lost nothing: it was never promised anything.
            groups = [group for group in groups if group.future.set_running_or_notify_cancel()]
            batch = [submission for group in groups for submission in group.submissions]
            if not batch:
                continue
            started = perf_counter()
            outcomes = self._sequence(batch)
            self._observe_batch(len(batch), perf_counter() - started)
            position = 0
            for group in groups:
                end = position + len(group.submissions)
                group.answer(outcomes[position:end])
                position = end

    def _sequence(self, batch: Sequence[S]) -> list[Outcome]:
        try:
            with writing_log(self._engine, self._guard, pipelined=True) as turn:
                # Dying in here: nothing is committed and nobody has been told anything.
                outcomes = self._append(turn, batch)
        except (LogCorruptError, ConsistencyError) as error:
            # Rolled back. The log stays as it is until somebody has looked at it.
            return self._refuse(batch, "damaged", "log-damaged", error)
        except LogBehindError as error:
            return self._refuse(batch, error.state, error.problem, error)
        except OSError as error:
            # The state file: committed, but an answer must not leave before it is written.
            logger.error("the state file cannot be written: %s", error.strerror)
            self.commits = "disk-full" if is_disk_full(error) else "failed"
            return self._reload(batch)
        except SQLAlchemyError as error:
            # Any error, also one of the commit itself, leaves open whether the batch is in. Only the database
            # knows, so it is asked in a new transaction; what was computed above is thrown away.
            self.commits = "disk-full" if is_disk_full(error) else "failed"
            logger.error(
                "a batch of %d entries failed (%s): %s", len(batch), self.commits, type(error).__name__
            )
            return self._reload(batch)
        except Exception:
            logger.exception("a batch of %d entries failed", len(batch))
            if len(batch) == 1:
                return self._reload(batch)
            # One of them is beyond us: find it, so that the others need not suffer for it. To sequence
            # again what is in already is harmless.
            middle = len(batch) // 2
            return self._sequence(batch[:middle]) + self._sequence(batch[middle:])
        # Dying here: everything is committed, and the same envelopes sent again are found.
        self.refusal = None
        self.commits = "ok"
        return outcomes

    def _refuse(self, batch: Sequence[S], state: str, code: str, error: Exception) -> list[Outcome]:
        """Nothing is signed until the database is another one; asked again with every batch."""
        if self.refusal != state:
            logger.critical("nothing is signed (%s): %s", state, error)
        self.refusal = state
        return [Problem(code, retry_after=REFUSED_RETRY_SECONDS) for _ in batch]

    def _append(self, turn: Turn, batch: Sequence[S]) -> list[Outcome]:
        connection, head = turn.connection, turn.head
        # Both asked before either is waited for.
        find_known = ask_entries(connection, [item.entry.envelope_sha256 for item in batch])
        find_refusals = self._rules.refusals(connection, batch)
        known = find_known()
        refused = find_refusals(known)
        # The same envelope twice in one batch is one entry: the dict keeps the first that is not refused.
        fresh: dict[bytes, S] = {}
        for number, item in enumerate(batch):
            digest = item.entry.envelope_sha256
            if digest not in known and number not in refused:
                fresh.setdefault(digest, item)
        appended = append(connection, self._signer, head, [item.entry for item in fresh.values()])
        turn.head = appended.head
        places = known | {digest: head.tree_size + number for number, digest in enumerate(fresh)}
        if fresh:
            self._rules.record(connection, [(item, places[digest]) for digest, item in fresh.items()])
        answered = {
            number: places[item.entry.envelope_sha256]
            for number, item in enumerate(batch)
            if number not in refused
        }
        found = _outcomes(answered, head.tree_size, appended.head, appended.reader)
        return [refused[number] if number in refused else found[number] for number in range(len(batch))]

    def _reload(self, batch: Sequence[S]) -> list[Outcome]:
        unavailable = Problem("log-unavailable", retry_after=RETRY_AFTER_SECONDS)
        try:
            with reading(self._engine) as connection:
                head = load_head(connection)
                if self._guard is not None:
                    # A database that took over from another one may lack what this one has answered.
                    self._guard.check(connection, head)
                    self._guard.advance(head)
                places = find_entries(connection, [item.entry.envelope_sha256 for item in batch])
                answered = {
                    number: places[item.entry.envelope_sha256]
                    for number, item in enumerate(batch)
                    if item.entry.envelope_sha256 in places
                }
                # Whether this batch or an earlier one put them there cannot be told any more: not new.
                found = _outcomes(answered, head.tree_size, head, TileReader(connection))
                return [found.get(number, unavailable) for number in range(len(batch))]
        except Exception as error:
            logger.error("the log cannot be read after a failed batch: %s", type(error).__name__)
            return [unavailable for _ in batch]


def _outcomes(places: Mapping[int, int], old_size: int, head: Head, reader: TileReader) -> dict[int, Outcome]:
    proofs = tlog_proofs(reader, places.values(), head)
    return {number: Sequenced(index, proofs[index], index >= old_size) for number, index in places.items()}
