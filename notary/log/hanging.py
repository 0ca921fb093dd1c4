"""Takes the head's lock from a process that hangs with it: one that was stopped, or whose machine is gone.

PostgreSQL ends by itself a session that is idle in a transaction, but only where it has answered all that it
was sent. In a pipeline, which every batch is, it waits for more instead and would wait for good, and with it
everybody who writes. So whoever is well looks for such a session: it has locked the head, has begun long ago,
and waits for its client. Who waits for the lock himself does not wait for his client.

Nothing is lost by it. What the process was about to commit is rolled back and was never answered; should it
wake up, it finds its connection gone, asks the database, and goes on from there.
"""

from __future__ import annotations

import logging

from mizheng.notary.database import reading
from mizheng.notary.models import log_head
from sqlalchemy import Engine, text

logger = logging.getLogger(__name__)

# A batch holds the lock for some ten milliseconds; as idle_in_transaction_session_timeout in `database`.
HANGING_SECONDS = 30.0
PAUSE_SECONDS = 5.0

_END = text(
    """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND wait_event = 'ClientRead'
    AND xact_start < clock_timestamp() - make_interval(secs => :seconds)
    AND pid IN (
        SELECT pid FROM pg_locks
        WHERE relation = CAST(:head AS regclass) AND mode IN ('RowShareLock', 'RowExclusiveLock') AND granted
    )
    """
)


class HangingWriters:
    """`step` from one thread. On SQLite there is nothing to do: its one writer is this process."""

    def __init__(self, engine: Engine, seconds: float = HANGING_SECONDS) -> None:
        self._engine = engine
        self._seconds = seconds

    def step(self) -> bool:
        """End the sessions that have hung with the lock for so long."""
        if self._engine.dialect.name != "postgresql":
            return False
        with reading(self._engine) as connection:
            ended = connection.execute(_END, {"seconds": self._seconds, "head": log_head.name}).scalar()
        if ended:
            logger.warning("a process hung with the log's lock: its session was ended")
        return False
