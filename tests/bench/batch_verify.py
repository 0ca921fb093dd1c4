"""10,000 bundles of one log checked in one run: `mizheng verify --batch`, as a process of its own.

All stand on one anchor and one checkpoint, as deposits of one interval do; a hundred different ones, each a
hundred times. Target: a run to its end, 250 a second on two cores, with the memory of one process and a
worker a core, whatever the number of bundles. Printed beside it: the same bundles one after the other in
this process, without a memory, for the first few hundred of them.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mizheng.verifier.trust import dump_trust
from mizheng.verifier.verify import verify_bundle

from tests.support.world import NOW, Company, World, pack

COUNT = int(os.environ.get("BENCH_BUNDLES", "10000"))
ALONE = 300
# A worker reads one bundle at a time; Python with the verifier has some 60 MiB.
MOST_MIB = 256
LEAST_RATE = 250


def make(folder: Path) -> list[Path]:
    """COUNT bundles, each of a deposit of its own."""
    world = World(folder)
    company = world.enrol(Company())
    deposits = [world.deposit(company, {"a": b"%d" % n}, beacon=False) for n in range(100)]
    anchor = world.anchor()
    members = [world.bundle(deposit, [anchor], ("a",)) for deposit in deposits]
    (folder / "trust.toml").write_bytes(dump_trust(world.trust()))
    (folder / "bundles").mkdir()
    paths = []
    for number in range(COUNT):
        path = folder / "bundles" / f"{number:06}.zip"
        path.write_bytes(pack(members[number % len(members)]))
        paths.append(path)
    return paths


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make(folder)
        started = time.perf_counter()
        trust = None
        for path in paths[:ALONE]:
            verify_bundle(path, trust, now=NOW)
        alone = (time.perf_counter() - started) / min(ALONE, COUNT)
        command = [
            sys.executable,
            "-m",
            "mizheng.cli",
            "verify",
            "--batch",
            str(folder / "bundles"),
            "--json",
        ]
        started = time.perf_counter()
        run = subprocess.run(
            [*command, "--trust", str(folder / "trust.toml")], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak, worked = used.ru_maxrss // 1024, used.ru_utime + used.ru_stime
        found = json.loads(run.stdout)
    rate = found["bundles"] / seconds
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{found['bundles']:,} bundles of one log in {seconds:.1f} s; {found['valid']:,} valid")
    print(f"a second, on {cores} cores at a load of {load:.1f}   {rate:>6,.0f}   (target {LEAST_RATE})")
    print(f"processor of one                     {worked / COUNT * 1000:>6.1f} ms")
    print(f"the largest process                  {peak:>6} MiB   (target {MOST_MIB})")
    print(f"one after the other without a memory {alone * 1000:>6.1f} ms each")
    is_whole = run.returncode == 0 and found["valid"] == COUNT
    return 0 if is_whole and peak <= MOST_MIB and rate >= LEAST_RATE else 1


if __name__ == "__main__":
    sys.exit(main())
