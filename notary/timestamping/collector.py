"""Tokens over anchored checkpoints, one authority each, in the background.

    newest anchored checkpoint that it has not stamped → ask → check → store

A token over a head dates every entry in it, so that what an authority missed while it was down is made good
by one token over the newest head. Dying on any line loses nothing: the next step starts from the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import httpx
from mizheng.notary.chain.tables import anchors
from mizheng.notary.database import reading, writing
from mizheng.notary.models import checkpoints
from mizheng.notary.outgoing import make_client
from mizheng.notary.timestamping.asking import TIMEOUT_SECONDS, AskingError, ask_token
from mizheng.notary.timestamping.setup import AuthoritySetup
from mizheng.notary.timestamping.tables import time_stamp_status, time_stamps
from mizheng.verifier.note import parse_note
from mizheng.verifier.timestamp.authority import Judgement
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

logger = logging.getLogger(__name__)

# After a failure: this long at first, twice as long each time, never longer than that.
_FIRST_REST, _LONGEST_REST = 5.0, 3600.0
OK = "ok"


class TokenCollector:
    """Keeps one authority's tokens up with the anchored log. `step` from one thread at a time."""

    def __init__(
        self,
        engine: Engine,
        setup: AuthoritySetup,
        *,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._setup = setup
        self._client = client or make_client(TIMEOUT_SECONDS)
        self._clock = clock
        self._failures = 0
        self._rest_until = 0.0

    def step(self) -> bool:
        """Ask once if there is something to stamp; whether there may be more to do at once."""
        now = self._clock()
        # Longer than the longest rest: the clock was set back meanwhile.
        if 0 < self._rest_until - now <= _LONGEST_REST:
            return False
        wanted = self._find(now)
        if wanted is None:
            return False
        size, text = wanted
        try:
            algorithm = self._setup.hash
            found = ask_token(self._client, self._setup, algorithm, algorithm.digest(text), self._clock)
        except AskingError as error:
            self._rest(error)
            return False
        self._store(size, text, found)
        self._failures = 0
        self._show(OK)
        return True

    def close(self) -> None:
        self._client.close()

    def _find(self, now: float) -> tuple[int, bytes] | None:
        """Size and text of the newest anchored checkpoint, if this authority has not stamped it."""
        name = self._setup.name
        with reading(self._engine) as connection:
            largest, last_at = connection.execute(
                select(func.max(time_stamps.c.tree_size), func.max(time_stamps.c.fetched_at)).where(
                    time_stamps.c.authority == name
                )
            ).one()
            if last_at is not None and 0 <= now - last_at < self._setup.interval:
                return None
            row = connection.execute(
                select(checkpoints.c.tree_size, checkpoints.c.note)
                .join(anchors, anchors.c.tree_size == checkpoints.c.tree_size)
                .where(anchors.c.state.in_(("mined", "final")), checkpoints.c.tree_size > (largest or 0))
                .order_by(checkpoints.c.tree_size.desc())
                .limit(1)
            ).one_or_none()
        return None if row is None else (row.tree_size, parse_note(row.note).text)

    def _store(self, size: int, text: bytes, found: Judgement) -> None:
        values = {
            "authority": self._setup.name,
            "tree_size": size,
            "text": text,
            "token": found.token.encoded,
            "stamped_at": found.token.latest,
            "holds_until": found.holds_until,
            "fetched_at": int(self._clock()),
        }
        try:
            # Dying before this commits: the token is lost, and another one is asked for.
            with writing(self._engine) as connection:
                connection.execute(insert(time_stamps).values(values))
        except IntegrityError:
            # Another process asked at the same moment: for once two leases were held.
            return

    def _rest(self, error: AskingError) -> None:
        self._rest_until = self._clock() + min(_FIRST_REST * 2**self._failures, _LONGEST_REST)
        self._failures = min(self._failures + 1, 20)
        self._show(error.code)

    def _show(self, state: str) -> None:
        """Written only when it changes."""
        name = self._setup.name
        board = time_stamp_status
        with reading(self._engine) as connection:
            query = select(board.c.state).where(board.c.authority == name)
            shown = connection.execute(query).scalar_one_or_none()
        if shown == state:
            return
        if state != OK:
            logger.warning("time-stamp authority %s: %s", name, state)
        values = {"state": state, "changed_at": int(self._clock())}
        try:
            with writing(self._engine) as connection:
                change = update(board).where(board.c.authority == name).values(values)
                if not connection.execute(change).rowcount:
                    connection.execute(insert(board).values(authority=name, **values))
        except IntegrityError:
            # Another process made the row at the same moment. Shown again with the next change.
            return
