"""The hash tree in memory, beside pymerkle and sigstore-python's, which are installed into build/peers.

Building: 10⁶ leaf hashes to all levels and the root. pymerkle hashes the same entries and computes its root
over fewer leaves, for a million take it long; seconds an entry are compared. Proving and checking: one leaf
of the 10⁶, medians of many.
"""

import importlib
import os
import random
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from types import ModuleType

from mizheng.verifier.merkle import Tree, leaf_hash, verify_inclusion

from tests.tools.layout import ROOT

LEAVES = int(os.environ.get("MIZHENG_BENCH_LEAVES", 1_000_000))
PEER_LEAVES = max(1_000, LEAVES // 20)
PEERS = ROOT / "build" / "peers"
ROUNDS = 3
SAMPLES = 2_000
BAR_BUILD, BAR_BUILD_SECONDS, BAR_PROVE_US, BAR_CHECK = 10, 1.0, 10.0, 0.8


def install_peers() -> str:
    """Put both into a virtual environment of their own; empty, or why they cannot be had."""
    python = PEERS / "bin" / "python"
    if not (PEERS / ".done").exists():
        venv.create(PEERS, with_pip=True)
        command = [python, "-m", "pip", "install", "-q", "pymerkle>=6", "sigstore>=3"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1][:200]
        (PEERS / ".done").touch()
    # Pure Python as far as used here, and of the same interpreter.
    sys.path += [str(path) for path in PEERS.glob("lib/python*/site-packages")]
    return ""


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some rounds: whatever else runs here only slows one down."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def typical(work: Callable[[int], object], places: list[int]) -> float:
    """Microseconds, median over the places."""
    times = []
    for place in places:
        started = time.perf_counter()
        work(place)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def build_pymerkle(module: ModuleType, data: list[bytes]) -> float:
    """Seconds an entry."""

    def build() -> None:
        tree = module.InmemoryTree(algorithm="sha256")
        for item in data:
            tree.append_entry(item)
        tree.get_root()

    return fastest(build) / len(data)


def check_sigstore(merkle: ModuleType, tree: Tree, data: list[bytes], places: list[int]) -> float:
    """Microseconds a check; the same proofs, in the objects that it takes, made before."""
    proofs = {place: tree.inclusion_proof(place) for place in places}
    root, size = tree.root(), tree.size
    entries = {place: _sigstore_entry(data[place], place, size, root, proofs[place]) for place in places}
    return typical(lambda place: merkle.verify_merkle_inclusion(entries[place]), places)


class _Fields:
    """What sigstore-python's check reads of an entry, and nothing of its network formats."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)


def _sigstore_entry(data: bytes, place: int, size: int, root: bytes, hashes: list[bytes]) -> _Fields:
    proof = _Fields(log_index=place, tree_size=size, root_hash=root, hashes=hashes)
    inner = _Fields(inclusion_proof=proof, canonicalized_body=data, log_index=place)
    return _Fields(_inner=inner, inclusion_proof=proof, canonicalized_body=data)


def main() -> int:
    print(f"{LEAVES:,} leaves; load {os.getloadavg()[0]:.2f} (1 minute, before the run)")
    data = [number.to_bytes(8, "big") for number in range(LEAVES)]
    leaves = [leaf_hash(item) for item in data]
    built = fastest(lambda: Tree(leaves).root())
    hashed = fastest(lambda: Tree([leaf_hash(item) for item in data]).root()) / LEAVES
    tree = Tree(leaves)
    root = tree.root()
    places = [random.Random(number).randrange(LEAVES) for number in range(SAMPLES)]
    proofs = {place: tree.inclusion_proof(place) for place in places}
    proved = typical(tree.inclusion_proof, places)
    checked = typical(
        lambda place: verify_inclusion(leaves[place], place, LEAVES, proofs[place], root), places
    )
    print(f"build             {built:8.2f} s  (bar {BAR_BUILD_SECONDS:.1f} s)")
    print(f"proof made        {proved:8.1f} µs (bar {BAR_PROVE_US:.0f} µs)")
    print(f"proof checked     {checked:8.1f} µs")
    is_met = built <= BAR_BUILD_SECONDS * LEAVES / 1_000_000 and proved <= BAR_PROVE_US
    missing = install_peers()
    if missing:
        print(f"pymerkle and sigstore-python are not beside it: {missing}")
        return 0 if is_met else 1
    pymerkle = build_pymerkle(importlib.import_module("pymerkle"), data[:PEER_LEAVES])
    print(f"build, pymerkle   {pymerkle * LEAVES:8.2f} s, from {PEER_LEAVES:,} leaves")
    print(f"                  {pymerkle / hashed:8.1f} x ours, hashing leaves included (bar {BAR_BUILD} x)")
    theirs = check_sigstore(importlib.import_module("sigstore._internal.merkle"), tree, data, places)
    whole = typical(
        lambda place: verify_inclusion(leaf_hash(data[place]), place, LEAVES, proofs[place], root), places
    )
    print(f"checked, sigstore {theirs:8.1f} µs, from the entry's bytes; ours {whole:.1f} µs")
    print(f"                  {whole / theirs:8.2f} x theirs (bar {BAR_CHECK:.1f} x)")
    is_met = is_met and pymerkle / hashed >= BAR_BUILD and whole / theirs <= BAR_CHECK
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
