"""What is kept of time stamps, read from the database: for bundles, and for those who run the notary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mizheng.notary.timestamping.setup import AuthoritySetup
from mizheng.notary.timestamping.tables import evidence_records, time_stamp_status, time_stamps
from sqlalchemy import Connection, Row, and_, func, or_, select, true

NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class KeptStamp:
    """A token for a bundle, and what renewed it."""

    tree_size: int
    text: bytes
    token: bytes
    record: bytes | None
    """EvidenceRecord, once it has been renewed."""


@dataclass(frozen=True, slots=True)
class AuthorityStatus:
    """What is shown to those who run the notary."""

    name: str
    state: str
    """ok, a code of what went wrong last, not-asked, or retired: it has no url any more."""
    tree_size: int | None
    """The largest head that it stamped."""


def load_first_stamps(
    connection: Connection, leaf_index: int, spans: Sequence[tuple[int, int | None]] = ()
) -> Sequence[KeptStamp]:
    """Of each authority the first token over a head that has the entry, the oldest date; by tree size.

    `spans`: first and last size of the heads that are believed; none: all of them.
    """
    believed = [
        and_(time_stamps.c.tree_size >= first, true() if last is None else time_stamps.c.tree_size <= last)
        for first, last in spans
    ]
    smallest = (
        select(time_stamps.c.authority, func.min(time_stamps.c.tree_size).label("tree_size"))
        .where(time_stamps.c.tree_size > leaf_index, or_(*believed) if believed else true())
        .group_by(time_stamps.c.authority)
        .subquery()
    )
    rows = connection.execute(
        select(time_stamps, evidence_records.c.record)
        .join(
            smallest,
            (smallest.c.authority == time_stamps.c.authority)
            & (smallest.c.tree_size == time_stamps.c.tree_size),
        )
        .outerjoin(evidence_records, evidence_records.c.time_stamp_id == time_stamps.c.id)
        .order_by(time_stamps.c.tree_size, time_stamps.c.authority)
    )
    return [KeptStamp(row.tree_size, row.text, row.token, row.record) for row in rows]


def load_all_stamps(connection: Connection, largest: int) -> Iterator[Row[Any]]:
    """Every token over a head of at most this size, with `record`; smallest tree first."""
    yield from connection.execute(
        select(time_stamps, evidence_records.c.record)
        .outerjoin(evidence_records, evidence_records.c.time_stamp_id == time_stamps.c.id)
        .where(time_stamps.c.tree_size <= largest)
        .order_by(time_stamps.c.tree_size, time_stamps.c.authority)
    )


def load_authority_status(
    connection: Connection, setups: Sequence[AuthoritySetup]
) -> Sequence[AuthorityStatus]:
    """How things stand with each, in the order of notary.toml."""
    states = {row.authority: row.state for row in connection.execute(select(time_stamp_status))}
    query = select(time_stamps.c.authority, func.max(time_stamps.c.tree_size)).group_by(
        time_stamps.c.authority
    )
    sizes: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return [
        AuthorityStatus(
            setup.name,
            "retired" if setup.url is None else states.get(setup.name, NOT_ASKED),
            sizes.get(setup.name),
        )
        for setup in setups
    ]


def load_earliest_end(connection: Connection) -> int | None:
    """When the first token, by itself or by its last renewal, stops counting; None if there are none."""
    ends = func.min(func.coalesce(evidence_records.c.holds_until, time_stamps.c.holds_until))
    joined = time_stamps.outerjoin(evidence_records, evidence_records.c.time_stamp_id == time_stamps.c.id)
    found: int | None = connection.execute(select(ends).select_from(joined)).scalar()
    return found
