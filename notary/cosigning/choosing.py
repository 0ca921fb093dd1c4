"""Which head witnesses are asked about, and when it is published.

    head → next, written down → shown to every witness → cosignatures, checked and stored → published

No deposit waits for a witness. A head waits `wait` seconds for its quorum and is then published without it,
and anchored without it; every place that shows it says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mizheng.notary.cosigning.witnesses import WitnessSetup
from mizheng.notary.database import reading, writing
from mizheng.notary.log.head import load_head
from mizheng.notary.models import witnesses
from mizheng.notary.publishing.head import (
    MET,
    NONE,
    NOT_MET,
    PublishedHead,
    choose_next,
    find_published,
    forget_cosignatures,
    load_lines,
    note_quorum,
    publish_next,
)
from sqlalchemy import Connection, Engine, select

# One head in this time is shown to witnesses, however many deposits come in.
PACE_SECONDS = 1.0
_FORGET_EVERY = 600.0


class Chooser:
    """Chooses which head witnesses are asked about, and when it is published. `step` from one thread."""

    def __init__(
        self, engine: Engine, setup: WitnessSetup, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._setup = setup
        self._clock = clock
        self._forget_at = 0.0

    def step(self) -> bool:
        """Do what is to be done; never more at once."""
        now = self._clock()
        with reading(self._engine) as connection:
            found = find_published(connection)
            change = None if found is None else self._decide(connection, found, now)
        if change is not None:
            # Decided anew under the lock: another process may have done it meanwhile.
            with writing(self._engine) as connection:
                found = find_published(connection, lock=True)
                change = None if found is None else self._decide(connection, found, now)
                if change is not None:
                    change(connection)
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY
            with writing(self._engine) as connection:
                forget_cosignatures(connection, int(now))
        return False

    def _decide(
        self, connection: Connection, found: PublishedHead, now: float
    ) -> Callable[[Connection], None] | None:
        if found.next is not None:
            quorum = self._quorum(connection, found.next.tree_size)
            if quorum == NOT_MET and not self._is_waited_for_long_enough(connection, found, now):
                return None
            return lambda connection: publish_next(connection, found, quorum, int(now))
        quorum = self._quorum(connection, found.head.tree_size)
        if quorum != found.quorum:
            # A cosignature came late, or the policy was changed.
            return lambda connection: note_quorum(connection, found, quorum)
        head = load_head(connection)
        # A clock that was set back holds nothing up.
        if head.tree_size > found.head.tree_size and not 0 <= now - found.published_at < PACE_SECONDS:
            return lambda connection: choose_next(connection, head, int(now))
        return None

    def _quorum(self, connection: Connection, size: int) -> str:
        policy = self._setup.policy
        if not policy.asks_for_witnesses:
            return NONE
        lines = load_lines(connection, size)
        # Of the empty log there is nothing to cosign.
        is_met = size > 0 and policy.is_met([p.name for p in self._setup.peers if p.key.vkey in lines])
        return MET if is_met else NOT_MET

    def _is_waited_for_long_enough(self, connection: Connection, found: PublishedHead, now: float) -> bool:
        if not 0 <= now - found.next_since < self._setup.wait:
            return True
        # The wait is paid once: while the quorum has been missed and cannot come, nothing is held up.
        return found.quorum == NOT_MET and found.head.tree_size > 0 and not self._can_be_met(connection)

    def _can_be_met(self, connection: Connection) -> bool:
        states = {row.vkey: row.state for row in connection.execute(select(witnesses))}
        able = [peer.name for peer in self._setup.peers if states.get(peer.key.vkey, "ok") == "ok"]
        return self._setup.policy.is_met(able)
