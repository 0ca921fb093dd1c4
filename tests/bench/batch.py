"""`POST /v1/deposits:batch`, beside checking the signatures of the same envelopes alone.

A batch of 1,000 envelopes: each is parsed and checked, appended, durable under a signed checkpoint and
answered for itself. Alone: one process checks the same Ed25519 signatures over messages that are parsed
already, and does nothing else. All take turns. The bar is over `cryptography`; the notary itself asks
libsodium first where it is installed, which is shown beside it: by that the checks became quicker, all else
did not, and so the ratio is a lower one.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from mizheng.verifier import dsse
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, parse_statement

from tests.bench.load import make_request, run_load
from tests.notary.depositor import TestDepositor
from tests.support.notary import NotaryServer

ROUNDS = int(os.environ.get("MIZHENG_BENCH_ROUNDS", "5"))
ENVELOPES, BATCHES = 1_000, 6
# Two batches under way: while one is being committed, the other is checked.
CONNECTIONS = 2
BAR = 0.6
# As the embedded chain has it without configuration.
ANCHOR_SECONDS = "2"


def check_alone(envelopes: list[bytes]) -> tuple[float, float]:
    """Signatures a second: by `cryptography`, and as the notary checks them."""
    parsed = [dsse.parse(envelope, STATEMENT_PAYLOAD_TYPE) for envelope in envelopes]
    keys = [parse_statement(envelope.payload).public_key for envelope in parsed]
    messages = [dsse.pre_authentication_encoding(found.payload_type, found.payload) for found in parsed]
    signed = [
        (key, Ed25519PublicKey.from_public_bytes(key.raw), envelope.signatures[0][1], message)
        for key, envelope, message in zip(keys, parsed, messages, strict=True)
    ]
    started = time.perf_counter()
    for _, plain, signature, message in signed:
        plain.verify(signature, message)
    between = time.perf_counter()
    for key, _, signature, message in signed:
        key.verify(signature, message)
    ended = time.perf_counter()
    return len(signed) / (between - started), len(signed) / (ended - between)


def main() -> int:
    print(f"{ENVELOPES:,} envelopes a batch, {CONNECTIONS} connections, medians of {ROUNDS} rounds, SQLite")
    print(f"load {os.getloadavg()[0]:.2f} (1 minute, before the run)")
    environment = {"MIZHENG_ANCHOR_INTERVAL": ANCHOR_SECONDS}
    with (
        tempfile.TemporaryDirectory() as folder,
        NotaryServer(Path(folder) / "notary", **environment) as server,
    ):
        depositor = TestDepositor(server.url, *server.add_org())
        depositor.enrol()
        rounds = []
        for number in range(ROUNDS + 1):
            batches = [[depositor.envelope() for _ in range(ENVELOPES)] for _ in range(BATCHES)]
            requests = [
                make_request(server.url, "/v1/deposits:batch", b"\n".join(batch), depositor.api_key)
                for batch in batches
            ]
            alone = check_alone([envelope for batch in batches for envelope in batch])
            load = run_load(server.url, requests, 60, connections=CONNECTIONS, server=server.pid)
            if number:  # the first round warms up
                processor = load.server_ms / ENVELOPES * 1000
                rounds.append((*alone, load.rate * ENVELOPES, max(load.latencies), processor))
    columns = list(zip(*rounds, strict=True))
    alone, own, together, slowest, processor = (statistics.median(column) for column in columns)
    ratio = statistics.median(rate / reference for reference, _, rate, *_ in rounds)
    own_ratio = statistics.median(rate / reference for _, reference, rate, *_ in rounds)
    print(
        f"signatures alone  {alone:8,.0f} envelopes/s by cryptography, {own:,.0f} as the notary checks them"
    )
    print(f"batches           {together:8,.0f} envelopes/s")
    print(f"ratio             {ratio:8.2f} (bar {BAR:.2f}); {own_ratio:.2f} to the second")
    print(f"slowest batch     {slowest * 1000:8.0f} ms")
    # Says what others on the machine cannot blur as much.
    print(f"processor         {processor:8.0f} µs of the server for an envelope")
    return 0 if ratio >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
