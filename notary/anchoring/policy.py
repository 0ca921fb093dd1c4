"""When the log's head is anchored: by time, by size, and at once where a company asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from mizheng.notary.chain.outbox import Item
from mizheng.notary.chain.tables import urgent_requests
from mizheng.notary.database import reading
from sqlalchemy import Engine, func, select

# Put together once, as in the outbox.
_URGENT_SIZE = select(func.max(urgent_requests.c.tree_size))


@dataclass(frozen=True, slots=True)
class AnchorPolicy:
    """What has to be true of entries that wait, before they are anchored."""

    interval: float
    """Seconds since the last anchoring."""
    entries: int | None = None
    """So many entries waiting are anchored before their time; None: only time counts."""

    def is_due(self, newest: Item | None, size: int, urgent_size: int, now: float) -> bool:
        """Whether a head of `size` entries is to be anchored. `newest`: the last anchoring; `urgent_size`:
        what somebody wants anchored at once.
        """
        if newest is None or newest.tree_size < urgent_size:
            return True
        if self.entries is not None and size - newest.tree_size >= self.entries:
            return True
        # What lies in the future is over: a clock that was set back must not hold anchoring up.
        return not 0 <= now - newest.prepared_at < self.interval


def load_urgent_size(engine: Engine) -> int:
    """The size of the tree that somebody wants anchored at once; 0 if nobody ever did."""
    with reading(engine) as connection:
        return connection.execute(_URGENT_SIZE).scalar() or 0
