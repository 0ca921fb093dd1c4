"""Which of the many anchors after a deposit say something about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.chain.covering import find_covering
from mizheng.notary.chain.tables import anchors
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.migrations import upgrade
from sqlalchemy import Engine, event, insert


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = create_engine(f"sqlite:///{tmp_path / 'notary.db'}")
    upgrade(found)
    yield found
    found.dispose()


def anchor(size: int, state: str, chain_id: int = 1) -> dict[str, Any]:
    return {
        "chain": f"chain {chain_id}",
        "kind": "ethereum",
        "chain_id": chain_id,
        "genesis_hash": b"\1" * 32,
        "contract": b"\2" * 20,
        "log_id": b"\3" * 32,
        "tree_size": size,
        "root_hash": b"\4" * 32,
        "checkpoint_note": b"",
        "state": state,
        "publisher": b"\5" * 20,
        "nonce": size,
        "raw_transaction": b"",
        "transaction_hash": chain_id.to_bytes(4, "big") + size.to_bytes(28, "big"),
        "prepared_at": 0,
        "updated_at": 0,
    }


def add(engine: Engine, *rows: dict[str, Any]) -> None:
    with writing(engine) as connection:
        connection.execute(insert(anchors), list(rows))


def found(engine: Engine, leaf_index: int, spans: Any = ()) -> list[tuple[int, int, str]]:
    with reading(engine) as connection:
        rows = find_covering(connection, leaf_index, spans)
    return [(row.chain_id, row.tree_size, row.state) for row in rows]


def test_the_first_final_one_of_many(engine: Engine) -> None:
    add(engine, *(anchor(size, "final") for size in range(1, 301)), anchor(301, "mined"))
    assert found(engine, 5) == [(1, 6, "final")]
    assert found(engine, 300) == [(1, 301, "mined")]
    assert found(engine, 301) == []


def test_on_the_way_the_first_in_each_state_on_each_chain(engine: Engine) -> None:
    add(
        engine,
        *(anchor(size, "mined") for size in (3, 4, 5)),
        anchor(2, "failed"),
        anchor(6, "final"),
        anchor(7, "final"),
        anchor(8, "sent"),
        anchor(4, "mined", 2),
        anchor(5, "sent", 2),
        anchor(6, "prepared", 2),
    )
    assert found(engine, 1) == [
        (1, 3, "mined"),
        (2, 4, "mined"),
        (2, 5, "sent"),
        (1, 6, "final"),
        (2, 6, "prepared"),
    ]


def test_heads_that_nobody_believes_are_passed_over(engine: Engine) -> None:
    add(engine, *(anchor(size, "final") for size in (3, 6, 9)))
    assert found(engine, 2, [(0, 2), (8, None)]) == [(1, 9, "final")]
    assert found(engine, 2, [(0, 3), (8, None)]) == [(1, 3, "final")]


def test_places_are_found_by_the_index_alone(engine: Engine) -> None:
    """A row holds two evidences of some ten kilobytes each."""
    statements: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    add(engine, anchor(3, "mined"), anchor(4, "final"))
    event.listen(engine, "before_cursor_execute", note)
    assert len(found(engine, 0)) == 2
    event.remove(engine, "before_cursor_execute", note)
    plans = []
    with reading(engine) as connection:
        for statement, parameters in statements[:-1]:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans += [row.detail for row in rows]
    assert plans
    assert all("COVERING INDEX" in plan for plan in plans), plans
