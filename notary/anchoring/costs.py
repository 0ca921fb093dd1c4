"""What anchors cost: gas used times the price that was paid, and the share of each entry.

An anchor's cost is that of all its transactions that a block took, also of one that anchored nothing. Amounts
are exact: wei as decimal digits, and in the chain's unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mizheng.notary.chain.feerule import format_amount
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.tables import anchor_transactions, anchors
from mizheng.notary.chain.transactions import DAY
from sqlalchemy import Connection, Row, func, select


def load_costs(
    connection: Connection, rows: Sequence[Row[Any]], profiles: Sequence[ChainProfile]
) -> dict[int, dict[str, object]]:
    """By the anchor's row id: the fields of AnchorCost, of those that are in a block."""
    units = {profile.name: profile.fee_rule.unit for profile in profiles}
    spent = _spent_by_anchor(connection, [row.id for row in rows])
    costs = {}
    for row in rows:
        if row.block_number is None or row.id not in spent:
            continue
        gas, wei = spent[row.id]
        entries = row.tree_size - _size_before(connection, row)
        costs[row.id] = {
            "gas_used": gas,
            "wei": str(wei),
            "amount": format_amount(wei),
            "entries": entries,
            "wei_per_entry": str(wei // entries),
            "amount_per_entry": format_amount(wei // entries),
            "unit": units.get(row.chain, "ETH"),
        }
    return costs


def load_spent(connection: Connection, profile: ChainProfile, now: int) -> int:
    """Wei that the last 24 hours' transactions cost, of those that are in a block."""
    c = anchor_transactions.c
    found = connection.execute(
        select(c.gas_used, c.gas_price).where(
            c.chain_id == profile.chain_id,
            c.genesis_hash == profile.genesis_hash,
            c.signed_at > now - DAY,
            c.gas_used.is_not(None),
        )
    )
    # Added up here: the products are too large for the database's whole numbers.
    return sum(row.gas_used * row.gas_price for row in found)


def _spent_by_anchor(connection: Connection, anchor_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    c = anchor_transactions.c
    spent: dict[int, tuple[int, int]] = {}
    for row in connection.execute(
        select(c.anchor_id, c.gas_used, c.gas_price).where(
            c.anchor_id.in_(anchor_ids), c.gas_used.is_not(None)
        )
    ):
        gas, wei = spent.get(row.anchor_id, (0, 0))
        spent[row.anchor_id] = gas + row.gas_used, wei + row.gas_used * row.gas_price
    return spent


def _size_before(connection: Connection, row: Row[Any]) -> int:
    """The size of the tree that was anchored there before this one; 0 if it was the first."""
    before = connection.execute(
        select(func.max(anchors.c.tree_size)).where(
            anchors.c.chain_id == row.chain_id,
            anchors.c.genesis_hash == row.genesis_hash,
            anchors.c.state.in_(("mined", "final")),
            anchors.c.tree_size < row.tree_size,
        )
    ).scalar()
    return before or 0
