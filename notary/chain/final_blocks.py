"""The blocks that evidence stands on, and that somebody has to vouch for: of final anchors and of beacons."""

from __future__ import annotations

from typing import Any

from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.tables import anchors, beacon_blocks
from sqlalchemy import Subquery, select, union_all


def final_blocks(profile: ChainProfile) -> Subquery:
    """Number and hash of each such block of a chain, as columns `number` and `hash`."""
    anchored = select(anchors.c.block_number.label("number"), anchors.c.block_hash.label("hash")).where(
        *_of(anchors, profile), anchors.c.state == "final"
    )
    handed_out = select(beacon_blocks.c.number, beacon_blocks.c.hash).where(*_of(beacon_blocks, profile))
    return union_all(anchored, handed_out).subquery()


def _of(table: Any, profile: ChainProfile) -> tuple[Any, Any]:
    return table.c.chain_id == profile.chain_id, table.c.genesis_hash == profile.genesis_hash
