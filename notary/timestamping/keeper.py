"""The authorities in the background of a serving notary, each on a thread of its own, by lease."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mizheng.notary.database import reading
from mizheng.notary.instance import Instance
from mizheng.notary.lease import Lease, make_lease
from mizheng.notary.timestamping.collector import OK, TokenCollector
from mizheng.notary.timestamping.kept import NOT_ASKED, AuthorityStatus, load_authority_status
from mizheng.notary.timestamping.setup import parse_timestamps
from mizheng.notary.worker import Worker

# How soon a new anchor is noticed.
_PAUSE = 1.0


class TimeStampKeeper:
    """All authorities that have an address. Of several processes on one database one asks each of them."""

    def __init__(self, instance: Instance) -> None:
        self.setups = parse_timestamps(instance.settings.timestamps)
        self._engine = instance.engine
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

    def status(self) -> Sequence[AuthorityStatus]:
        """How each stands, whichever process asks it."""
        if not self.setups:
            return []
        with reading(self._engine) as connection:
            return load_authority_status(connection, self.setups)

    def checks(self) -> dict[str, dict[str, str]]:
        """For /readyz."""
        return {
            f"timestamps.{found.name}": {
                "state": OK if found.state in (NOT_ASKED, "retired") else found.state,
                "detail": f"stamped size {found.tree_size or 0}",
            }
            for found in self.status()
        }

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End after the present steps; whatever they leave undone is done at the next start."""
        for worker in self._workers:
            worker.stop()
        for collector in self._collectors:
            collector.close()
        for lease in self._leases:
            lease.release()


def _leased(lease: Lease, collector: TokenCollector) -> Callable[[], bool]:
    return lambda: lease.hold() and collector.step()
