"""How quickly large files are sealed, and one small one, beside stock programs on the same input.

Sealing reads a file once and makes both digests, SHA-256 and SM3; the slower one is SM3. All input is in the
cache. Whole processes are timed, from start to a seal that is durable on the disk.
"""

import os
import sys

from tests.bench.sealing import SEAL, in_turns, make_large, missing, workshop
from tests.support.wheel import build_archives, install_wheel

LARGE_BYTES = int(os.environ.get("MIZHENG_BENCH_LARGE", str(2 * 1024**3)))
BAR_OPENSSL, BAR_FOUR, BAR_START = 1.05, 1.8, 1.0
# One thread, one pass, both digests: what sealing would be without the second core.
ONE_THREAD = """
import hashlib, sys
for name in sys.argv[1:]:
    with open(name, "rb", buffering=0) as file:
        digests = hashlib.sha256(), hashlib.new("sm3")
        while chunk := file.read(1 << 20):
            for digest in digests:
                digest.update(chunk)
"""


def main() -> int:
    is_good = True
    with workshop() as (folder, environment):
        names = [f"large{number}" for number in range(4)]
        make_large(folder / names[0], LARGE_BYTES)
        print(f"one file of {LARGE_BYTES / 1024**3:.1f} GiB, both digests")
        commands = {"mizheng seal": [*SEAL, names[0]], "openssl sm3": ["openssl", "dgst", "-sm3", names[0]]}
        found = in_turns(commands, folder, environment)
        ratio = found["mizheng seal"] / found["openssl sm3"]
        for name, seconds in found.items():
            print(f"  {name:<14} {seconds:7.2f} s  {LARGE_BYTES / 1e6 / seconds:7.0f} MB/s")
        print(f"  {ratio:.2f} x openssl (bar {BAR_OPENSSL})")
        is_good &= ratio <= BAR_OPENSSL

        quarter = LARGE_BYTES // 4
        (folder / names[0]).unlink()
        for name in names:
            make_large(folder / name, quarter)
        print(f"four files of {quarter / 1024**3:.1f} GiB")
        found = in_turns(
            {"mizheng seal": [*SEAL, *names], "one thread": [sys.executable, "-c", ONE_THREAD, *names]},
            folder,
            environment,
        )
        for name, seconds in found.items():
            print(f"  {name:<14} {seconds:7.2f} s")
        ratio = found["one thread"] / found["mizheng seal"]
        print(f"  {ratio:.2f} x as quick as one thread (bar {BAR_FOUR})")
        is_good &= ratio >= BAR_FOUR

        print("one small file, the whole process, from the installed wheel")
        (folder / "small").write_bytes(b"small")
        wheel, _source = build_archives(folder / "dist")
        programs = install_wheel(wheel, folder / "venv", is_compiled=True)
        commands = {"mizheng seal": [str(programs / "mizheng"), "seal", "small"]}
        if not missing("ots", "pip install opentimestamps-client"):
            commands["ots --help"] = ["ots", "--help"]
        found = in_turns(commands, folder, environment)
        for name, seconds in found.items():
            print(f"  {name:<14} {seconds * 1000:7.0f} ms")
        if "ots --help" in found:
            ratio = found["mizheng seal"] / found["ots --help"]
            print(f"  {ratio:.2f} x (bar {BAR_START})")
            is_good &= ratio <= BAR_START
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
