"""One chain in the background of a serving notary: opened, looked after, and closed.

The embedded chain is opened before the notary listens: it is there or it is an error. A node may be down:
deposits go on, the board says why anchoring waits, and it is tried again until it answers.

Several processes on one database: one of them anchors on this chain and one asks its observers, by lease;
when it dies, another one takes over. The others read on the board how it goes.
"""

import logging
import threading
import time
from collections.abc import Callable

from mizheng.notary.anchoring.anchorer import Anchorer
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.deploy import Deployment, bring_up, expected_deployment
from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.notary.chain.node_board import NodeBoard
from mizheng.notary.chain.nodes import NodesChain
from mizheng.notary.chain.open import open_chain
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.seal_collector import SealCollector
from mizheng.notary.chain.status import StatusBoard
from mizheng.notary.instance import Instance
from mizheng.notary.lease import make_lease
from mizheng.notary.log.anchorable import AnchorableLog
from mizheng.notary.observers import ObservationCollector, parse_observers
from mizheng.notary.worker import Worker

logger = logging.getLogger(__name__)

# How soon a new block is noticed: the embedded chain makes one when it is asked to, a real one every few
# seconds.
_TRIAL_PAUSE = 0.5
_CHAIN_PAUSE = 2.0
# Deploying on a real chain is `mizheng-notary chain deploy`; here only an opening that got stuck is waited
# for.
_OPEN_WAIT = 30.0
_LOOK_PAUSE = 30.0


class ChainKeeper:
    """One chain and one log: an anchorer, and who collects observations, each on a thread of its own."""

    def __init__(
        self,
        instance: Instance,
        profile: ChainProfile,
        publisher: Publisher,
        has_database: Callable[[], bool],
    ) -> None:
        """`has_database` says whether this process may go on with a chain that is its own."""
        settings = instance.settings
        self._instance = instance
        self._has_database = has_database
        self._anchoring_lease = make_lease(instance.engine, f"anchoring.{profile.name}")
        self._observing_lease = make_lease(instance.engine, f"observing.{profile.name}")
        # One for each thread: a lease on PostgreSQL is a session, and a session is no two threads'.
        self._sealing_lease = make_lease(instance.engine, f"sealing.{profile.name}")
        self._is_following = False
        self._followed: str | None = None
        self._publisher = publisher
        peers = parse_observers(settings.observers, profile.name)
        self._chain: Chain = open_chain(profile, settings.data_dir, publisher.address)
        self._board = StatusBoard(instance.engine, self.profile.name)
        self._nodes = NodeBoard(instance.engine, self.profile.name)
        self._deployment: Deployment | None = None
        self._anchorer: Anchorer | None = None
        pause = _TRIAL_PAUSE if self.profile.is_embedded else _CHAIN_PAUSE
        self._workers = [
            Worker(f"anchorer {profile.name}", self._step, pause),
            Worker(f"contract {profile.name}", self._look_at_contract, _LOOK_PAUSE),
        ]
        self._collector: ObservationCollector | None = None
        if peers:
            self._collector = ObservationCollector(instance.engine, self.profile, peers)
            self._workers.append(Worker(f"observations {profile.name}", self._observe, pause))
        self._sealing: SealCollector | None = None
        if self.profile.validators.sets:
            self._sealing = SealCollector(instance.engine, self._chain)
            self._workers.append(Worker(f"seals {profile.name}", self._keep_seals, pause))
        if self.profile.is_embedded:
            self._deployment = bring_up(self._chain, self._publisher, instance.origin)

    @property
    def profile(self) -> ChainProfile:
        """With its genesis, also for the embedded chain."""
        return self._chain.profile

    @property
    def deployment(self) -> Deployment | None:
        """Where the log is open; None while the chain has not been reached."""
        if self._deployment is None and self._is_following:
            # Another process has opened it there; its place follows from the profile.
            return expected_deployment(self.profile, self._publisher, self._instance.origin)
        return self._deployment

    @property
    def waiting_for(self) -> str | None:
        """What holds anchoring up, as a code; None if nothing does but time."""
        if self._is_following:
            return self._followed
        return self._board.waiting_for if self._anchorer is None else self._anchorer.waiting_for

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes of what will hold anchoring up if nobody does anything."""
        return (
            self._board.warnings if self._is_following or self._anchorer is None else self._anchorer.warnings
        )

    @property
    def balance(self) -> int | None:
        """Wei of the account that pays; None while nobody has looked, or where gas is free."""
        return self._board.balance if self._is_following or self._anchorer is None else self._anchorer.balance

    @property
    def reference(self) -> dict[str, object] | None:
        """The fields of ChainReference; None while the chain has not been reached."""
        profile, deployment = self.profile, self.deployment
        if deployment is None:
            return None
        return {
            "name": profile.name,
            "kind": profile.kind,
            "chain_id": profile.chain_id,
            "genesis_hash": profile.genesis_hash.hex(),
            "contract": deployment.contract.hex(),
            "log_id": deployment.log_id.hex(),
        }

    @property
    def observers(self) -> dict[str, str]:
        """By name: ok, or the code of what went wrong when it was asked last."""
        return {} if self._collector is None else dict(self._collector.states)

    @property
    def seals(self) -> str | None:
        """ok, or why seals are missing, as a code; None where no validators are named."""
        return None if self._sealing is None else self._sealing.state

    def look(self) -> threading.Thread:
        """Begin to look at what is anchored; the thread ends when it is known, or cannot be."""
        first = threading.Thread(target=self._look_at_contract, name=f"contract {self.profile.name}, first")
        first.daemon = True
        first.start()
        return first

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End after the present step; whatever it leaves undone is done at the next start."""
        for worker in self._workers:
            worker.stop()
        if self._collector is not None:
            self._collector.close()
        self._chain.close()
        for lease in (self._anchoring_lease, self._observing_lease, self._sealing_lease):
            lease.release()

    def _observe(self) -> bool:
        return self._collector is not None and self._observing_lease.hold() and self._collector.step()

    def _keep_seals(self) -> bool:
        return self._sealing is not None and self._sealing_lease.hold() and self._sealing.step()

    def _look_at_contract(self) -> bool:
        """Let the guard know of the head that the contract has."""
        where = self._deployment or expected_deployment(self.profile, self._publisher, self._instance.origin)
        if where is not None:
            try:
                # A node on another chain says nothing about this log.
                if self._chain.check_identity(where.contract, where.code_hash).state == "ok":
                    size, root = calls.read_head(self._chain, where.contract, where.log_id)
                    if size:
                        self._instance.guard.add_floor("contract", size, root)
            except ChainError as error:
                logger.info("the contract's head is not known: %s", error.code)
        return False

    def _step(self) -> bool:
        done = self._anchor()
        if isinstance(self._chain, NodesChain) and not self._is_following:
            self._nodes.show(self._chain.node_states, int(time.time()))
        return done

    def _anchor(self) -> bool:
        # The embedded chain is this process's own; whoever has lost the database must not go on with it.
        has_database = not self.profile.is_embedded or self._has_database()
        self._is_following = not (has_database and self._anchoring_lease.hold())
        if self._is_following:
            self._followed = self._board.read()
            return False
        if self._anchorer is not None:
            return self._anchorer.step()
        if self._deployment is None:
            code = self._reach()
            if code is not None:
                self._board.show(code, int(time.time()))
                return False
        assert self._deployment is not None  # noqa: S101 - reached just now
        instance = self._instance
        self._anchorer = Anchorer(
            instance.engine,
            self._chain,
            self._publisher,
            self._deployment,
            AnchorableLog(instance.engine, instance.signer),
            interval=instance.settings.anchor_interval,
            entries=instance.settings.anchor_entries,
        )
        return True

    def _reach(self) -> str | None:
        """Find the contract and the log in it; the code of what is in the way."""
        if self.profile.contract is None:
            # Deploying costs money: only the operator does it.
            return "no-contract"
        identity = self._chain.check_identity()
        if identity.state != "ok":
            return identity.state
        try:
            self._deployment = bring_up(
                self._chain, self._publisher, self._instance.origin, wait_seconds=_OPEN_WAIT
            )
        except ChainError as error:
            logger.warning("the log cannot be opened on the chain: %s", error.code)
            return error.code
        return None
