"""How quickly many small files are sealed: in the cache, from the disk, and again after a few changed.

Sealing makes both digests, a salted record of each file, the tree and a durable seal; with the library of the
extra `fast` where it is installed, and without. `hashdeep` walks and makes two digests (MD5, SHA-256) on two
threads; `sha256sum` under `xargs -P2` makes one digest in two processes.
"""

import os
import shutil
import sys
from pathlib import Path

from mizheng.cli.sealing.quick import find_quick
from mizheng.cli.sealing.sm3 import find_lanes

from tests.bench.sealing import SEAL, in_turns, make_files, missing, run, workshop

COUNT = int(os.environ.get("MIZHENG_BENCH_FILES", "100000"))
SIZE = 4096
BAR_HASHDEEP, BAR_SHA256SUM, BAR_OTS, BAR_COLD, BAR_AGAIN = 1.5, 0.6, 2.7, 2.0, 0.35
SHA256SUM = ["sh", "-c", "find small -type f -print0 | xargs -0 -P2 -n 500 sha256sum"]
# The same command on a machine that has no library for many SM3 at once.
PLAIN = """
import sys
from mizheng.cli.sealing import sm3
sm3.find_first = lambda load: None
from mizheng.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
# What `ots stamp` does before it asks a calendar: one digest, a nonce for each file, the tree over them.
STAMP = """
import os
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.timestamp import DetachedTimestampFile, make_merkle_tree
leaves = []
for folder, _folders, names in os.walk("small"):
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            stamp = DetachedTimestampFile.from_fd(OpSHA256(), file).timestamp
        leaves.append(stamp.ops.add(OpAppend(os.urandom(16))).ops.add(OpSHA256()))
make_merkle_tree(leaves)
"""
HASHDEEP = ["hashdeep", "-r", "-j2", "small"]


def show(found: dict[str, float]) -> None:
    for name, seconds in found.items():
        print(f"  {name:<22} {seconds:7.2f} s  {COUNT / seconds:>9,.0f} files/s")


def find_interpreter(program: str) -> str:
    """The Python that a script of that name is run by."""
    with Path(shutil.which(program) or program).open("rb") as file:
        return file.readline().decode().removeprefix("#!").strip()


def forget(paths: list[Path]) -> None:
    """Drop the files' content from the cache, one by one; their names and places stay."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def main() -> int:
    is_good = True
    with workshop() as (folder, environment):
        paths = make_files(folder / "small", COUNT, SIZE)
        os.sync()
        has_hashdeep = not missing("hashdeep", "Debian's hashdeep")
        lanes = find_lanes()
        print(f"SM3 of small files by {lanes.name if lanes else 'OpenSSL, one after another'}")
        print(f"{COUNT:,} files of {SIZE:,} B, in the cache")
        commands = {"mizheng seal": [*SEAL, "small"], "sha256sum, xargs -P2": SHA256SUM}
        if lanes:
            commands["mizheng, OpenSSL only"] = [sys.executable, "-c", PLAIN, "seal", "small"]
        if has_hashdeep:
            commands["hashdeep -j2"] = HASHDEEP
        has_stamping = not missing("ots", "pip install opentimestamps-client")
        if has_stamping:
            commands["OpenTimestamps"] = [find_interpreter("ots"), "-c", STAMP]
        found = in_turns(commands, folder, environment)
        show(found)
        full = found["mizheng seal"]
        ratio = found["sha256sum, xargs -P2"] / full
        print(f"  {ratio:.2f} x sha256sum (bar {BAR_SHA256SUM})")
        is_good &= ratio >= BAR_SHA256SUM
        if has_stamping:
            ratio = found["OpenTimestamps"] / full
            print(f"  {ratio:.2f} x OpenTimestamps (bar {BAR_OTS})")
            is_good &= ratio >= BAR_OTS
        if has_hashdeep:
            ratio = found["hashdeep -j2"] / full
            print(f"  {ratio:.2f} x hashdeep (bar {BAR_HASHDEEP})")
            is_good &= ratio >= BAR_HASHDEEP

        if has_hashdeep:
            print("the same, content from the disk")
            commands = {"mizheng seal": [*SEAL, "small"], "hashdeep -j2": HASHDEEP}
            found = in_turns(commands, folder, environment, lambda: forget(paths))
            show(found)
            ratio = found["hashdeep -j2"] / found["mizheng seal"]
            print(f"  {ratio:.2f} x hashdeep (bar {BAR_COLD})")
            is_good &= ratio >= BAR_COLD

        print(f"again, 0.1 % changed; what has not is gone through {'in C' if find_quick() else 'by Python'}")
        run([*SEAL, "small", "-o", "kept.seal"], folder, environment)
        for path in paths[:: max(1, len(paths) // max(1, COUNT // 1000))]:
            path.write_bytes(os.urandom(SIZE))
        again = [*SEAL, "small", "--since", "kept.seal", "-o", "again.seal"]
        found = in_turns({"everything": [*SEAL, "small"], "--since": again}, folder, environment)
        show(found)
        ratio = found["--since"] / found["everything"]
        print(f"  {ratio:.2f} x (bar {BAR_AGAIN})")
        is_good &= ratio <= BAR_AGAIN
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
