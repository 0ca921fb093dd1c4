"""The chains in the background of a serving notary: each checkpoint goes onto every one of them.

Each chain has its anchorer, its outbox, its board and its threads; one that is down holds none of the others
up. The embedded chain is in one process, so a database whose log is anchored there has one server.
"""

import time
from collections.abc import Iterator

from mizheng.notary.anchoring.keeper import ChainKeeper
from mizheng.notary.anchoring.publisher_key import load_publisher
from mizheng.notary.chain.configured import load_profiles
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.notary.lease import Lease, make_lease

# The contracts' heads are asked for before anything is signed; nodes that are slow or down are not waited
# for longer.
_FIRST_LOOK = 3.0


class ChainKeepers:
    """Every chain that is configured, in the order of notary.toml."""

    def __init__(self, instance: Instance) -> None:
        configured = load_profiles(instance.settings)
        self._serving = _claim_database(instance, configured)
        self._publisher = load_publisher(instance.settings)
        self._keepers = tuple(
            ChainKeeper(instance, profile, self._publisher, self._serving.hold) for profile in configured
        )

    def __iter__(self) -> Iterator[ChainKeeper]:
        return iter(self._keepers)

    @property
    def profiles(self) -> tuple[ChainProfile, ...]:
        """With their geneses, also that of the embedded chain."""
        return tuple(keeper.profile for keeper in self)

    def references(self) -> list[dict[str, object]]:
        """The fields of ChainReference of every chain that has been reached."""
        return [reference for keeper in self if (reference := keeper.reference) is not None]

    def start(self) -> None:
        """Look at what is anchored, then begin. A node that does not answer in time is asked again later."""
        deadline = time.monotonic() + _FIRST_LOOK
        for first in [keeper.look() for keeper in self]:
            first.join(max(0.0, deadline - time.monotonic()))
        for keeper in self:
            keeper.start()

    def stop(self) -> None:
        """End after the present steps; whatever they leave undone is done at the next start."""
        for keeper in self:
            keeper.stop()
        self._publisher.close()
        self._serving.release()


def _claim_database(instance: Instance, configured: tuple[ChainProfile, ...]) -> Lease:
    """Be one of this database's servers, or with the embedded chain the only one."""
    is_embedded = any(profile.is_embedded for profile in configured)
    lease = make_lease(instance.engine, "serving", shared=not is_embedded)
    if not lease.hold():
        raise ConfigurationError(
            "another notary serves from this database, and the embedded chain is for one alone",
            hint="stop it; several processes need a real chain: mizheng-notary chain deploy",
        )
    return lease
