"""One witness asked about one head after the other, and what it answers written down.

Cosignatures that come late are still collected for heads that are anchored: a witness that was away is first
shown those, smallest first, for it never goes back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import httpx
from mizheng.notary.cosigning.witnesses import (
    TIMEOUT_SECONDS,
    SizeConflict,
    WitnessError,
    WitnessPeer,
    ask_witness,
)
from mizheng.notary.database import reading, writing
from mizheng.notary.log.head import Head, load_head
from mizheng.notary.log.keys import load_spans
from mizheng.notary.log.proofs import consistency_proof
from mizheng.notary.models import checkpoints, cosignatures, witnesses
from mizheng.notary.outgoing import make_client
from mizheng.notary.publishing.head import (
    find_published,
)
from mizheng.verifier.witnessing import AddCheckpoint
from sqlalchemy import Connection, Engine, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

logger = logging.getLogger(__name__)

# A witness that does not cosign is left alone: at first for so long, then twice as long each time.
_FIRST_REST = 1.0
_LONGEST_REST = 60.0
# Of heads that were anchored while a witness was away, it is shown this many, the newest.
_MAX_BACKLOG = 1000


class WitnessAsker:
    """Asks one witness about one head after the other. `step` from one thread."""

    def __init__(
        self,
        engine: Engine,
        peer: WitnessPeer,
        *,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._peer = peer
        self._client = client or make_client(TIMEOUT_SECONDS)
        self._clock = clock
        self._rest = 0.0
        self._rests_until = 0.0
        self._first_size = 1

    @property
    def name(self) -> str:
        return self._peer.name

    def step(self) -> bool:
        """Ask about one head; whether there may be more to do at once."""
        # A clock that was set back does not lengthen a rest.
        if 0 < self._rests_until - self._clock() <= _LONGEST_REST * 10:
            return False
        with reading(self._engine) as connection:
            known = self._known(connection)
            target = self._target(connection, known)
            request = None if target is None else _request(connection, target, known)
        if target is None or request is None:
            return False
        try:
            found = self._ask(target, request)
        except WitnessError as error:
            self._rest = min(max(self._rest * 2, _FIRST_REST), _LONGEST_REST)
            self._rests_until = self._clock() + max(self._rest, error.retry_after)
            if error.code == "signature-refused":
                self._pass_over_earlier_keys(target)
            self._note(error.code, known)
            return False
        if found is None:
            # It went past this head, which nobody can have cosigned any more.
            self._rests_until = self._clock() + _FIRST_REST
            return False
        self._rest = 0.0
        self._note("ok", target.tree_size, (target, *found))
        return True

    def close(self) -> None:
        self._client.close()

    def _pass_over_earlier_keys(self, target: Head) -> None:
        """A witness that knows only a new key of the log would refuse heads of the old one for ever."""
        with reading(self._engine) as connection:
            first_size = max((first for first, _ in load_spans(connection)), default=0)
        self._first_size = first_size if target.tree_size < first_size else self._first_size

    def _ask(self, target: Head, request: AddCheckpoint) -> tuple[bytes, int] | None:
        """Line and time; None if the witness has cosigned a larger head of this log already."""
        try:
            return ask_witness(self._client, self._peer, request)
        except SizeConflict as conflict:
            size = conflict.size
        if size < request.old_size:
            # Its word is not worth what it was: it may have cosigned two histories without knowing it.
            logger.warning("witness %s forgot: it cosigned %d and says %d", self.name, request.old_size, size)
        # Once more, from the size that the witness names.
        with reading(self._engine) as connection:
            if size > load_head(connection).tree_size:
                raise WitnessError("ahead", "the witness cosigned a larger head than this log has")
            again = _request(connection, target, size) if size <= target.tree_size else None
        if again is None:
            self._note("ok", size)
            return None
        try:
            return ask_witness(self._client, self._peer, again)
        except SizeConflict:
            # Another process of this notary was faster.
            return None

    def _known(self, connection: Connection) -> int:
        query = select(witnesses.c.tree_size).where(witnesses.c.vkey == self._peer.key.vkey)
        return connection.execute(query).scalar_one_or_none() or 0

    def _target(self, connection: Connection, known: int) -> Head | None:
        """The smallest head from `known` on that is wanted and not cosigned by this witness."""
        found = find_published(connection)
        if found is None:
            return None
        wanted = [head for head in (found.head, found.next) if head is not None]
        wanted += self._backlog(connection, max(known, self._first_size), found.head)
        cosigned = select(cosignatures.c.tree_size).where(
            cosignatures.c.vkey == self._peer.key.vkey,
            cosignatures.c.tree_size.in_([head.tree_size for head in wanted]),
        )
        done = set(connection.execute(cosigned).scalars())
        # A published head is only made good for while no newer one is on its way.
        open_heads = [
            head
            for head in wanted
            if head.tree_size >= max(known, self._first_size)
            and head.tree_size not in done
            and not (found.next is not None and head is found.head)
        ]
        return min(open_heads, key=lambda head: head.tree_size, default=None)

    def _backlog(self, connection: Connection, known: int, published: Head) -> list[Head]:
        """The smallest of the anchored heads that this witness has not cosigned and still can."""
        mine = and_(
            cosignatures.c.tree_size == checkpoints.c.tree_size, cosignatures.c.vkey == self._peer.key.vkey
        )
        newest = (
            select(checkpoints, cosignatures.c.vkey)
            .outerjoin(cosignatures, mine)
            .where(checkpoints.c.tree_size >= known, checkpoints.c.tree_size <= published.tree_size)
            .order_by(checkpoints.c.tree_size.desc())
            .limit(_MAX_BACKLOG)
            .subquery()
        )
        row = connection.execute(
            select(newest).where(newest.c.vkey.is_(None)).order_by(newest.c.tree_size).limit(1)
        ).one_or_none()
        return [] if row is None else [Head(published.origin, row.tree_size, row.root_hash, row.note)]

    def _note(self, state: str, size: int, cosigned: tuple[Head, bytes, int] | None = None) -> None:
        """Write down how the witness answered, and what it cosigned; nothing if nothing is new."""
        vkey = self._peer.key.vkey
        present = select(witnesses.c.state, witnesses.c.tree_size).where(witnesses.c.vkey == vkey)
        with reading(self._engine) as connection:
            row = connection.execute(present).one_or_none()
        before = None if row is None else str(row.state)
        if cosigned is None and row is not None and (row.state, row.tree_size) == (state, size):
            return
        now = int(self._clock())
        values = {"tree_size": size, "state": state, "changed_at": now}
        try:
            # Dying before this commits: the witness says 409 with this very size and cosigns it again.
            with writing(self._engine) as connection:
                if cosigned is not None:
                    connection.execute(insert(cosignatures).values(self._line(*cosigned, now)))
                if row is None:
                    connection.execute(insert(witnesses).values(vkey=vkey, **values))
                else:
                    connection.execute(update(witnesses).where(witnesses.c.vkey == vkey).values(values))
        except IntegrityError:
            # Another process of this notary was faster; what it wrote is as good.
            return
        if state != (before or "ok"):
            logger.warning("witness %s: %s", self._peer.name, state)

    def _line(self, target: Head, line: bytes, cosigned_at: int, now: int) -> dict[str, object]:
        names = ("tree_size", "vkey", "line", "cosigned_at", "received_at")
        values = (target.tree_size, self._peer.key.vkey, line, cosigned_at, now)
        return dict(zip(names, values, strict=True))


def _request(connection: Connection, target: Head, old_size: int) -> AddCheckpoint:
    proof = consistency_proof(connection, old_size, target.tree_size)
    return AddCheckpoint(old_size, tuple(proof), target.checkpoint)
