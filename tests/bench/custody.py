"""A chain of 10,000 custody events in one bundle, verified. Target: 3 s beside what the bundle takes anyway.

Every tenth is a hand-over, signed by two. Each was put on record alone, as things happen over the years: it
has a checkpoint of its own with a signature of its own, above 100,000 other entries.
"""

import hashlib
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

from mizheng.verifier.checkpoint import Checkpoint, TlogProof, sign_checkpoint
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.event import Event
from mizheng.verifier.members import custody_members
from mizheng.verifier.merkle import Tree
from mizheng.verifier.report import Report
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import Trust
from mizheng.verifier.verify import verify_bundle

from tests.support.custody import Chain, party
from tests.support.world import NOW, Company, Deposit, World, pack

COUNT = int(os.environ.get("BENCH_EVENTS", "10000"))
BELOW = 100_000
LONGEST = 3.0
CODES = ("custody.chain", "custody.signatures", "custody.log")
DIGEST = hashlib.sha256(b"evidence").hexdigest()


def make_documents(deposit: Deposit) -> list[bytes]:
    keys = {"company": deposit.company.key, "court": PrivateKey.generate()}
    chain = Chain(hashlib.sha256(deposit.envelope).hexdigest())
    holder, other = "company", "court"
    for number in range(COUNT):
        by, to = party(keys[holder], holder), None
        if number % 10 == 9:
            to = party(keys[other], other)
        event = chain.event("handover" if to else "inspection", by, to, before=DIGEST, after=DIGEST)
        chain.add(event, keys[holder], keys[other])
        if to:
            holder, other = other, holder
    return chain.documents


def make_members(world: World, deposit: Deposit, documents: list[bytes]) -> dict[str, bytes]:
    """Each event at the end of the log of its moment."""
    key = deposit.company.key
    events = [Event(key.public, hashlib.sha256(document).digest()).sign(key) for document in documents]
    tree = Tree([secrets.token_bytes(32) for _ in range(BELOW)] + [entry_leaf(event) for event in events])
    members: dict[str, bytes] = {}
    for place, (document, event) in enumerate(zip(documents, events, strict=True)):
        index = BELOW + place
        checkpoint = Checkpoint(world.signer.verifier.name, index + 1, tree.root(index + 1))
        hashes = tuple(tree.inclusion_proof(index, index + 1))
        proof = TlogProof(index, hashes, sign_checkpoint(checkpoint, world.signer)).dump()
        members |= dict(zip(custody_members(place + 1), (document, event, proof), strict=True))
    return members


def verify(path: Path, trust: Trust) -> tuple[Report, float]:
    started = time.perf_counter()
    report = verify_bundle(path, trust, now=NOW)
    return report, time.perf_counter() - started


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = World(folder)
        deposit = world.deposit(world.enrol(Company()))
        plain = world.bundle(deposit, [world.anchor()])
        trust = world.trust()
        paths = folder / "plain.zip", folder / "custody.zip"
        paths[0].write_bytes(pack(plain))
        paths[1].write_bytes(pack({**plain, **make_members(world, deposit, make_documents(deposit))}))
        _, without = verify(paths[0], trust)
        runs = [verify(paths[1], trust) for _ in range(3)]
    seconds = min(seconds for _, seconds in runs) - without
    report = runs[0][0]
    is_whole = all(
        any(check.code == code and check.status == "PASS" for check in report.checks) for code in CODES
    )
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{len(report.custody):,} custody events on {cores} cores at a load of {load:.1f}")
    print(f"verified, the best of three  {seconds:>6.2f} s    (target {LONGEST:.1f} s)")
    print(f"one event                    {seconds / COUNT * 1e6:>6.0f} µs")
    print(f"the bundle without them      {without:>6.2f} s")
    return 0 if is_whole and len(report.custody) == COUNT and seconds <= LONGEST else 1


if __name__ == "__main__":
    sys.exit(main())
