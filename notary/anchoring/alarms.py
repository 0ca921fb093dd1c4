"""Final blocks that a chain took back: what is known of each, and that somebody has looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.chain.tables import final_reversals
from mizheng.notary.database import reading, writing
from sqlalchemy import Engine, Row, select, update


def load_alarms(engine: Engine) -> Sequence[Row[Any]]:
    """Every one there ever was, the oldest first."""
    with reading(engine) as connection:
        return connection.execute(select(final_reversals).order_by(final_reversals.c.id)).all()


def acknowledge(engine: Engine, now: int) -> int:
    """Somebody has looked: from the next step on anchors become final again. How many there were."""
    with writing(engine) as connection:
        count = connection.execute(
            update(final_reversals)
            .where(final_reversals.c.acknowledged_at.is_(None))
            .values(acknowledged_at=now)
        ).rowcount
        record(connection, "chain.acknowledge-alarms", "notary", detail={"count": count})
        return count
