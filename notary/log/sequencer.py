"""Group commit: one thread takes whatever is waiting and appends it in one transaction.

A deposit is answered after the commit of its batch and never before. While one batch is being committed,
the next one gathers in the queue, so that the cost of a durable commit is shared by all that arrive
meanwhile.

Several processes may do the same on one database: the head's lock puts their batches one behind the other.
"""

import logging
import queue
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Generic, Protocol, TypeVar

from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.log.append import NewEntry, append, find_entries
from mizheng.notary.log.guard import LogBehindError, LogGuard, Turn, writing_log
from mizheng.notary.log.head import Head, load_head
from mizheng.notary.log.proofs import tlog_proof
from mizheng.notary.log.tiles import LogCorruptError, TileReader
from mizheng.verifier.errors import ConsistencyError
from mizheng.verifier.note import NoteSigner
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

# Two full entry bundles: a batch touches at most three of them and still commits in some ten milliseconds.
MAX_BATCH = 512
# At the slowest commit seen (50 ms) this is less than a second of waiting; beyond it the caller is told to
# wait.
MAX_WAITING = 4096
RETRY_AFTER_SECONDS = 1
# A refusal ends when the operator has restored the database.
REFUSED_RETRY_SECONDS = 60
# A batch costs some 5 ms whatever its size, and while it runs it takes turns with whoever reads the next
# requests. So it waits until nothing has come for one pause: with 50 clients on two busy cores that took
# the slowest of a hundred answers from 0.5 s to 0.2 s, and a client that is alone waits 8 ms longer.
GATHER_SECONDS = 0.05
PAUSE_SECONDS = 0.008


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
        self, connection: Connection, batch: Sequence[S_contra], known: Collection[bytes]
    ) -> Mapping[int, Problem]:
        """Places in the batch that must not be answered with a place in the log, and why.

        `known`: envelope digests of the batch that are in the log already.
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
        self._queue: queue.Queue[tuple[S, Future[Sequenced]] | None] = queue.Queue(max_waiting)
        self._stopping = threading.Event()
        self.refusal: str | None = None
        """Why nothing is signed: `damaged`, or the state of a LogBehindError; None if all is well."""
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is waiting, then end the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        # Whoever slipped in behind the end mark is told; nothing of theirs was begun.
        while not self._queue.empty():
            late = self._queue.get_nowait()
            if late is not None:
                late[1].set_exception(Problem("log-unavailable", retry_after=RETRY_AFTER_SECONDS))

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive() and not self._stopping.is_set()

    @property
    def waiting(self) -> int:
        """How many submissions wait for a batch."""
        return self._queue.qsize()

    def submit(self, submission: S) -> Future[Sequenced]:
        """A future that is done when the submission's batch is; Problem `queue-full` at once when too
        many wait.
        """
        future: Future[Sequenced] = Future()
        if self._stopping.is_set():
            raise Problem("log-unavailable", retry_after=RETRY_AFTER_SECONDS)
        try:
            self._queue.put_nowait((submission, future))
        except queue.Full:
            raise Problem("queue-full", retry_after=RETRY_AFTER_SECONDS) from None
        return future

    def _run(self) -> None:
        while True:
            batch, is_last = self._take()
            # A caller that went away before its batch began has lost nothing: it was never promised anything.
            batch = [(item, future) for item, future in batch if future.set_running_or_notify_cancel()]
            if batch:
                started = perf_counter()
                outcomes = self._sequence([item for item, _ in batch])
                self._observe_batch(len(batch), perf_counter() - started)
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    if isinstance(outcome, Problem):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
            if is_last:
                return

    def _take(self) -> tuple[list[tuple[S, Future[Sequenced]]], bool]:
        """Wait for one submission, then take all that are there; True when the thread is to end
        afterwards.
        """
        batch: list[tuple[S, Future[Sequenced]]] = []
        item = self._queue.get()
        end_at = monotonic() + GATHER_SECONDS
        while item is not None:
            batch.append(item)
            if len(batch) == MAX_BATCH:
                return batch, False
            try:
                # Who sends while others do, arrives within this pause; alone, one waits for it and no more.
                item = self._queue.get(timeout=max(0.0, min(PAUSE_SECONDS, end_at - monotonic())))
            except queue.Empty:
                return batch, False
        return batch, True

    def _sequence(self, batch: Sequence[S]) -> list[Outcome]:
        try:
            with writing_log(self._engine, self._guard) as turn:
                # Dying in here: nothing is committed and nobody has been told anything.
                outcomes = self._append(turn, batch)
        except (LogCorruptError, ConsistencyError) as error:
            # Rolled back. The log stays as it is until somebody has looked at it.
            return self._refuse(batch, "damaged", "log-damaged", error)
        except LogBehindError as error:
            return self._refuse(batch, error.state, "log-behind", error)
        except OSError as error:
            # The state file: committed, but an answer must not leave before it is written.
            logger.error("the state file cannot be written: %s", error.strerror)
            return self._reload(batch)
        except SQLAlchemyError as error:
            # Any error, also one of the commit itself, leaves open whether the batch is in. Only the database
            # knows, so it is asked in a new transaction; what was computed above is thrown away.
            logger.error("a batch of %d entries failed: %s", len(batch), type(error).__name__)
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
        return outcomes

    def _refuse(self, batch: Sequence[S], state: str, code: str, error: Exception) -> list[Outcome]:
        """Nothing is signed until the database is another one; asked again with every batch."""
        if self.refusal != state:
            logger.critical("nothing is signed (%s): %s", state, error)
        self.refusal = state
        return [Problem(code, retry_after=REFUSED_RETRY_SECONDS) for _ in batch]

    def _append(self, turn: Turn, batch: Sequence[S]) -> list[Outcome]:
        connection, head = turn.connection, turn.head
        known = find_entries(connection, [item.entry.envelope_sha256 for item in batch])
        refused = self._rules.refusals(connection, batch, known)
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
        return [
            refused[number]
            if number in refused
            else _outcome(places[item.entry.envelope_sha256], head.tree_size, appended.head, appended.reader)
            for number, item in enumerate(batch)
        ]

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
                reader = TileReader(connection)
                # Whether this batch or an earlier one put them there cannot be told any more: not new.
                return [
                    _outcome(places[item.entry.envelope_sha256], head.tree_size, head, reader)
                    if item.entry.envelope_sha256 in places
                    else unavailable
                    for item in batch
                ]
        except Exception as error:
            logger.error("the log cannot be read after a failed batch: %s", type(error).__name__)
            return [unavailable for _ in batch]


def _outcome(index: int, old_size: int, head: Head, reader: TileReader) -> Sequenced:
    return Sequenced(index, tlog_proof(reader, index, head), index >= old_size)
