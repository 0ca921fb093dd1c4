"""The clerk's page of a certificate over HTTP: published, so that all of it is shown, and masked.

One notary process, limiter off; 64 kept-alive connections ask for one page. The row is one read by its key.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path

from mizheng.notary.database import create_engine

from tests.bench.load import CONNECTIONS, make_request, run_load
from tests.notary.depositor import register
from tests.support.certificates import issue
from tests.support.notary import NotaryServer

ROUNDS = int(os.environ.get("MIZHENG_BENCH_ROUNDS", "5"))
SECONDS = 2.0
BAR = 500


def main() -> int:
    print(f"{CONNECTIONS} connections, medians of {ROUNDS} rounds of {SECONDS:.0f} s, limiter off")
    print(f"load {os.getloadavg()[0]:.2f} (1 minute, before the run)")
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        data_dir = Path(name) / "data"
        data_dir.mkdir()
        (data_dir / "notary.toml").write_text("[pages]\nper_minute = 0\n")
        with NotaryServer(data_dir, MIZHENG_ANCHOR_INTERVAL="0.5") as server:
            depositor = register(server, create_engine(f"sqlite:///{data_dir / 'mizheng.db'}"))
            depositor.enrol()
            issued = issue(depositor)
            asked = [make_request(server.url, "/certificates/" + issued.number)]
            for visibility in ("masked", "published"):
                issued.show(visibility)
                rounds = [
                    run_load(server.url, asked, SECONDS, again=True, server=server.pid) for _ in range(ROUNDS)
                ]
                rates[visibility] = statistics.median(found.rate for found in rounds)
                cost = statistics.median(found.server_ms for found in rounds)
                print(
                    f"{visibility:<10}{rates[visibility]:8,.0f} pages/s (bar {BAR}), "
                    f"{cost:.2f} ms of the server's processor time each"
                )
    return 0 if min(rates.values()) >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
