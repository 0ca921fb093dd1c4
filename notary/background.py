"""The chain in the background of a serving notary: opened, looked after, and closed.

The embedded chain is opened before the notary listens: it is there or it is an error. A node may be down: deposits
go on, the board says why anchoring waits, and it is tried again until it answers.
"""

import logging
import threading
import time

from mizheng.notary.anchoring import Anchorer
from mizheng.notary.chain.deploy import Deployment, bring_up
from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.notary.chain.open import open_chain
from mizheng.notary.chain.profiles import ChainProfile, parse_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.status import StatusBoard
from mizheng.notary.instance import Instance
from mizheng.notary.log.anchorable import AnchorableLog

logger = logging.getLogger(__name__)

PUBLISHER_FILE = "publisher.key"
# How soon a finished block of the embedded chain, or of a real one, is noticed.
_TRIAL_PAUSE = 0.3
_CHAIN_PAUSE = 2.0
# A node that is down is asked again after this long.
_RETRY_PAUSE = 5.0
# Deploying and opening on a real chain is `mizheng-notary chain deploy`; here only a stuck opening is waited for.
_OPEN_WAIT = 30.0


class ChainKeeper:
    """One chain, one log, one thread."""

    def __init__(self, instance: Instance) -> None:
        settings = instance.settings
        self._instance = instance
        self._publisher = Publisher.load_or_create(settings.keys_dir / PUBLISHER_FILE)
        self._chain: Chain = open_chain(
            parse_profile(settings.chain), settings.data_dir, self._publisher.address
        )
        self._board = StatusBoard(instance.engine, self.profile.name)
        self._deployment: Deployment | None = None
        self._anchorer: Anchorer | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="anchorer", daemon=True)
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

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the present step; whatever it leaves undone is done at the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._chain.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = _TRIAL_PAUSE if self.profile.is_embedded else _CHAIN_PAUSE
            try:
                if self._anchorer is None:
                    self._anchorer = self._open()
                if self._anchorer is None:
                    pause = _RETRY_PAUSE
                elif self._anchorer.step():
                    continue
            except Exception:
                # The database may be away for a moment. An anchorer that gives up would go unnoticed for long.
                logger.exception("anchoring failed; it is tried again")
                pause = _RETRY_PAUSE
            self._stopping.wait(pause)

    def _open(self) -> Anchorer | None:
        """The anchorer, once the chain answers and the log is open on it."""
        if self._deployment is None:
            code = self._reach()
            if code is not None:
                self._board.show(code, int(time.time()))
                return None
        assert self._deployment is not None  # noqa: S101 - reached just now
        instance = self._instance
        return Anchorer(
            instance.engine,
            self._chain,
            self._publisher,
            self._deployment,
            AnchorableLog(instance.engine, instance.signer),
            interval=instance.settings.anchor_interval,
        )

    def _reach(self) -> str | None:
        """Find the contract and the log in it; the code of what is in the way."""
        if self.profile.contract is None:
            # Deploying costs money: only the operator does it.
            return "no-contract"
        identity = self._chain.check_identity()
        if identity.state != "ok":
            logger.warning("the chain cannot be used: %s", identity.state)
            return identity.state
        try:
            self._deployment = bring_up(
                self._chain, self._publisher, self._instance.origin, wait_seconds=_OPEN_WAIT
            )
        except ChainError as error:
            logger.warning("the log cannot be opened on the chain: %s", error)
            return error.code
        return None
