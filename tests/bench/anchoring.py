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

from tests.notary.chain.support import Place, make_node_place
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
        for row in place.rows()[-3:]:
            prepared.setdefault(row.tree_size, now)
            if row.state in ("mined", "final"):
                mined.setdefault(row.tree_size, time.monotonic())
        if not done:
            time.sleep(PAUSE)
    return prepared, mined, steps


def settle(place: Place) -> None:
    """Until everything is final."""
    anchorer = place.anchorer(log=_Standing(place.log.head()), elapsed=time.monotonic)
    deadline = time.monotonic() + 60
    while any(row.state not in ("final", "failed") for row in place.rows()):
        place.clock.now = time.time()
        if not anchorer.step():
            time.sleep(PAUSE)
        assert time.monotonic() < deadline, "not everything becomes final"


class _Standing:
    """A log that grows no more: its newest head is not begun."""

    def __init__(self, head: tuple[int, bytes, bytes]) -> None:
        self._head = head

    def head(self) -> tuple[int, bytes, bytes]:
        return 0, *self._head[1:]


def main() -> int:
    try:
        with tempfile.TemporaryDirectory() as folder, Anvil(slots_in_an_epoch=SLOTS, block_time=1) as node:
            place = make_node_place(Path(folder), node, rule="finalized")
            version = node.rpc("web3_clientVersion")
            first = node.block_number()
            prepared, mined, steps = run(place, SECONDS)
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
    print(f"about {ENTRIES} new entries a second; one process asks every {PAUSE:.2f} s; {steps} steps")
    print(f"blocks                                {blocks:>8}")
    print(f"anchors in a block                    {len(mined):>8}   a block: {share:.2f}")
    print(f"anchors final, evidence checked       {sum(row.state == 'final' for row in rows):>8}")
    print(f"failed                                {sum(row.state == 'failed' for row in rows):>8}")
    median = statistics.median(waits)
    print(f"from written down to seen in a block  {median:>8.2f} s, longest {max(waits):.2f} s")
    print(f"  the first tenth {early:.2f} s, the last tenth {late:.2f} s")
    kept_up = share >= LEAST_SHARE and late < early + 1 and all(row.state == "final" for row in rows)
    print("kept up" if kept_up else "NOT kept up")
    return 0 if kept_up else 1


if __name__ == "__main__":
    sys.exit(main())
