"""Nothing grows with the log: append, proof, checkpoint and restart at 10³, 10⁵ and 10⁷ entries.

Each log is made by direct writing (see `generated`), then served by a notary of its own. All requests over
HTTP on one kept-alive connection, medians. Proof: the evidence of a deposit, with its inclusion and its key's
in the present head. Restart: from starting the process to its first answer. The ends are compared.

MIZHENG_BENCH_SIZES="1000 20000" takes seconds.
"""

import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.generated import grow_log
from tests.bench.load import make_request, run_load
from tests.notary.depositor import TestDepositor
from tests.support.notary import NotaryServer

SIZES = [int(size) for size in os.environ.get("MIZHENG_BENCH_SIZES", "1000 100000 10000000").split()]
DEPOSITS, READS, RESTARTS = 60, 300, 3
BAR = 2.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, and bytes on the disk."""

    append: float
    proof: float
    checkpoint: float
    restart: float
    disk: int


def measure(folder: Path, size: int) -> Figures:
    server = NotaryServer(folder, MIZHENG_ANCHOR_INTERVAL="3600")
    with server:
        depositor = TestDepositor(server.url, *server.add_org())
        depositor.enrol()
    started = time.monotonic()
    grow_log(folder, size)
    made = time.monotonic() - started
    restarts = []
    for _ in range(RESTARTS):
        started = time.perf_counter()
        server.start()
        restarts.append((time.perf_counter() - started) * 1000)
        server.stop()
    with server:
        url, key = server.url, depositor.api_key
        _, deposit = depositor.deposit()
        append = [make_request(url, "/v1/deposits", depositor.envelope(), key) for _ in range(DEPOSITS)]
        proof = make_request(url, f"/v1/deposits/{deposit['id']}/evidence", api_key=key)
        checkpoint = make_request(url, "/checkpoint")
        figures = Figures(
            median_of(url, append),
            median_of(url, [proof] * READS),
            median_of(url, [checkpoint] * READS),
            statistics.median(restarts),
            sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        )
    print(
        f"{size:>12,} {figures.append:8.2f} {figures.proof:8.2f} {figures.checkpoint:8.2f} "
        f"{figures.restart:8.0f} {figures.disk / 10**6:8,.0f} {made:8.0f}",
        flush=True,
    )
    return figures


def median_of(url: str, requests: list[bytes]) -> float:
    return run_load(url, requests, 60, connections=1).percentile(50)


def main() -> int:
    print(f"load {os.getloadavg()[0]:.2f} (1 minute, before the run); SQLite; medians in ms")
    columns = ("append", "proof", "head", "restart", "disk, MB", "made, s")
    print(f"{'entries':>12} " + " ".join(f"{name:>8}" for name in columns))
    with tempfile.TemporaryDirectory(prefix="mizheng-scale-") as name:
        found = [measure(Path(name) / str(size), size) for size in SIZES]
    first, last = found[0], found[-1]
    ratios = {
        name: getattr(last, name) / getattr(first, name)
        for name in ("append", "proof", "checkpoint", "restart")
    }
    print(f"{SIZES[-1]:,} beside {SIZES[0]:,} entries (bar {BAR:.0f} x):")
    for name, ratio in ratios.items():
        print(f"  {name:<12} {ratio:5.2f} x")
    a_entry = (last.disk - first.disk) / max(1, SIZES[-1] - SIZES[0])
    print(f"disk           {a_entry:5.0f} bytes an entry, without envelopes")
    return 0 if all(ratio <= BAR for ratio in ratios.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
