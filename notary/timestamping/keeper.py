"""The authorities in the background of a serving notary, each on a thread of its own, by lease."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from mizheng.notary.database import reading
from mizheng.notary.instance import Instance
from mizheng.notary.lease import Lease, make_lease
from mizheng.notary.timestamping.collector import OK, TokenCollector
from mizheng.notary.timestamping.kept import (
    NOT_ASKED,
    AuthorityStatus,
    load_authority_status,
    load_earliest_end,
)
from mizheng.notary.timestamping.renewing import Renewer, parse_renewal
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.notary.worker import Worker
from mizheng.verifier.canonical import format_instant

# How soon a new anchor is noticed.
_PAUSE = 1.0
# Renewals are due months before they are late.
_RENEWAL_PAUSE = 3600.0


class TimeStampKeeper:
    """All authorities that have an address. Of several processes on one database one asks each of them."""

    def __init__(self, instance: Instance) -> None:
        self.setups = parse_timestamps(instance.settings.timestamps)
        self.rules = parse_renewal(instance.settings.renewal)
        self._engine = instance.engine
        self._renewer = Renewer(instance.engine, self.setups, self.rules)
        self._collectors: list[TokenCollector] = []
        self._leases: list[Lease] = []
        self._workers: list[Worker] = []
        for setup in self.setups:
            if setup.url is not None:
                collector = TokenCollector(instance.engine, setup)
                lease = make_lease(instance.engine, f"timestamps.{setup.name}")
                self._collectors.append(collector)
                self._leases.append(lease)
                self._workers.append(Worker(f"time stamps {setup.name}", _leased(lease, collector), _PAUSE))

        if self._workers:
            lease = make_lease(instance.engine, "renewal")
            self._leases.append(lease)
            self._workers.append(Worker("renewal", _leased(lease, self._renewer), _RENEWAL_PAUSE))

    def earliest_end(self) -> int | None:
        """When the first token stops counting, unless it is renewed; seconds since 1970."""
        with reading(self._engine) as connection:
            return load_earliest_end(connection)

    def status(self) -> Sequence[AuthorityStatus]:
        """How each stands, whichever process asks it."""
        if not self.setups:
            return []
        with reading(self._engine) as connection:
            return load_authority_status(connection, self.setups)

    def checks(self) -> dict[str, dict[str, str]]:
        """For /readyz."""
        checks = {
            f"timestamps.{found.name}": {
                "state": OK if found.state in (NOT_ASKED, "retired") else found.state,
                "detail": f"stamped size {found.tree_size or 0}",
            }
            for found in self.status()
        }
        ends = self.earliest_end() if self.setups else None
        if ends is not None:
            left = ends - time.time()
            # Half of the time in which it should have been renewed has passed.
            is_late = left < self.rules.before_seconds / 2
            state = "lapsed" if left < 0 else "late" if is_late else OK
            checks["renewal"] = {
                "state": state,
                "detail": f"the first token holds until {format_instant(ends)}",
            }
        return checks

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End after the present steps; whatever they leave undone is done at the next start."""
        for worker in self._workers:
            worker.stop()
        for collector in self._collectors:
            collector.close()
        self._renewer.close()
        for lease in self._leases:
            lease.release()


def _leased(lease: Lease, worker: TokenCollector | Renewer) -> Callable[[], bool]:
    return lambda: lease.hold() and worker.step()
