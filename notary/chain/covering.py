"""The anchors that hold an entry: of the thousands that come after it, the few that say something about it.

A head holds every entry before it, so that each later anchor holds this one as well. What counts is the first
final one on each chain, which stays the oldest date; until there is one, how far the first ones are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.standing import LIVE
from mizheng.notary.chain.tables import anchoring_status, anchors
from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

_PLACE = (anchors.c.chain_id, anchors.c.genesis_hash, anchors.c.log_id)
# What has come furthest first.
_STATES = tuple(reversed(LIVE))


def find_covering(
    connection: Connection, leaf_index: int, spans: Sequence[tuple[int, int | None]] = ()
) -> Sequence[Row[Any]]:
    """Whole rows, smallest head first: for each log on a chain the first final anchor, and before it the
    first in each other state. Those given up are left out, and those of heads outside of `spans`, which
    nobody believes any more (`mizheng.notary.log.keys.is_believed`).
    """
    wanted: list[int] = []
    for place in connection.execute(select(*_PLACE).distinct()):
        end: int | None = None
        for state in _STATES:
            # By the index alone, and of one row: a row holds two evidences.
            statement = (
                select(anchors.c.tree_size, anchors.c.id)
                .where(*(column == value for column, value in zip(_PLACE, place, strict=True)))
                .where(anchors.c.state == state, anchors.c.tree_size > leaf_index, *_believed(spans))
                .order_by(anchors.c.tree_size)
                .limit(1)
            )
            found = connection.execute(statement).first()
            if found is not None and (end is None or found.tree_size < end):
                wanted.append(found.id)
                end = found.tree_size if state == "final" else end
    order = (anchors.c.tree_size, anchors.c.id)
    return connection.execute(select(anchors).where(anchors.c.id.in_(wanted)).order_by(*order)).all()


def covered_size(
    connection: Connection, states: Sequence[str], spans: Sequence[tuple[int, int | None]]
) -> int:
    """Entries below this are covered by an anchor in one of these states, under a head that is believed."""
    query = select(anchors.c.tree_size).where(anchors.c.state.in_(states), *_believed(spans))
    return connection.execute(query.order_by(anchors.c.tree_size.desc()).limit(1)).scalar() or 0


def _believed(spans: Sequence[tuple[int, int | None]]) -> list[ColumnElement[bool]]:
    size = anchors.c.tree_size
    parts = [size >= first if last is None else and_(size >= first, size <= last) for first, last in spans]
    return [or_(*parts)] if parts else []


def read_waiting_for(connection: Connection, profile: ChainProfile, leaf_index: int) -> str | None:
    """Why the deposit at this index is not final on the chain yet; None if it is.

    Codes: anchor-interval (its turn comes), block (sent, in no block yet), finality (in a block that is
    not final yet), and whatever holds the anchorer up: unreachable, insufficient-funds, and so on.
    """
    # From the index first, which has all of these: `last_error` stands behind the evidence in its row.
    smallest = (
        select(anchors.c.id)
        .where(
            anchors.c.chain_id == profile.chain_id,
            anchors.c.genesis_hash == profile.genesis_hash,
            anchors.c.tree_size > leaf_index,
            anchors.c.state.in_(LIVE),
        )
        .order_by(anchors.c.tree_size)
        .limit(1)
    )
    row = connection.execute(
        select(anchors.c.state, anchors.c.last_error).where(anchors.c.id == smallest.scalar_subquery())
    ).first()
    if row is not None and row.state == "final":
        return None
    held_up = connection.execute(
        select(anchoring_status.c.waiting_for).where(anchoring_status.c.chain == profile.name)
    ).scalar()
    if held_up or row is None:
        return held_up or "anchor-interval"
    if row.state == "mined":
        return "finality"
    return row.last_error or "block"
