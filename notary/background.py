"""The chain in the background of a serving notary: opened, looked after, and closed.

The embedded chain is opened before the notary listens: it is there or it is an error. A node may be down:
deposits go on, the board says why anchoring waits, and it is tried again until it answers.
"""

import logging
import time

from mizheng.notary.anchoring import Anchorer
from mizheng.notary.chain.deploy import Deployment, bring_up
from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.notary.chain.open import open_chain
from mizheng.notary.chain.profiles import ChainProfile, parse_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.status import StatusBoard
from mizheng.notary.instance import PUBLISHER_FILE, Instance
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


class ChainKeeper:
    """One chain and one log: an anchorer, and who collects observations, each on a thread of its own."""

    def __init__(self, instance: Instance) -> None:
        settings = instance.settings
        self._instance = instance
        self._publisher = Publisher.load_or_create(settings.keys_dir / PUBLISHER_FILE)
        peers = parse_observers(settings.observers)
        self._chain: Chain = open_chain(
            parse_profile(settings.chain), settings.data_dir, self._publisher.address
        )
        self._board = StatusBoard(instance.engine, self.profile.name)
        self._deployment: Deployment | None = None
        self._anchorer: Anchorer | None = None
        pause = _TRIAL_PAUSE if self.profile.is_embedded else _CHAIN_PAUSE
        self._workers = [Worker("anchorer", self._step, pause)]
        self._collector: ObservationCollector | None = None
        if peers:
            self._collector = ObservationCollector(instance.engine, self.profile, peers)
            self._workers.append(Worker("observations", self._collector.step, pause))
        if self.profile.is_embedded:
            self._deployment = bring_up(self._chain, self._publisher, instance.origin)

    @property
    def profile(self) -> ChainProfile:
        """With its genesis, also for the embedded chain."""
        return self._chain.profile

    @property
    def deployment(self) -> Deployment | None:
        """Where the log is open; None while the chain has not been reached."""
        return self._deployment

    @property
    def waiting_for(self) -> str | None:
        """What holds anchoring up, as a code; None if nothing does but time."""
        return self._board.waiting_for if self._anchorer is None else self._anchorer.waiting_for

    @property
    def observers(self) -> dict[str, str]:
        """By name: ok, or the code of what went wrong when it was asked last."""
        return {} if self._collector is None else dict(self._collector.states)

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

    def _step(self) -> bool:
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
