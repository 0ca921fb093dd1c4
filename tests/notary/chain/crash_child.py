"""A process that anchors as fast as it can on the embedded chain, to be killed: `crash_child FOLDER`.

Prints one line for each head that is final in its database.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from mizheng.notary.anchoring.anchorer import Anchorer
from mizheng.notary.chain.deploy import bring_up
from mizheng.notary.chain.embedded import EmbeddedChain
from mizheng.notary.chain.profiles import embedded_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner

from tests.notary.chain.support import ORIGIN, MemoryLog, make_engine


class FastClock:
    """A hundred seconds in one: a block every ten milliseconds."""

    def __call__(self) -> float:
        return time.time() * 100


def main(folder: Path) -> None:
    clock = FastClock()
    publisher = Publisher(KeyFileSigner.load_or_create(folder / "publisher.key"))
    chain = EmbeddedChain(folder / "chain.db", embedded_profile(), publisher.address, clock=clock)
    deployment = bring_up(chain, publisher, ORIGIN)
    print("genesis", chain.profile.genesis_hash.hex(), flush=True)
    log = MemoryLog(1)
    anchorer = Anchorer(make_engine(folder), chain, publisher, deployment, log, interval=0.0, clock=clock)
    while True:
        if anchorer.step():
            print("head", chain.head().number, flush=True)
        else:
            log.grow(1)
            time.sleep(0.002)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
