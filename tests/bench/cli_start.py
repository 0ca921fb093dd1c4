"""How quickly the command line answers: the installed wheel, byte code compiled, whole processes.

Bare Python, `mizheng --help` and `mizheng verify` take turns, so that whatever else the machine does falls on
all of them alike. The median is compared with the promise; the fastest is beside it.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mizheng.verifier.trust import dump_trust

from tests.support.wheel import build_archives, install_wheel
from tests.support.world import FILES, Company, World, pack

ROUNDS = 30
# The promises: as a multiple of bare Python, and in milliseconds.
HELP_TIMES = 6.0
VERIFY_MS = 250.0
OPENED = "配方.txt"


def make_evidence(folder: Path) -> tuple[Path, Path, Path]:
    """A bundle that opens one file, the file, and the trust file."""
    world = World(folder)
    deposit = world.deposit(world.enrol(Company()))
    anchor = world.anchor()
    bundle, original, trust = folder / "bundle.zip", folder / OPENED, folder / "trust.toml"
    bundle.write_bytes(pack(world.bundle(deposit, [anchor])))
    original.write_bytes(FILES[OPENED])
    trust.write_bytes(dump_trust(world.trust()))
    return bundle, original, trust


def measure(command: list[str | Path]) -> float:
    """Milliseconds of one whole process, from start to its end; it has to succeed."""
    started = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mizheng-bench-") as name:
        folder = Path(name)
        wheel, _ = build_archives(folder / "dist")
        commands = install_wheel(wheel, folder / "venv", is_compiled=True)
        bundle, original, trust = make_evidence(folder)
        rows: dict[str, list[str | Path]] = {
            "python -c pass": [commands / "python", "-c", "pass"],
            "mizheng --help": [commands / "mizheng", "--help"],
            "mizheng verify": [commands / "mizheng", "verify", bundle, original, "--trust", trust],
        }
        for command in rows.values():
            measure(command)  # into the file cache
        taken: dict[str, list[float]] = {row: [] for row in rows}
        for _ in range(ROUNDS):
            for row, command in rows.items():
                taken[row].append(measure(command))
    medians = {row: statistics.median(values) for row, values in taken.items()}
    bare = medians["python -c pass"]
    for row, values in taken.items():
        times = medians[row] / bare
        print(f"{row:<16} median {medians[row]:6.1f} ms, fastest {min(values):6.1f} ms, {times:4.1f} x")
    help_times, verify_ms = medians["mizheng --help"] / bare, medians["mizheng verify"]
    print(f"--help: {help_times:.1f} x bare Python; promised: {HELP_TIMES:.0f} x")
    print(f"verify of a one-file bundle: {verify_ms:.0f} ms; promised: {VERIFY_MS:.0f} ms")
    return 0 if help_times <= HELP_TIMES and verify_ms <= VERIFY_MS else 1


if __name__ == "__main__":
    sys.exit(main())
