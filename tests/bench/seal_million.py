"""A million files in one seal: memory, opening one of them, and guessing a closed one."""

import hashlib
import hmac
import json
import os
import sys
import time

from mizheng.cli.bundling.make import open_records
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.verifier.merkle import leaf_hash

from tests.bench.sealing import SEAL, fill, run, workshop

COUNT = int(os.environ.get("MIZHENG_BENCH_MILLION", "1000000"))
GUESSES = 1_000_000
# Who starts a process lends it its own size until it is a program, and the kernel counts that: so a small one
# starts it. The largest of all processes that have ended: the seal's own and its workers.
WATCH = """
import pathlib, resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
pathlib.Path("memory").write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
BAR_MEMORY_MIB, BAR_OPEN_SECONDS = 400, 1.5


def main() -> int:
    with workshop() as (folder, environment):
        for _path in fill(folder / "small", COUNT, 64):
            pass
        seconds = run([sys.executable, "-c", WATCH, *SEAL, "small", "-o", "kept.seal"], folder, environment)
        memory = int((folder / "memory").read_text()) / 1024
        size = (folder / "kept.seal").stat().st_size
        print(
            f"{COUNT:,} files sealed in {seconds:.1f} s, {COUNT / seconds:,.0f} files/s, {size / 1e6:.0f} MB"
        )
        print(f"  largest process {memory:.0f} MiB (bar {BAR_MEMORY_MIB})")
        label = f"small/{COUNT // 2 // 500:04}/文件 {COUNT // 2:07}.bin".encode()
        started = time.perf_counter()
        with Seal(folder / "kept.seal") as seal:
            content = open_seal(seal, folder / "home")
            selection = Selection([os.fsdecode(label)])
            (opened,) = open_records(content, selection, unasked={"environment": False}).opened
        taken = time.perf_counter() - started
        print(f"  one record opened with its proof in {taken:.2f} s (bar {BAR_OPEN_SECONDS})")

        # The strongest guess: everything about the record is known but its salt.
        fields = json.loads(opened.record)
        target, found = leaf_hash(opened.record), 0
        before, after = opened.record.split(fields["salt"].encode())
        started = time.perf_counter()
        for number in range(GUESSES):
            salt = hmac.digest(b"a dictionary", number.to_bytes(8, "big"), "sha256").hex().encode()
            found += hashlib.sha256(b"\x00" + before + salt + after).digest() == target
        guessing = time.perf_counter() - started
        print(f"  {GUESSES:,} guesses at a closed record in {guessing:.1f} s: {found} found")
    return 0 if memory <= BAR_MEMORY_MIB and taken <= BAR_OPEN_SECONDS and not found else 1


if __name__ == "__main__":
    sys.exit(main())
