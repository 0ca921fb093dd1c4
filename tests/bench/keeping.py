"""How quickly an original is encrypted into a folder, beside stock age on the same file; in how much memory.

Whole processes are timed. `mizheng keep` also hashes the file and the ciphertext and has all on the disk when
it ends, which age has not; so age followed by `sync` of its output is shown beside it. The bar is over age
alone. MIZHENG_BENCH_KEEP says how many bytes the file has: 1 GiB, where the bar of memory is for 5.
"""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.sealing import SEAL, in_turns, make_large, missing, workshop

BYTES = int(os.environ.get("MIZHENG_BENCH_KEEP", str(1024**3)))
BAR_SPEED, BAR_MIB = 0.7, 200
KEEP = [sys.executable, "-m", "mizheng.cli", "keep", "kept.seal", "--store", "store"]


def main() -> int:
    if missing("age", "apt-get install age"):
        return 0
    with workshop() as (folder, environment):
        make_large(folder / "large", BYTES)
        subprocess.run(
            [*SEAL, "large", "-o", "kept.seal"],
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        recipient = (folder / "home" / "keys" / "seals.pub").read_text("ascii").strip()
        age = ["age", "-r", recipient, "-o", "alone.age", "large"]

        def clean() -> None:
            """Both begin with nothing of an earlier round."""
            shutil.rmtree(folder / "store", ignore_errors=True)
            for path in (folder / "kept.keeping", folder / "alone.age"):
                path.unlink(missing_ok=True)

        commands = {
            "mizheng keep": KEEP,
            "age": age,
            "age and sync": ["sh", "-c", f"{' '.join(age)} && sync alone.age"],
        }
        print(f"one file of {BYTES / 1024**3:.1f} GiB, encrypted into a folder")
        found = in_turns(commands, folder, environment, clean)
        for name, seconds in found.items():
            print(f"  {name:<14} {seconds:7.2f} s  {BYTES / 1e6 / seconds:7.0f} MB/s")
        ratio = found["age"] / found["mizheng keep"]
        print(f"  {ratio:.2f} x the speed of age (bar {BAR_SPEED})")
        clean()
        used = peak_mib(KEEP, folder, environment)
        print(f"  {used:.0f} MiB of memory at most (bar {BAR_MIB})")
    return 0 if ratio >= BAR_SPEED and used <= BAR_MIB else 1


def peak_mib(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """A bound for the command: the most that any process had which was started here."""
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
