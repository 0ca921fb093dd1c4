"""What was refused: logins, API keys, requests of somebody who may not. Written down as acts are, but no more
of it than is of use.

An act's row is written in the transaction of the act. A refusal has none, so it is written in one of its own.
Whoever tries thousands of times fills no disk and holds up no deposit with that: of each actor so many are
written in a minute, by each process for itself, and his next row says how many were not. Who fails without a
name takes no row from who has one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mizheng.notary.auditing.recording import record
from mizheng.notary.auditing.rows import Detail
from mizheng.notary.database import writing
from mizheng.notary.visitors import Buckets
from sqlalchemy import Engine

# So many tell what is going on.
PER_MINUTE = 30
# Who was not let in.
NOBODY = "nobody"

LOGIN = "login.fail"
API_KEY = "api-key.refuse"
REQUEST = "request.refuse"


class Refusals:
    """Those of one process."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._buckets = Buckets(clock=clock)
        self._lock = threading.Lock()
        # Of actors, of whom there are as many as accounts, API keys' companies, and one more.
        self._unwritten: dict[str, int] = {}

    def note(self, action: str, subject: str, *, actor: str = NOBODY, reason: str) -> None:
        """Write a refusal down, in a transaction of its own: never call it within one."""
        with self._lock:
            if self._buckets.take(actor, PER_MINUTE):
                self._unwritten[actor] = self._unwritten.get(actor, 0) + 1
                return
            unwritten = self._unwritten.pop(actor, 0)
        detail: Detail = {"reason": reason, **({"unwritten": unwritten} if unwritten else {})}
        with writing(self._engine) as connection:
            record(connection, action, subject, actor=actor, detail=detail)
