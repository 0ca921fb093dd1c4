"""Renewing tokens before they stop counting (RFC 4998): all that is due under one new token.

    [renewal]
    before_days = 180                                # this long before a certificate or a hash ends
    hash = "sha512"                                  # what takes the place of a hash that is retired
    retired = { sha256 = "2035-01-01T00:00:00Z" }    # also written into the trust export

Time-stamp renewal is all the notary's. Of a hash-tree renewal only the checkpoints are: originals and records
are the company's, on its machine (`mizheng renew`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.outgoing import make_client
from mizheng.notary.timestamping.asking import TIMEOUT_SECONDS, AskingError, ask_token
from mizheng.notary.timestamping.setup import AuthoritySetup
from mizheng.notary.timestamping.tables import evidence_records, time_stamps
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.renewal.build import (
    last_hash,
    rehashed,
    renew_hash_tree,
    renew_time_stamp,
    renewal_value,
    start_record,
)
from mizheng.verifier.renewal.chain import verify_record
from mizheng.verifier.renewal.record import EvidenceRecord, parse_record
from mizheng.verifier.renewal.tree import HashTree
from mizheng.verifier.timestamp.algorithms import Hash, find_hash
from mizheng.verifier.timestamp.authority import parse_retired_hashes
from sqlalchemy import Engine, Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

logger = logging.getLogger(__name__)

DAY = 86_400
# A renewal that gains less than this is none: an authority whose certificate is the same as before.
_LEAST_GAIN_SECONDS = DAY
# As many are read and verified in one go.
_BATCH = 500
# A row has some ten kilobytes. Those that are left come with the next step, the most urgent first.
_MOST_ROWS = 5000


@dataclass(frozen=True, slots=True)
class RenewalRules:
    """What `[renewal]` says."""

    before_seconds: int
    next_hash: Hash
    retired: Mapping[str, int]
    """Hash name to when it stops counting, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Due:
    """A token, or what renewed it last, that needs a renewal."""

    time_stamp_id: int
    authority: str
    tree_size: int
    text: bytes
    record: EvidenceRecord
    is_new: bool
    """Nothing renewed it yet."""
    renewals: int
    holds_until: int
    needs_hash_tree: bool
    by: int
    """When it stops counting, seconds since 1970."""


def parse_renewal(table: Mapping[str, Any]) -> RenewalRules:
    """Read `[renewal]`; ConfigurationError if it cannot be used."""
    days = table.get("before_days", 180)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 3660:
        raise ConfigurationError("notary.toml: [renewal]: before_days is a number of days, from 1 to 3660")
    if unknown := set(table) - {"before_days", "hash", "retired"}:
        raise ConfigurationError("notary.toml: [renewal] has no key {key!r}", key=min(unknown))
    try:
        retired = parse_retired_hashes(table.get("retired", {}))
        algorithm = find_hash(str(table.get("hash", "sha512")))
    except (MizhengError, AttributeError):
        raise ConfigurationError(
            "notary.toml: [renewal]: hash is a known one, retired a table of hashes and instants",
            hint='for example: retired = { sha256 = "2035-01-01T00:00:00Z" }',
        ) from None
    return RenewalRules(days * DAY, algorithm, retired)


class Renewer:
    """Renews what is due. `step` from one thread at a time."""

    def __init__(
        self,
        engine: Engine,
        setups: Sequence[AuthoritySetup],
        rules: RenewalRules,
        *,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._setups = setups
        self._rules = rules
        self._client = client or make_client(TIMEOUT_SECONDS)
        self._clock = clock
        self._rest_until = 0.0

    def close(self) -> None:
        self._client.close()

    def step(self) -> bool:
        """Renew one batch of what is due; whether there may be more. What fails is tried again in a day."""
        now = self._clock()
        if 0 < self._rest_until - now <= DAY:
            return False
        # What has lapsed cannot be made good: a later token says nothing about the time before.
        due = [item for item in self.due() if item.by >= now][:_BATCH]
        if not due:
            return False
        done = self.renew(due)
        if done < len(due):
            logger.warning("renewal: %d of %d tokens could not be renewed", len(due) - done, len(due))
            self._rest_until = self._clock() + DAY
        return done == len(due)

    def due(self, within: int | None = None) -> list[Due]:
        """What stops counting within so many seconds, else within the rules' time; the most urgent first."""
        until = int(self._clock()) + (self._rules.before_seconds if within is None else within)
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(time_stamps, evidence_records.c.record, evidence_records.c.renewals)
                .outerjoin(evidence_records, evidence_records.c.time_stamp_id == time_stamps.c.id)
                .where(_is_soon(until, self._rules.retired))
                .order_by(func.coalesce(evidence_records.c.holds_until, time_stamps.c.holds_until))
                .limit(_MOST_ROWS)
            ).all()
        found = [self._due(row) for row in rows]
        return sorted((item for item in found if item.by <= until), key=lambda item: item.by)

    def renew(self, due: Iterable[Due]) -> int:
        """Renew these, each sort under one token; how many were."""
        done = 0
        groups: dict[tuple[bool, str], list[Due]] = {}
        for item in due:
            groups.setdefault((item.needs_hash_tree, last_hash(item.record).name), []).append(item)
        for (needs_hash_tree, name), items in groups.items():
            algorithm = self._rules.next_hash if needs_hash_tree else find_hash(name)
            done += self._renew_together(items, algorithm, needs_hash_tree=needs_hash_tree)
        return done

    def _due(self, row: Row[Any]) -> Due:
        record = start_record(row.token) if row.record is None else parse_record(row.record)
        found = None
        try:
            found = self._verify(record, row.text)
        except MizhengError:
            # Of an authority that is not configured any more, or too late already: shown, never renewed.
            logger.warning("renewal: the token of %s at size %d does not check", row.authority, row.tree_size)
        holds_until = row.holds_until if found is None else found.holds_until
        ends = self._rules.retired.get(last_hash(record).name)
        return Due(
            row.id,
            row.authority,
            row.tree_size,
            row.text,
            record,
            row.record is None,
            row.renewals or 0,
            holds_until,
            ends is not None and ends <= int(self._clock()) + self._rules.before_seconds,
            min(holds_until, ends or holds_until),
        )

    def _renew_together(self, items: Sequence[Due], algorithm: Hash, *, needs_hash_tree: bool) -> int:
        def values(item: Due) -> list[bytes]:
            if needs_hash_tree:
                return rehashed(algorithm, item.record, [algorithm.digest(item.text)])
            return [renewal_value(item.record)]

        tree = HashTree(algorithm, [values(item) for item in items])
        for setup in self._setups:
            if setup.url is None:
                continue
            try:
                token = ask_token(self._client, setup, algorithm, tree.root, self._clock).token.encoded
            except AskingError as error:
                logger.warning("renewal: time-stamp authority %s: %s", setup.name, error.code)
                continue
            extend = renew_hash_tree if needs_hash_tree else renew_time_stamp
            records = [
                (item, extend(item.record, token, tree.reduced(place))) for place, item in enumerate(items)
            ]
            done = sum(self._keep(item, record) for item, record in records)
            # The same certificate as before gains nothing: another authority may have a longer one.
            if done:
                return done
        return 0

    def _keep(self, item: Due, record: EvidenceRecord) -> bool:
        """Store a record after checking it as a court will; whether it was worth it."""
        try:
            found = self._verify(record, item.text)
        except MizhengError as error:
            logger.warning("renewal: the new record does not check: %s", type(error).__name__)
            return False
        if found.holds_until < item.by + _LEAST_GAIN_SECONDS:
            return False
        values = {
            "record": record.dump(),
            "hash": found.hash,
            "holds_until": found.holds_until,
            "renewals": found.renewals,
            "renewed_at": int(self._clock()),
        }
        try:
            self._write(item, values)
        except IntegrityError:
            # Another process made the first record at the same moment.
            return False
        return True

    def _write(self, item: Due, values: dict[str, Any]) -> None:
        # Dying before this commits: the old record stands, and is renewed again.
        with writing(self._engine) as connection:
            if item.is_new:
                connection.execute(
                    insert(evidence_records).values(time_stamp_id=item.time_stamp_id, **values)
                )
            else:
                connection.execute(
                    update(evidence_records)
                    .where(
                        evidence_records.c.time_stamp_id == item.time_stamp_id,
                        # Never over a record that another process has made meanwhile.
                        evidence_records.c.renewals == item.renewals,
                    )
                    .values(values)
                )

    def _verify(self, record: EvidenceRecord, text: bytes) -> Any:
        authorities = [setup.trusted for setup in self._setups]
        group = [lambda algorithm: algorithm.digest(text)]
        return verify_record(record, text, [group], authorities, self._rules.retired)


def _is_soon(until: int, retired: Mapping[str, int]) -> Any:
    """Rows that may be due: by their certificate, or because their hash is about to be retired."""
    ends = func.coalesce(evidence_records.c.holds_until, time_stamps.c.holds_until) <= until
    names = [name for name, at in retired.items() if at <= until]
    # The hash of a token that was never renewed stands in the token alone.
    return or_(ends, evidence_records.c.hash.in_(names), evidence_records.c.hash.is_(None)) if names else ends
