"""Witnesses in the background of a serving notary: each is asked on a thread of its own.

Of several processes on one database one asks, by lease; when it dies, another one takes over.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from mizheng.notary.cosigning.asking import WitnessAsker
from mizheng.notary.cosigning.choosing import Chooser
from mizheng.notary.cosigning.witnesses import load_witnesses, own_keyids
from mizheng.notary.database import writing
from mizheng.notary.instance import Instance
from mizheng.notary.lease import make_lease
from mizheng.notary.log.head import load_head
from mizheng.notary.publishing.head import begin_publishing, end_publishing, find_published
from mizheng.notary.worker import Worker

# How soon a new head is noticed.
_PAUSE = 0.2


class WitnessKeeper:
    """Everything about witnesses while the notary serves; without a policy it does nothing."""

    def __init__(self, instance: Instance) -> None:
        self._engine = instance.engine
        self.setup = load_witnesses(instance.settings, own_keyids(instance))
        self._workers: list[Worker] = []
        self._askers: list[WitnessAsker] = []
        self._lease = make_lease(instance.engine, "witnessing")
        self._is_asking = False
        if self.setup is not None:
            chooser = Chooser(self._engine, self.setup)
            self._askers = [WitnessAsker(self._engine, peer) for peer in self.setup.peers]
            self._workers = [Worker("published head", partial(self._choose, chooser), _PAUSE)]
            self._workers += [
                Worker(f"witness {asker.name}", partial(self._ask, asker), _PAUSE) for asker in self._askers
            ]

    def start(self) -> None:
        with writing(self._engine) as connection:
            found = find_published(connection)
            if self.setup is None and found is not None:
                end_publishing(connection)
            elif self.setup is not None and found is None:
                begin_publishing(connection, load_head(connection), int(time.time()))
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End after the present requests; whatever they leave undone is done at the next start."""
        if self._workers:
            # Together: each may be in the middle of a request that nobody answers.
            with ThreadPoolExecutor(len(self._workers)) as pool:
                list(pool.map(Worker.stop, self._workers))
        for asker in self._askers:
            asker.close()
        self._lease.release()

    def _choose(self, chooser: Chooser) -> bool:
        # A lease belongs to one thread; the askers go by what this one was told last.
        self._is_asking = self._lease.hold()
        return self._is_asking and chooser.step()

    def _ask(self, asker: WitnessAsker) -> bool:
        return self._is_asking and asker.step()
