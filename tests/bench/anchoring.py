"""Whether anchoring keeps up with a chain of one block per second: python -m tests.bench.anchoring

The log grows all the time and every head is anchored as soon as the one before it is in a block. Kept up
means: nearly every block has an anchor, none waits longer at the end than at the beginning, all become final,
and every evidence checks. Half a minute by default; MIZHENG_BENCH_SECONDS=600 for ten.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from mizheng.notary.chain.tables import anchors
from mizheng.notary.database import reading
from mizheng.verifier.merkle import Tree
from sqlalchemy import select

from tests.notary.chain.support import MemoryLog, Place, make_node_place
from tests.support.anvil import Anvil
from tests.support.tools import ToolError

SECONDS = int(os.environ.get("MIZHENG_BENCH_SECONDS", "30"))
# The anchorer asks so often whether something has happened.
PAUSE = 0.05
ENTRIES = 16
# Finalized is four blocks behind the head.
SLOTS = 2
# A block that comes while an anchor is being made goes without one now and then.
LEAST_SHARE = 0.9


def run(place: Place, seconds: float) -> tuple[dict[int, float], dict[int, float], int]:
    """When each head was written down and when it was seen in a block, and how many steps it took."""
    anchorer = place.anchorer(elapsed=time.monotonic)
    prepared: dict[int, float] = {}
    mined: dict[int, float] = {}
    end, steps, grown = time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < end:
        now = time.monotonic()
        if now - grown >= 1 / ENTRIES:
            place.log.grow()
            grown = now
        place.clock.now = time.time()
        done = anchorer.step()
        steps += 1
        for size, state in newest_states(place):
            prepared.setdefault(size, now)
            if state in ("mined", "final"):
                mined.setdefault(size, time.monotonic())
        if not done:
            time.sleep(PAUSE)
    return prepared, mined, steps


def settle(place: Place) -> None:
    """Until everything is final."""
    anchorer = place.anchorer(log=Standing(), elapsed=time.monotonic)
    deadline = time.monotonic() + 60
    while any(row.state not in ("final", "failed") for row in place.rows()):
        place.clock.now = time.time()
        if not anchorer.step():
            time.sleep(PAUSE)
        assert time.monotonic() < deadline, "not everything becomes final"


def newest_states(place: Place) -> list[tuple[int, str]]:
    """Size and state of the newest anchors, without their evidence: asking must cost next to nothing."""
    query = select(anchors.c.tree_size, anchors.c.state).order_by(anchors.c.id.desc()).limit(3)
    with reading(place.engine) as connection:
        return [(row.tree_size, row.state) for row in connection.execute(query)]


class GrowingLog(MemoryLog):
    """All its entries are hashed before the clock starts: what is measured is not this tree's speed."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self._tree = Tree(self._leaves)
        self.size = 1

    def grow(self, count: int = 1) -> None:
        if hasattr(self, "size"):
            self.size = min(self.size + count, len(self._leaves))
        else:
            super().grow(count)

    def root(self, size: int) -> bytes:
        return self._tree.root(size)

    def head(self) -> tuple[int, bytes, bytes]:
        return self.size, self.root(self.size), b"note %d" % self.size

    def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        return self._tree.consistency_proof(old_size, new_size)


class Standing(MemoryLog):
    """A log in which nothing is to be anchored any more."""


def main() -> int:
    try:
        with tempfile.TemporaryDirectory() as folder, Anvil(slots_in_an_epoch=SLOTS, block_time=1) as node:
            place = make_node_place(Path(folder), node, rule="finalized")
            place.log = GrowingLog(SECONDS * ENTRIES + 1)
            version = node.rpc("web3_clientVersion")
            first = node.block_number()
            worked = time.process_time()
            prepared, mined, steps = run(place, SECONDS)
            worked = time.process_time() - worked
            blocks = node.block_number() - first
            settle(place)
            rows = place.rows()
            for row in rows:
                place.check(row.evidence_final)
            place.engine.dispose()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    waits = [mined[size] - prepared[size] for size in sorted(mined)]
    tenth = max(1, len(waits) // 10)
    early, late = statistics.median(waits[:tenth]), statistics.median(waits[-tenth:])
    share = len(mined) / blocks
    print(f"{SECONDS} s on {version}, a block each second, finalized {2 * SLOTS} blocks behind; SQLite;")
    print(f"other work on the machine: load average {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors")
    print(f"about {ENTRIES} new entries a second; one process asks every {PAUSE:.2f} s; {steps} steps")
    print(f"blocks                                {blocks:>8}")
    print(f"anchors in a block                    {len(mined):>8}   a block: {share:.2f}")
    print(f"anchors final, evidence checked       {sum(row.state == 'final' for row in rows):>8}")
    print(f"failed                                {sum(row.state == 'failed' for row in rows):>8}")
    median = statistics.median(waits)
    print(f"from written down to seen in a block  {median:>8.2f} s, longest {max(waits):.2f} s")
    print(f"  the first tenth {early:.2f} s, the last tenth {late:.2f} s")
    print(f"processor of one anchor, all its steps {worked / len(mined) * 1000:>7.0f} ms (the node's apart)")
    kept_up = share >= LEAST_SHARE and late < early + 1 and all(row.state == "final" for row in rows)
    print("kept up" if kept_up else "NOT kept up")
    return 0 if kept_up else 1


if __name__ == "__main__":
    sys.exit(main())
