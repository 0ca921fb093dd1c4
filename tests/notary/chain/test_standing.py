"""Which items of the outbox the anchorer is told of, out of many in every state."""

from __future__ import annotations

import pytest
from mizheng.notary.chain.standing import Standing, read_ends, select_ends
from mizheng.notary.chain.tables import anchors
from mizheng.notary.database import reading
from sqlalchemy import Engine, select

from tests.notary.chain.test_covering import add, anchor, engine

__all__ = ["engine"]


def sizes(engine: Engine, chain_id: int = 1) -> tuple[int | None, ...]:
    """In flight, oldest mined, newest mined, newest of all, by the size of their heads."""
    with reading(engine) as connection:
        ends: Standing[int] = read_ends(connection, select_ends([anchors.c.chain_id == chain_id]))
        known = {row.id: row.tree_size for row in connection.execute(select(anchors))}
    return tuple(None if place is None else known[place] for place in ends)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], (None, None, None, None)),
        (["failed", "failed"], (None, None, None, None)),
        (["final", "final", "failed"], (None, None, None, 2)),
        (["final", "mined", "mined", "mined", "failed"], (None, 2, 4, 4)),
        (["final", "mined", "sent", "prepared", "failed"], (3, 2, 2, 4)),
        (["prepared", "sent", "sent"], (1, None, None, 3)),
        # A final block was taken back: what is in flight again stands before what is in a block.
        (["sent", "final", "mined", "mined"], (1, 3, 4, 4)),
    ],
)
def test_the_first_and_the_last_of_each_state(
    engine: Engine, states: list[str], expected: tuple[int | None, ...]
) -> None:
    rows = [anchor(size, state) for size, state in enumerate(states, 1)]
    add(engine, *reversed(rows), anchor(99, "mined", chain_id=2), anchor(98, "sent", chain_id=2))
    assert sizes(engine) == expected
    assert sizes(engine, 2) == (98, 99, 99, 99)
