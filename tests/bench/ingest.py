"""One real deposit over HTTP, beside the same FastAPI application answering a constant.

Real: the envelope's Ed25519 signature is checked, the company's key looked up, the entry is durable and in
the log, the checkpoint over it is signed, and only then it is answered. The notary is one process as it is
installed, anchoring on its embedded chain meanwhile. Both take turns, over 64 kept-alive connections from a
load generator on the same cores; a round's real figure is compared with the constant's of the same round.
"""

import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.constant import constant_server, server_parts
from tests.bench.load import CONNECTIONS, Load, make_request, run_load
from tests.notary.depositor import TestDepositor
from tests.support.notary import NotaryServer
from tests.support.postgres import PostgresMissing, running_postgres

ROUNDS = int(os.environ.get("MIZHENG_BENCH_ROUNDS", "5"))
SECONDS = 3.0
# More than are answered in a round; a round ends early rather than send one twice.
DEPOSITS_A_ROUND = 9_000
BAR_RATIO, BAR_P50_MS, BAR_P99_MS = 0.40, 50.0, 100.0
# As the embedded chain has it without configuration.
ANCHOR_SECONDS = "2"


class Notary:
    """A running notary with one company, and as many envelopes of it as are asked for."""

    def __init__(self, server: NotaryServer) -> None:
        self._depositor = TestDepositor(server.url, *server.add_org())
        self._depositor.enrol()
        self.url, self._process = server.url, server.pid

    def requests(self, count: int) -> list[bytes]:
        """Made before a round: what is measured is the notary and not the clients' signing."""
        make, key = self._depositor.envelope, self._depositor.api_key
        return [make_request(self.url, "/v1/deposits", make(), key) for _ in range(count)]

    def load(self, seconds: float, count: int) -> Load:
        return run_load(self.url, self.requests(count), seconds, server=self._process)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """URLs of the databases that are here; an empty one means the notary's own SQLite."""
    with ExitStack() as stack:
        found = {"SQLite": ""}
        try:
            found["PostgreSQL"] = stack.enter_context(running_postgres()).create()
        except PostgresMissing as missing:
            print(f"PostgreSQL is not measured: {missing}")
        yield found


def measure(database: str, url: str, constant_url: str, constant_process: int) -> bool:
    """Whether all bars are met."""
    environment = {"MIZHENG_ANCHOR_INTERVAL": ANCHOR_SECONDS} | ({"MIZHENG_DATABASE_URL": url} if url else {})
    with (
        tempfile.TemporaryDirectory() as folder,
        NotaryServer(Path(folder) / "notary", **environment) as server,
    ):
        notary = Notary(server)
        constant_requests = [
            make_request(constant_url, "/v1/deposits", body.partition(b"\r\n\r\n")[2], "mzk_" + "A" * 43)
            for body in notary.requests(200)
        ]
        notary.load(1.0, 1_000)
        rounds = []
        for _ in range(ROUNDS):
            constant = run_load(constant_url, constant_requests, SECONDS, again=True, server=constant_process)
            rounds.append((constant, notary.load(SECONDS, DEPOSITS_A_ROUND)))
    ratio = statistics.median(real.rate / constant.rate for constant, real in rounds)
    p50, p99 = (statistics.median(real.percentile(rank) for _, real in rounds) for rank in (50, 99))
    still = [statistics.median(constant.percentile(rank) for constant, _ in rounds) for rank in (50, 99)]
    slowest = max(itertools.chain.from_iterable(real.latencies for _, real in rounds)) * 1000
    processor = [statistics.median(load.server_ms for load in loads) for loads in zip(*rounds, strict=True)]
    print(f"{database}, one server process")
    rate = statistics.median(constant.rate for constant, _ in rounds)
    # What the machine itself does to those that take long: nothing of ours is in a constant.
    print(f"  constant  {rate:8,.0f} requests/s, p50 {still[0]:.1f} ms, p99 {still[1]:.1f} ms")
    print(f"  deposits  {statistics.median(real.rate for _, real in rounds):8,.0f} requests/s")
    print(f"  ratio     {ratio:8.2f} (bar {BAR_RATIO:.2f})")
    print(f"  p50       {p50:8.1f} ms (bar {BAR_P50_MS:.0f} ms)")
    print(f"  p99       {p99:8.1f} ms (bar {BAR_P99_MS:.0f} ms); the slowest of all {slowest:.1f} ms")
    # Says what others on the machine cannot blur as much: how busy the server's one process was with it.
    print(
        f"  processor {processor[1]:8.3f} ms of the server for a deposit, {processor[0]:.3f} ms for a "
        f"constant: {processor[0] / processor[1]:.2f}"
    )
    return ratio >= BAR_RATIO and p50 <= BAR_P50_MS and p99 <= BAR_P99_MS


def main() -> int:
    print(f"{CONNECTIONS} connections, medians of {ROUNDS} rounds of {SECONDS:.0f} s each, Ed25519, durable")
    print(f"load {os.getloadavg()[0]:.2f} (1 minute, before the run); both servers on {server_parts()}")
    with databases() as found, constant_server() as constant:
        results = [measure(name, url, *constant) for name, url in found.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
