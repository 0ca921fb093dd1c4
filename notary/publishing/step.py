"""Publication of the log as plain files, so that its readers never touch the notary.

A step brings one target (a directory, a bucket) from the head that stands there to the head of now:

1. take the target for this process, read the checkpoint that stands there;
2. compare: it must be an earlier head of this very log, or the same;
3. write tiles and entry bundles that are new, each for good, and make them durable;
4. take away partial tiles whose full tile now stands;
5. put the new checkpoint in the place of the old one.

What is true if the process dies: up to 5 the old checkpoint stands and all its files with it (a partial one
perhaps as the full one, as C2SP tlog-tiles allows), and the next step does the same again: files that are
there already are compared, not written. After 5 the new head is out, with everything under it durable.
"""

import itertools
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from typing import Protocol

from mizheng.notary.database import reading
from mizheng.notary.log.guard import LogGuard
from mizheng.notary.log.head import Head
from mizheng.notary.log.keys import load_log_keys
from mizheng.notary.log.publish import Place
from mizheng.notary.log.tiles import LogCorruptError
from mizheng.notary.models import checkpoints
from mizheng.notary.publishing.files import check_root, list_changed, list_completed, read_checked
from mizheng.notary.publishing.head import load_published
from mizheng.verifier.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.logkeys import LOG_KEYS_PATH, MAX_LOG_KEYS_BYTES, parse_log_keys
from mizheng.verifier.note import NoteVerifier, parse_note
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

# Some 2 MiB of files a snapshot: a long first publication must not hold one snapshot open for minutes.
_CHUNK = 128
# Files wait for a disk's or a store's answer, not for the processor.
_WRITERS = 8
# Two processes on one bucket meet now and then; the one that was too late finds little left to do.
_TURNS = 3


class PublicationError(MizhengError):
    """The log cannot be published to this target; `code` says why, for those who watch."""

    def __init__(self, code: str, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message, hint, **values)
        self.code = code


class Target(Protocol):
    """Where the files go. Errors of any method: PublicationError or OSError."""

    kind: str
    """directory or s3."""
    name: str
    """For people: which directory, which bucket."""

    def taken(self) -> AbstractContextManager[object]:
        """Nobody else publishes here meanwhile, or his checkpoint is refused."""

    def read_checkpoint(self) -> bytes | None:
        """The checkpoint that stands there."""

    def write_file(self, path: str, data: bytes) -> None:
        """Write a file for good; PublicationError `target-differs` if it is there with other bytes."""

    def replace_file(self, path: str, data: bytes) -> None:
        """Write a file that may change, at once."""

    def read_file(self, path: str, limit: int) -> bytes | None:
        """A file of at most `limit` bytes; None if there is none, or a longer one."""

    def settle(self) -> None:
        """Make durable what was written."""

    def drop_partials(self, path: str) -> None:
        """Take away the partial forms of the full tile or bundle `path`."""

    def write_checkpoint(self, note: bytes) -> None:
        """Replace the checkpoint that `read_checkpoint` found, at once."""


class FilePublisher:
    """Keeps one target up with the log. `step` is called again and again, by one thread."""

    def __init__(
        self,
        engine: Engine,
        target: Target,
        guard: LogGuard | None = None,
        *,
        asks_who_signed: bool = False,
    ) -> None:
        """`guard` is told which head stands at the target. `asks_who_signed`: what stands there is taken for
        the log's only if one of its keys signed it.
        """
        self._engine = engine
        self._target = target
        self._guard = guard
        self._asks_who_signed = asks_who_signed
        self._stopping = threading.Event()
        self._standing: bytes | None = None
        self._shown_keys: bytes | None = None
        self.state = "waiting"
        """ok, waiting (nothing done yet), or the code of what went wrong in the last step."""
        self.published_size = 0
        self.published_at = 0.0

    @property
    def kind(self) -> str:
        return self._target.kind

    def stop(self) -> None:
        """End a long step between two chunks of files."""
        self._stopping.set()

    def step(self) -> bool:
        """Bring the target up to date; what goes wrong is said once and tried again with the next step."""
        try:
            self._publish_in_turn()
            self._show("ok")
        except PublicationError as error:
            self._show(error.code, str(error))
        except LogCorruptError as error:
            self._show("log-damaged", str(error))
        except OSError as error:
            self._show("target-unwritable", error.strerror or type(error).__name__)
        except SQLAlchemyError as error:
            self._show("database-unreachable", type(error).__name__)
        return False

    def check(self) -> None:
        """PublicationError `target-ahead` or `target-fork` if this log signed what stands at the target and
        does not extend it; silent if that cannot be told just now.
        """
        try:
            # Without taking the target: whoever has it may be at its first publication for minutes.
            note = self._target.read_checkpoint()
            if note is not None:
                with reading(self._engine) as connection:
                    head = load_published(connection)
                self._check_extension(self._parse(note), head)
        except PublicationError as error:
            if error.code in ("target-ahead", "target-fork"):
                raise
        except OSError:
            # The first step finds it again and says so.
            return

    def publish(self) -> Head:
        """One step; raises what goes wrong. The head that stands at the target afterwards."""
        with reading(self._engine) as connection:
            head = load_published(connection)
        if head.checkpoint == self._standing:
            return head
        with self._target.taken():
            # Read again: whoever had the target before may have published more than was there a moment ago.
            with reading(self._engine) as connection:
                head = load_published(connection)
                keys = load_log_keys(connection)
            note = self._target.read_checkpoint()
            old = self._parse(note) if note else Checkpoint(head.origin, 0, b"")
            self._check_extension(old, head)
            if note != head.checkpoint:
                self._write(old.size, head)
                history = keys.dump() if keys is not None and keys.changes else None
                if history is not None and history != self._shown_keys:
                    # Before the first head that needs it: who meets that one finds who signed it.
                    self._target.replace_file(LOG_KEYS_PATH, history)
                    self._target.settle()
                self._target.write_checkpoint(head.checkpoint)
                self._shown_keys = history
        self._standing = head.checkpoint
        self.published_size, self.published_at = head.tree_size, time.time()
        return head

    def _publish_in_turn(self) -> None:
        for _ in range(_TURNS):
            try:
                self.publish()
                return
            except PublicationError as error:
                if error.code != "target-busy":
                    raise
        self.publish()

    def _check_extension(self, old: Checkpoint, head: Head) -> None:
        if old.origin != head.origin:
            raise PublicationError(
                "target-other-log",
                "{target} holds another log, {origin}",
                hint="publish each log to a place of its own",
                target=self._target.name,
                origin=old.origin,
            )
        # Whoever signs must know what the world can read here, also while this notary is running.
        if self._guard is not None and old.size:
            self._guard.add_floor("published", old.size, old.root)
        if old.size > head.tree_size:
            raise PublicationError(
                "target-ahead",
                "{target} has {published} entries, the log only {present}",
                hint="the database may have been restored from an old backup: do not serve from it",
                target=self._target.name,
                published=old.size,
                present=head.tree_size,
            )
        with reading(self._engine) as connection:
            check_root(connection, head.tree_size, head.root_hash)
            try:
                if old.size:
                    check_root(connection, old.size, old.root)
            except LogCorruptError:
                raise PublicationError(
                    "target-fork",
                    "the log does not extend what {target} has published with {published} entries",
                    hint="two different logs were signed: keep both checkpoints and stop",
                    target=self._target.name,
                    published=old.size,
                ) from None

    def _write(self, old_size: int, head: Head) -> None:
        kept = self._kept_sizes(old_size, head.tree_size)
        places = list_changed(old_size, head.tree_size, kept)
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="publisher") as writers:
            for chunk in _chunks(places):
                if self._stopping.is_set():
                    raise PublicationError("waiting", "publication was stopped before its end")
                with reading(self._engine) as connection:
                    files = read_checked(connection, chunk, head)
                # All of them, or the first error.
                for _ in writers.map(lambda file: self._target.write_file(file[0].path, file[1]), files):
                    pass
        # A power cut must not take the full tile and leave its partial ones gone.
        self._target.settle()
        for place in list_completed(old_size, head.tree_size):
            self._target.drop_partials(place.path)

    def _kept_sizes(self, old_size: int, size: int) -> list[int]:
        query = select(checkpoints.c.tree_size).where(checkpoints.c.tree_size.between(old_size + 1, size))
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def _parse(self, note: bytes) -> Checkpoint:
        try:
            if not self._asks_who_signed:
                return parse_checkpoint(parse_note(note).text)
            checkpoint, _signed = open_checkpoint(note, self._verifiers())
        except MizhengError:
            # Also: whoever can write there must not be able to stop the log with a made-up head.
            raise PublicationError(
                "target-differs",
                "the checkpoint at {target} cannot be read, or was not signed by this log",
                hint="something else writes there; take it away if you know what it is",
                target=self._target.name,
            ) from None
        return checkpoint

    def _verifiers(self) -> list[NoteVerifier]:
        """Every key of this log: those that the database knows, and those to which they hand over in what is
        published. A database from before a change of key would else not see what was signed after it.
        """
        with reading(self._engine) as connection:
            known = load_log_keys(connection)
        if known is None:
            return []
        found = [log.verifier for log in known.ranges]
        shown = self._target.read_file(LOG_KEYS_PATH, MAX_LOG_KEYS_BYTES)
        if shown is None:
            return found
        try:
            later = parse_log_keys(shown).changes_after(known.present.vkey) or ()
        except MizhengError:
            return found
        # Only as far as each key signed for the next: an issuer's word could be anybody's here.
        signed = itertools.takewhile(lambda item: item.change.issuer is None, later)
        return [*found, *(item.change.new for item in signed)]

    def _show(self, state: str, detail: str = "") -> None:
        # Once for each change, not with every step.
        if state != self.state and state not in ("ok", "waiting"):
            logger.error("publication to %s: %s: %s", self._target.name, state, detail)
        elif state != self.state:
            logger.info("publication to %s: %s", self._target.name, state)
        self.state = state


def _chunks(places: Iterator[Place]) -> Iterator[list[Place]]:
    while chunk := list(islice(places, _CHUNK)):
        yield chunk
