"""Keeps the seals of every final block that evidence stands on, so that a court needs no node.

Beside the anchorer, not in it: seals that cannot be had hold no anchor up, and are asked for again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from mizheng.notary.chain.final_blocks import final_blocks
from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.notary.chain.seals import capture_seals
from mizheng.notary.chain.tables import validator_seals
from mizheng.notary.database import reading, writing
from mizheng.verifier.statement import BlockReference
from sqlalchemy import Engine, and_, insert, select
from sqlalchemy.exc import IntegrityError

logger = logging.getLogger(__name__)

# Clique's next signers take seconds, a set of validators that has changed takes the operator.
_REST_SECONDS = 20.0
# As many blocks are looked at for one that is not resting.
_CANDIDATES = 50


class SealCollector:
    """Of one chain whose profile names validators. `step` from one thread at a time."""

    def __init__(self, engine: Engine, chain: Chain, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._chain = chain
        self._clock = clock
        self._rests: dict[bytes, float] = {}
        self.state = "ok"
        """ok, or the code of what went wrong with the last block that was looked at."""

    def step(self) -> bool:
        """Keep the seals of one block; whether there may be more to do at once."""
        now = self._clock()
        for block in self._missing():
            # Longer than a whole rest: the clock was set back meanwhile.
            if 0 < self._rests.get(block.hash, 0) - now <= _REST_SECONDS:
                continue
            self._keep(block)
            return True
        self._rests = {key: until for key, until in self._rests.items() if until > now}
        return False

    def _keep(self, block: BlockReference) -> None:
        try:
            evidence = capture_seals(self._chain, block)
        except ChainError as error:
            if self.state != error.code:
                logger.warning("seals of %s: %s", self._chain.profile.name, error.code)
            self.state = error.code
            evidence = None
        else:
            self.state = "ok"
        if evidence is None:
            self._rests[block.hash] = self._clock() + _REST_SECONDS
            return
        values = {
            "chain_id": block.chain_id,
            "genesis_hash": block.genesis_hash,
            "block_number": block.number,
            "block_hash": block.hash,
            "evidence": evidence,
            "captured_at": int(self._clock()),
        }
        try:
            # Dying before this commits: they are taken again.
            with writing(self._engine) as connection:
                connection.execute(insert(validator_seals).values(values))
        except IntegrityError:
            # Another process kept them at the same moment.
            return

    def _missing(self) -> list[BlockReference]:
        """Final blocks of anchors and beacons whose seals are not kept, oldest first: nodes forget."""
        profile = self._chain.profile
        wanted = final_blocks(profile)
        kept = and_(
            validator_seals.c.chain_id == profile.chain_id,
            validator_seals.c.genesis_hash == profile.genesis_hash,
            validator_seals.c.block_hash == wanted.c.hash,
        )
        statement = (
            select(wanted.c.number, wanted.c.hash)
            .outerjoin(validator_seals, kept)
            .where(validator_seals.c.id.is_(None))
            .distinct()
            .order_by(wanted.c.number)
            .limit(_CANDIDATES)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        return [BlockReference(profile.chain_id, profile.genesis_hash, row.number, row.hash) for row in rows]
