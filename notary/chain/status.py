"""Why anchoring waits, on one line for every process that answers depositors."""

from __future__ import annotations

from typing import Any

from mizheng.notary.chain.tables import anchoring_status
from mizheng.notary.database import reading, writing
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import IntegrityError


def load_warnings(connection: Connection) -> dict[str, list[str]]:
    """By the chain's name: codes of what will hold anchoring up if nobody does anything."""
    rows = connection.execute(select(anchoring_status.c.chain, anchoring_status.c.warnings))
    return {row.chain: (row.warnings or "").split() for row in rows}


class StatusBoard:
    """The row of one chain in `anchoring_status`; written only when it changes."""

    def __init__(self, engine: Engine, chain: str) -> None:
        self._engine = engine
        self._chain = chain
        self._shown: dict[str, Any] = {}

    @property
    def waiting_for(self) -> str | None:
        code: str | None = self._shown.get("waiting_for")
        return code

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple((self._shown.get("warnings") or "").split())

    @property
    def balance(self) -> int | None:
        """Wei; None while nobody has looked, or where gas is free."""
        found = self._shown.get("balance")
        return None if found is None else int(found)

    def read(self) -> str | None:
        """What the process that anchors has shown last; its warnings and balance from then on as well."""
        query = select(anchoring_status).where(anchoring_status.c.chain == self._chain)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        self._shown = {} if row is None else dict(row._mapping)
        return self.waiting_for

    def show(self, code: str | None, now: int) -> None:
        """Say what holds anchoring up; None if nothing does."""
        self._write(now, waiting_for=code)

    def show_account(self, balance: int, warnings: tuple[str, ...], now: int) -> None:
        """Say what the account has, and what will hold anchoring up if nobody does anything."""
        self._write(now, balance=str(balance), warnings=" ".join(warnings))

    def _write(self, now: int, **values: Any) -> None:
        if all(name in self._shown and self._shown[name] == value for name, value in values.items()):
            return
        shown = {**values, "changed_at": now}
        change = update(anchoring_status).where(anchoring_status.c.chain == self._chain).values(shown)
        try:
            with writing(self._engine) as connection:
                if not connection.execute(change).rowcount:
                    connection.execute(insert(anchoring_status).values(chain=self._chain, **shown))
        except IntegrityError:
            # Another process made the row at the same moment. Shown again with the next step.
            return
        self._shown |= values
