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
from pathlib import Path

from tests.bench.generated import grow_log
from tests.bench.load import make_request, run_load
from tests.notary.depositor import TestDepositor
from tests.support.notary import NotaryServer

SIZES = [int(size) for size in os.environ.get("MIZHENG_BENCH_SIZES", "1000 100000 10000000").split()]
ROUNDS, DEPOSITS, READS = 5, 12, 60
BAR = 2.0


class Log:
    """A notary over a log of one size, and what was measured of it, in milliseconds."""

    def __init__(self, folder: Path, size: int) -> None:
        self.size = size
        self._folder = folder
        self._server = NotaryServer(folder, MIZHENG_ANCHOR_INTERVAL="3600")
        with self._server as server:
            self._depositor = TestDepositor(server.url, *server.add_org())
            self._depositor.enrol()
        started = time.monotonic()
        grow_log(folder, size)
        self.made_in = time.monotonic() - started
        self.disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        self.times: dict[str, list[float]] = {"append": [], "proof": [], "head": [], "restart": []}

    def measure(self) -> None:
        """One round, from a start of the server to its end."""
        started = time.perf_counter()
        with self._server as server:
            self.times["restart"].append((time.perf_counter() - started) * 1000)
            url, key = server.url, self._depositor.api_key
            _, deposit = self._depositor.deposit()
            evidence = make_request(url, f"/v1/deposits/{deposit['id']}/evidence", api_key=key)
            envelopes = [self._depositor.envelope() for _ in range(DEPOSITS)]
            for name, requests in (
                ("append", [make_request(url, "/v1/deposits", envelope, key) for envelope in envelopes]),
                ("proof", [evidence] * READS),
                ("head", [make_request(url, "/checkpoint")] * READS),
            ):
                load = run_load(url, requests, 60, connections=1)
                self.times[name] += [latency * 1000 for latency in load.latencies]

    def median(self, name: str) -> float:
        return statistics.median(self.times[name])


def main() -> int:
    print(f"load {os.getloadavg()[0]:.2f} (1 minute, before the run); SQLite; medians in ms")
    with tempfile.TemporaryDirectory(prefix="mizheng-scale-") as name:
        logs = [Log(Path(name) / str(size), size) for size in SIZES]
        for _ in range(ROUNDS):
            # In turns: whatever else the machine does meets them all.
            for log in logs:
                log.measure()
    measured = ("append", "proof", "head", "restart")
    print(f"{'entries':>12} " + " ".join(f"{column:>8}" for column in (*measured, "disk, MB", "made, s")))
    for log in logs:
        figures = " ".join(f"{log.median(what):8.2f}" for what in measured)
        print(f"{log.size:>12,} {figures} {log.disk / 10**6:8,.0f} {log.made_in:8.0f}")
    ratios = {what: logs[-1].median(what) / logs[0].median(what) for what in measured}
    print(f"{SIZES[-1]:,} beside {SIZES[0]:,} entries (bar {BAR:.0f} x):")
    for what, ratio in ratios.items():
        print(f"  {what:<8} {ratio:5.2f} x")
    print(f"disk: {logs[-1].disk / SIZES[-1]:.0f} bytes an entry, without envelopes")
    return 0 if all(ratio <= BAR for ratio in ratios.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
