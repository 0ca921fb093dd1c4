"""Why anchoring waits, on one line for every process that answers depositors."""

from __future__ import annotations

from mizheng.notary.chain.tables import anchoring_status
from mizheng.notary.database import reading, writing
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError


class StatusBoard:
    """The row of one chain in `anchoring_status`; written only when it changes."""

    def __init__(self, engine: Engine, chain: str) -> None:
        self._engine = engine
        self._chain = chain
        self._shown: str | None = None
        self._is_known = False

    @property
    def waiting_for(self) -> str | None:
        return self._shown

    def read(self) -> str | None:
        """What the process that anchors has shown last."""
        query = select(anchoring_status.c.waiting_for).where(anchoring_status.c.chain == self._chain)
        with reading(self._engine) as connection:
            code: str | None = connection.execute(query).scalar_one_or_none()
        return code

    def show(self, code: str | None, now: int) -> None:
        """Say what holds anchoring up; None if nothing does."""
        if self._is_known and code == self._shown:
            return
        values = {"waiting_for": code, "changed_at": now}
        change = update(anchoring_status).where(anchoring_status.c.chain == self._chain).values(values)
        try:
            with writing(self._engine) as connection:
                if not connection.execute(change).rowcount:
                    connection.execute(insert(anchoring_status).values(chain=self._chain, **values))
        except IntegrityError:
            # Another process made the row at the same moment. Shown again with the next step.
            return
        self._shown, self._is_known = code, True
