"""Which items of the outbox come first and last: all that the anchorer has to know of them, read at once.

It asks several times a second, and each question takes time from whoever waits for an answer meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from mizheng.notary.chain.tables import anchors
from sqlalchemy import ColumnElement, Connection, Select, literal_column, select, union_all
from sqlalchemy.sql.expression import CompoundSelect

IN_FLIGHT = ("prepared", "sent")
LIVE = ("prepared", "sent", "mined", "final")

T = TypeVar("T")


class Standing(NamedTuple, Generic[T]):
    """The items that come first and last, all of one moment; or their ids."""

    in_flight: T | None = None
    """The smallest head that is in no block: heads go in one after the other."""
    oldest_mined: T | None = None
    newest_mined: T | None = None
    newest: T | None = None
    """The largest head of all live ones."""


def select_ends(here: Sequence[ColumnElement[bool]]) -> CompoundSelect[Any]:
    """The items at both ends of each state. `here`: what is true of this log's items on this chain.

    State by state, from the index alone: to find them among all rows the database would read and sort every
    one, with its evidence.
    """
    smallest = [_end(here, state, is_last=False) for state in (*IN_FLIGHT, "mined")]
    return union_all(*smallest, *(_end(here, state, is_last=True) for state in LIVE))


def read_ends(connection: Connection, ends: CompoundSelect[Any]) -> Standing[int]:
    """The ids of the items that `Standing` tells of."""
    found = {(row.state, bool(row.is_last)): (row.tree_size, row.id) for row in connection.execute(ends)}
    in_flight = [found[state, False] for state in IN_FLIGHT if (state, False) in found]
    live = [found[state, True] for state in LIVE if (state, True) in found]
    first, last = (found.get(("mined", is_last), (0, None))[1] for is_last in (False, True))
    return Standing(min(in_flight)[1] if in_flight else None, first, last, max(live)[1] if live else None)


def _end(here: Sequence[ColumnElement[bool]], state: str, *, is_last: bool) -> Select[Any]:
    size = anchors.c.tree_size
    place = select(anchors.c.state, size, anchors.c.id).where(*here, anchors.c.state == state)
    # Of its own, because SQLite takes no order inside a union.
    found = place.order_by(size.desc() if is_last else size).limit(1).subquery()
    mark: ColumnElement[Any] = literal_column(str(int(is_last))).label("is_last")
    return select(found.c.state, mark, found.c.tree_size, found.c.id)
