"""What the benches of sealing share: a home with a key, files to seal, whole processes that are timed."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mizheng.cli.config import Config, save_config
from mizheng.cli.keys.signing import create_key

ROUNDS = int(os.environ.get("MIZHENG_BENCH_ROUNDS", "3"))
SEAL = [sys.executable, "-m", "mizheng.cli", "seal"]
FILES_A_FOLDER = 500
_BLOCK = 16 * 1024 * 1024


@contextmanager
def workshop() -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty folder, and the environment of somebody who can seal."""
    with tempfile.TemporaryDirectory(
        prefix="mizheng-bench-", dir=os.environ.get("MIZHENG_BENCH_DIR")
    ) as name:
        folder = Path(name)
        home = folder / "home"
        entry, _ = create_key(home, "file", "2026-01-01T00:00:00Z", None)
        save_config(home, Config(active_key=entry.public.keyid, key_store="file"))
        # Compiled once, as what is installed is: the first round warms up.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield folder, {**kept, "MIZHENG_HOME": str(home), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def make_files(folder: Path, count: int, size: int) -> list[Path]:
    """Files of random bytes, some hundred a folder."""
    return list(fill(folder, count, size))


def fill(folder: Path, count: int, size: int) -> Iterator[Path]:
    """The same, one by one."""
    for number in range(count):
        path = folder / f"{number // FILES_A_FOLDER:04}" / f"文件 {number:07}.bin"
        if number % FILES_A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(os.urandom(size))
        yield path


def make_large(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for _ in range(size // _BLOCK):
            file.write(os.urandom(_BLOCK))


def run(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds of one whole process; it has to succeed."""
    for seal in folder.glob("*.seal"):
        if not seal.name.startswith("kept"):
            seal.unlink()
    started = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - started


def in_turns(
    commands: Mapping[str, list[str]],
    folder: Path,
    environment: dict[str, str],
    before: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Median seconds of each command; they take turns, and the first round only warms up."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(ROUNDS + 1):
        for name, command in commands.items():
            before()
            seconds = run(command, folder, environment)
            if number:
                taken[name].append(seconds)
    return {name: statistics.median(values) for name, values in taken.items()}


def missing(program: str, package: str) -> bool:
    """Whether a peer is not here; said in one line."""
    if shutil.which(program):
        return False
    print(f"  {program} is not measured: it is not installed ({package})")
    return True
