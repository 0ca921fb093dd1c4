"""What a company may ask of the notary: new entries of the log in a day and in all, requests in a minute.

Entries are counted in the transaction that appends them, behind the head's lock: exactly, and for all
processes together. Only companies that have a quota are counted; for others nothing is read or written more.
Requests are counted in memory, by each process for itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mizheng.notary.auditing.recording import record
from mizheng.notary.errors import Problem
from mizheng.notary.intake.rows import Statement
from mizheng.notary.models import deposits, events, quotas
from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

DAY_SECONDS = 86_400

_USE = Statement(
    update(quotas)
    .where(quotas.c.organisation_id == bindparam("organisation"))
    .values(
        used=quotas.c.used + bindparam("number"),
        used_today=case((quotas.c.day == bindparam("today"), quotas.c.used_today), else_=0)
        + bindparam("number"),
        day=bindparam("today"),
    )
)
# Beside a caller, in the query that finds him: see `api_keys`.
COLUMNS = (
    quotas.c.organisation_id.label("quota_of"),
    quotas.c.per_day,
    quotas.c.in_all,
    quotas.c.per_minute,
    quotas.c.day,
    quotas.c.used_today,
    quotas.c.used,
)


@dataclass(frozen=True, slots=True)
class Quota:
    """A company's limits (None: there is none) and what it has used of them."""

    per_day: int | None
    in_all: int | None
    per_minute: int | None
    day: int
    used_today: int
    used: int

    def refusal(self, more: int, now: float) -> Problem | None:
        """Why there is no room for one entry after `more` others of the same batch; None if there is."""
        if self.in_all is not None and self.used + more >= self.in_all:
            # Only the operator can change that; whoever asks once a day will notice.
            return Problem("quota-in-all", retry_after=DAY_SECONDS)
        used = (self.used_today if self.day == _day(now) else 0) + more
        if self.per_day is not None and used >= self.per_day:
            return Problem("quota-day", retry_after=DAY_SECONDS - int(now) % DAY_SECONDS)
        return None

    def to_json(self, now: float) -> dict[str, int | None]:
        """The fields of LimitsAnswer."""
        return {
            "entries_per_day": self.per_day,
            "entries_in_all": self.in_all,
            "requests_per_minute": self.per_minute,
            "used_today": self.used_today if self.day == _day(now) else 0,
            "used_in_all": self.used,
        }


def read_quota(row: Any) -> Quota | None:
    """Of a row with COLUMNS; None if the company has none."""
    if row.quota_of is None:
        return None
    return Quota(row.per_day, row.in_all, row.per_minute, row.day, row.used_today, row.used)


def load_quota(connection: Connection, organisation_id: int) -> Quota | None:
    """The company's quota, if it has one."""
    row = connection.execute(
        select(*COLUMNS).where(quotas.c.organisation_id == organisation_id)
    ).one_or_none()
    return None if row is None else read_quota(row)


def use_quotas(connection: Connection, organisations: Iterable[int], now: float) -> None:
    """Count new entries, each by its company's number; within the transaction that appends them."""
    numbers: dict[int, int] = {}
    for organisation_id in organisations:
        numbers[organisation_id] = numbers.get(organisation_id, 0) + 1
    for organisation_id, number in numbers.items():
        _USE.run(connection, organisation=organisation_id, number=number, today=_day(now))


def set_quota(
    connection: Connection,
    organisation_id: int,
    *,
    per_day: int | None,
    in_all: int | None,
    per_minute: int | None,
) -> Quota | None:
    """Give a company these limits in the place of those that it has, within `writing_log`, so that nothing is
    appended meanwhile; None everywhere takes its quota away. Counts what is in the log already.
    """
    connection.execute(delete(quotas).where(quotas.c.organisation_id == organisation_id))
    found = None
    if (per_day, in_all, per_minute) != (None, None, None):
        today = _day(time.time())
        values = {
            "organisation_id": organisation_id,
            "per_day": per_day,
            "in_all": in_all,
            "per_minute": per_minute,
            "day": today,
            "used_today": _count(connection, organisation_id, today * DAY_SECONDS),
            "used": _count(connection, organisation_id, 0),
        }
        connection.execute(insert(quotas), values)
        found = load_quota(connection, organisation_id)
    detail = {
        name: value
        for name, value in (("per_day", per_day), ("in_all", in_all), ("per_minute", per_minute))
        if value is not None
    }
    record(connection, "organisation.limit", f"organisation:{organisation_id}", detail=detail)
    return found


def _count(connection: Connection, organisation_id: int, since: int) -> int:
    return sum(
        connection.execute(
            select(func.count())
            .select_from(table)
            .where(table.c.organisation_id == organisation_id, table.c.received_at >= since)
        ).scalar()
        or 0
        for table in (deposits, events)
    )


def _day(now: float) -> int:
    return int(now) // DAY_SECONDS
