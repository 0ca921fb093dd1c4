"""How quickly files are sealed, beside stock programs on the same input.

10,000 files of 4 KiB and one of 1 GiB. Sealing reads each file once, makes both digests (SHA-256 and SM3), a
salted record and the tree, and writes the seal durably. `sha256sum` makes one digest; `openssl dgst -sm3` the
other, which is the slower one. All take turns on files that are in the cache, so none waits for the disk.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mizheng.cli.config import Config, save_config
from mizheng.cli.keys import create_key

ROUNDS = 3
SMALL_FILES, SMALL_BYTES = 10_000, 4096
LARGE_BYTES = 1024**3
FILES_A_FOLDER = 500
BLOCK = 16 * 1024 * 1024


def make_small(folder: Path) -> None:
    for number in range(SMALL_FILES):
        path = folder / f"{number // FILES_A_FOLDER:02}" / f"文件 {number:05}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(SMALL_BYTES))


def make_large(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(LARGE_BYTES // BLOCK):
            file.write(os.urandom(BLOCK))


def measure(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds of one whole process; it has to succeed."""
    for seal in folder.glob("*.seal"):
        seal.unlink()
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - started


def compare(
    what: str, commands: dict[str, list[str]], folder: Path, environment: dict[str, str], size: int
) -> None:
    """Print the median time of each command and its throughput in `what` a second."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(ROUNDS + 1):
        for name, command in commands.items():
            seconds = measure(command, folder, environment)
            if number:  # the first round fills the cache
                taken[name].append(seconds)
    reference = statistics.median(taken["sha256sum"])
    for name, values in taken.items():
        median = statistics.median(values)
        times = median / reference
        print(f"  {name:<14} {median:7.2f} s  {size / median:>10,.0f} {what}/s  {times:5.2f} x sha256sum")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mizheng-bench-") as name:
        folder = Path(name)
        home = folder / "home"
        entry, _ = create_key(home, "file", "2026-01-01T00:00:00Z", None)
        save_config(home, Config(active_key=entry.public.keyid, key_store="file"))
        environment = {**os.environ, "MIZHENG_HOME": str(home)}
        seal = [sys.executable, "-m", "mizheng.cli", "seal"]
        openssl = shutil.which("openssl")

        make_small(folder / "small")
        print(f"{SMALL_FILES:,} files of {SMALL_BYTES:,} B")
        names = sorted(str(path.relative_to(folder)) for path in (folder / "small").rglob("*.bin"))
        compare(
            "files",
            {"mizheng seal": [*seal, "small"], "sha256sum": ["sha256sum", *names]},
            folder,
            environment,
            SMALL_FILES,
        )
        make_large(folder / "large")
        print(f"one file of {LARGE_BYTES / 1024**3:.0f} GiB")
        commands = {"mizheng seal": [*seal, "large"], "sha256sum": ["sha256sum", "large"]}
        if openssl:
            commands["openssl sm3"] = [openssl, "dgst", "-sm3", "large"]
        compare("MB", commands, folder, environment, LARGE_BYTES // 10**6)
    return 0


if __name__ == "__main__":
    sys.exit(main())
