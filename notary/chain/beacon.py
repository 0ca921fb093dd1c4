"""The beacon: a recent final block, whose hash nobody could know earlier.

A statement may name it as `not_before`; its header is kept, because a bundle needs it years later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mizheng.notary.chain.interface import Chain
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.tables import beacon_blocks
from mizheng.notary.database import reading, writing
from mizheng.verifier.beacon import Beacon
from mizheng.verifier.evm.block import Block
from mizheng.verifier.evm.block import Chain as ChainName
from mizheng.verifier.statement import BlockReference
from sqlalchemy import Connection, Engine, Row, insert, select
from sqlalchemy.exc import IntegrityError

# It bounds how far before its signing a statement is dated, and how many headers are kept: 600 bytes each.
INTERVAL_SECONDS = 300


class BeaconKeeper:
    """Keeps the newest final block of one chain, every so often. `step` from one thread."""

    def __init__(self, engine: Engine, chain: Chain) -> None:
        self._engine = engine
        self._chain = chain
        self._seen_at: int | None = None
        """When the last one was kept, as far as this process knows."""

    def step(self, now: int) -> bool:
        """Keep one, if the last is older than the interval; whether one was kept."""
        profile = self._chain.profile
        if profile.is_foreign:
            # A beacon is a header that hashes to the block's hash, which nobody could check here.
            return False
        # What is kept stays: the database need not be asked several times a second.
        if _is_fresh(self._seen_at, now):
            return False
        with reading(self._engine) as connection:
            last = _newest(connection, profile)
        self._seen_at = None if last is None else last.seen_at
        if _is_fresh(self._seen_at, now):
            return False
        final = self._chain.final()
        if final is None or (last is not None and final.number <= last.number):
            return False
        values = {
            "chain_id": profile.chain_id,
            "genesis_hash": profile.genesis_hash,
            "number": final.number,
            "hash": final.hash,
            "kind": profile.kind,
            "header": final.header,
            "seen_at": now,
        }
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(beacon_blocks).values(values))
        except IntegrityError:
            # Another process kept the same block.
            return False
        return True


def newest_beacon(connection: Connection, profile: ChainProfile) -> Beacon | None:
    """The block to name in a statement signed now; None if no block is final yet."""
    row = _newest(connection, profile)
    return None if row is None else _beacon(row)


def find_beacon(connection: Connection, reference: BlockReference) -> Beacon | None:
    """The block that a statement names, if it was handed out here."""
    row = connection.execute(
        select(beacon_blocks).where(
            beacon_blocks.c.chain_id == reference.chain_id,
            beacon_blocks.c.genesis_hash == reference.genesis_hash,
            beacon_blocks.c.number == reference.number,
            beacon_blocks.c.hash == reference.hash,
        )
    ).first()
    return None if row is None else _beacon(row)


def list_beacons(connection: Connection) -> Iterator[Beacon]:
    """Every block that was ever handed out, on every chain; by chain and number."""
    order = (beacon_blocks.c.chain_id, beacon_blocks.c.genesis_hash, beacon_blocks.c.number)
    for row in connection.execute(select(beacon_blocks).order_by(*order)):
        yield _beacon(row)


def _is_fresh(seen_at: int | None, now: int) -> bool:
    return seen_at is not None and 0 <= now - seen_at < INTERVAL_SECONDS


def _newest(connection: Connection, profile: ChainProfile) -> Row[Any] | None:
    return connection.execute(
        select(beacon_blocks)
        .where(
            beacon_blocks.c.chain_id == profile.chain_id,
            beacon_blocks.c.genesis_hash == profile.genesis_hash,
        )
        .order_by(beacon_blocks.c.number.desc())
        .limit(1)
    ).first()


def _beacon(row: Row[Any]) -> Beacon:
    return Beacon(
        ChainName(row.kind, row.chain_id, row.genesis_hash), Block(row.number, row.hash, row.header)
    )
