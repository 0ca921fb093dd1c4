"""A company wants its deposit anchored at once, not when its turn comes.

An anchor costs the notary money and is one for everybody: so a company may ask so often in 24 hours and no
more. Asked again for what is under way already, nothing is counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.standing import LIVE
from mizheng.notary.chain.tables import anchors, urgent_requests
from mizheng.notary.chain.transactions import DAY
from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.database import writing
from mizheng.notary.errors import Problem
from mizheng.notary.evidence import find_deposit
from mizheng.notary.models import organisations
from sqlalchemy import Connection, Engine, func, insert, select


def request_anchor(
    engine: Engine,
    caller: Caller,
    deposit_id: str,
    profiles: Sequence[ChainProfile],
    *,
    per_day: int,
    now: int,
) -> dict[str, object]:
    """The fields of UrgentAnswer; Problem `deposit-unknown` or `urgent-limit`."""
    with writing(engine) as connection:
        # Two requests of one company at the same moment are counted one after the other.
        connection.execute(
            select(organisations.c.id).where(organisations.c.id == caller.organisation_id).with_for_update()
        )
        size = find_deposit(connection, caller, deposit_id).leaf_index + 1
        asked = list(
            connection.execute(
                select(urgent_requests.c.requested_at)
                .where(
                    urgent_requests.c.organisation_id == caller.organisation_id,
                    urgent_requests.c.requested_at > now - DAY,
                )
                .order_by(urgent_requests.c.requested_at)
            ).scalars()
        )
        state = "requested"
        if all(_is_under_way(connection, profile, size) for profile in profiles):
            state = "under-way"
        elif not _is_asked_for(connection, size):
            if len(asked) >= per_day:
                wait = asked[0] + DAY - now if asked else DAY
                raise Problem("urgent-limit", f"the limit is {per_day} in 24 hours", retry_after=max(1, wait))
            connection.execute(
                insert(urgent_requests).values(
                    organisation_id=caller.organisation_id, tree_size=size, requested_at=now
                )
            )
            asked.append(now)
    return {"id": deposit_id, "state": state, "remaining": max(0, per_day - len(asked)), "per_day": per_day}


def _is_under_way(connection: Connection, profile: ChainProfile, size: int) -> bool:
    """Whether an anchor with this entry is on its way to the chain, or there."""
    return (
        connection.execute(
            select(anchors.c.id)
            .where(
                anchors.c.chain_id == profile.chain_id,
                anchors.c.genesis_hash == profile.genesis_hash,
                anchors.c.tree_size >= size,
                anchors.c.state.in_(LIVE),
            )
            .limit(1)
        ).first()
        is not None
    )


def _is_asked_for(connection: Connection, size: int) -> bool:
    return (connection.execute(select(func.max(urgent_requests.c.tree_size))).scalar() or 0) >= size
