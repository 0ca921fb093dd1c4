"""What the world has seen of this log, and whether the database still has it.

A database that was restored from an old backup knows nothing of the heads that were signed after it. If it
went on, the same places would be given to other entries, and both histories would be signed. So heads that
left this notary are kept apart from the database, as floors below which it must not be:

    state-file  the highest head that was answered from this data directory, or seen by its process
    published   the checkpoint in the directory that is published, where there is one
    contract    the head that the chain's contract has

Nor must it be signed with a key in whose place there is another one: of several processes on a database one
may have slept while the others changed it. The locked head's own signature says whose turn it is.

Each writer of the log: lock the head row → check the floors → write, read back, prove, sign → commit → state
file, synced → answer. What is true if the process dies:

1. before the commit: neither knows of the new head, and it never left;
2. between commit and state file: the database is ahead of the file, which is a lower bound and stays one.
   Nobody was answered. (Who read /checkpoint in this instant saw a head that the file does not know; only a
   backup of the instant before could hide it.)
3. after the state file: an older database is refused from here on.

The other order, state file before commit, would stop the log for good after every commit that fails.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mizheng.notary.database import writing
from mizheng.notary.log.append import check_head
from mizheng.notary.log.head import Head, lock_head
from mizheng.notary.log.statefile import SeenHead, StateFile
from mizheng.notary.log.tiles import LogCorruptError, TileReader
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.merkle import EMPTY_ROOT
from mizheng.verifier.note import NoteVerifier, signature_line
from mizheng.verifier.words import N_
from sqlalchemy import Connection, Engine

Source = Literal["state-file", "published", "contract"]

_WHERE: Mapping[Source, str] = MappingProxyType(
    {
        "state-file": N_("the state file in the data directory"),
        "published": N_("the published checkpoint"),
        "contract": N_("the contract on the chain"),
    }
)
_HINT = N_(
    "an old backup was restored, or this is another database; restore a newer one, and the log goes on. "
    "If there is none, keep this one to hand out evidence, and begin a new log in a new data directory"
)


class LogBehindError(MizhengError):
    """The database lacks what was signed before: nothing may be signed.

    `state` is a stable code of /readyz: `behind-` or `forked-from-` and the source of the floor.
    """

    problem = "log-behind"

    def __init__(self, state: str, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message, hint, **values)
        self.state = state


class KeyReplacedError(LogBehindError):
    """It is this process that lacks something: the log's present key."""

    problem = "log-key-replaced"

    def __init__(self) -> None:
        super().__init__(
            "key-replaced",
            N_("the log's key was replaced, and this process has the old one: it signs nothing"),
            N_("copy keys/ from the data directory in which the key was replaced, then start this one again"),
        )


@dataclass(frozen=True, slots=True)
class Floor:
    """A head that the world has seen."""

    size: int
    root: bytes
    source: Source


class LogGuard:
    """The floors of one log in this process; to be used from any thread."""

    def __init__(self, origin: str, state_file: StateFile, key: NoteVerifier | None = None) -> None:
        """`key` is what this process signs with; None: it does not sign. ConfigurationError when the state
        file is damaged or of another log.
        """
        self._state_file = state_file
        # Enough of a signature line by this key: Base64 shows 30 bits of the key's hash before the signature.
        self._line_start = None if key is None else signature_line(key.name, key.key_hash, bytes(2))[:-4]
        self._origin = origin
        self._lock = threading.Lock()
        self._floors: dict[Source, Floor] = {}
        self._damage: str | None = None
        seen = state_file.read(origin)
        if seen is not None:
            self._floors["state-file"] = Floor(seen.size, seen.root, "state-file")

    def add_floor(self, source: Source, size: int, root: bytes) -> None:
        """Outside, this head is known: from the next check on the database must have it."""
        with self._lock:
            present = self._floors.get(source)
            # Of several places that are published, the one that is furthest.
            if present is None or size >= present.size:
                self._floors[source] = Floor(size, root, source)

    def note_damage(self, what: str | None) -> None:
        """Stored bytes were found that are not what was written; None: it was looked at again and is well."""
        with self._lock:
            self._damage = what

    def check(self, connection: Connection, head: Head) -> None:
        """LogBehindError unless every floor is a beginning of the tree under `head` and this process has the
        key that signed it, LogCorruptError if damage is known, to this process or to another one. Call it
        with the head's lock before signing.
        """
        with self._lock:
            floors, damage = list(self._floors.values()), self._damage
        if damage is not None:
            raise LogCorruptError(damage)
        if head.damaged_bundle is not None:
            raise LogCorruptError(f"entry bundle {head.damaged_bundle} is not what was written")
        self.check_key(head)
        for floor in floors:
            if floor.size > head.tree_size:
                raise LogBehindError(
                    f"behind-{floor.source}",
                    "the database has {present} entries, but {where} knows of {signed}: nothing is signed",
                    hint=_HINT,
                    present=head.tree_size,
                    where=_WHERE[floor.source],
                    signed=floor.size,
                )
            if _root_at(connection, head, floor.size) != floor.root:
                # Told apart: tiles that do not even lead to their own head are damaged, not of another log.
                check_head(connection, head)
                raise LogBehindError(
                    f"forked-from-{floor.source}",
                    "the first {signed} entries of the database are not those that {where} knows of: "
                    "nothing is signed",
                    hint=_HINT,
                    where=_WHERE[floor.source],
                    signed=floor.size,
                )

    def check_key(self, head: Head) -> None:
        """KeyReplacedError unless this process has the key that signed the head.

        That its signature holds was checked when the log was opened.
        """
        if self._line_start is not None and self._line_start not in head.checkpoint:
            raise KeyReplacedError

    def advance(self, head: Head) -> None:
        """A committed head is about to leave: note it, synced. OSError when that fails; then nothing may
        leave.
        """
        with self._lock:
            floor = self._floors.get("state-file")
            if floor is not None and floor.size >= head.tree_size:
                return
            self._state_file.write(SeenHead(self._origin, head.tree_size, head.root_hash))
            # Checked to be beginnings of this head before it was signed: one floor stands for all.
            kept = {source: other for source, other in self._floors.items() if other.size > head.tree_size}
            self._floors = {**kept, "state-file": Floor(head.tree_size, head.root_hash, "state-file")}


@dataclass(slots=True)
class Turn:
    """A transaction that holds the head's lock."""

    connection: Connection
    head: Head
    """The head that will be answered with: the locked one, or what was appended to it."""


@contextmanager
def writing_log(engine: Engine, guard: LogGuard | None, *, pipelined: bool = False) -> Iterator[Turn]:
    """The steps above in their order around a block that appends: LogBehindError before it, the commit and
    the state file after it. `pipelined` as in `writing`.
    """
    with writing(engine, pipelined=pipelined) as connection:
        head = lock_head(connection)
        if guard is not None:
            guard.check(connection, head)
        turn = Turn(connection, head)
        yield turn
    # Dying here: committed, and nobody was told. The state file is behind, never ahead.
    if guard is not None:
        guard.advance(turn.head)


def _root_at(connection: Connection, head: Head, size: int) -> bytes:
    if size == head.tree_size:
        return head.root_hash
    if size == 0:
        return EMPTY_ROOT
    return TileReader(connection).subtree_root(0, size)
