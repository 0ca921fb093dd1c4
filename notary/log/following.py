"""Notes what other processes on the database have signed, as this one notes what it signs itself.

Each process has a state file of its own. One that gets no deposits would know of heads of long ago only, and
after an old backup was restored it would go on where the others refuse to.
"""

from __future__ import annotations

from mizheng.notary.database import reading
from mizheng.notary.log.guard import LogBehindError, LogGuard
from mizheng.notary.log.head import load_head
from mizheng.notary.log.tiles import LogCorruptError
from sqlalchemy import Engine

# A backup that is older than this is noticed by every process.
PAUSE_SECONDS = 1.0


class HeadFollower:
    """`step` from one thread."""

    def __init__(self, engine: Engine, guard: LogGuard) -> None:
        self._engine = engine
        self._guard = guard

    def step(self) -> bool:
        """Note the database's head, provided that it has all that was noted before."""
        try:
            with reading(self._engine) as connection:
                head = load_head(connection)
                self._guard.check(connection, head)
        except (LogBehindError, LogCorruptError):
            # Said at every deposit and by /readyz; what is known stays known.
            return False
        self._guard.advance(head)
        return False
