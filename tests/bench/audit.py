"""`mizheng audit` of a generated log of 1,000,000 entries, from the first entry, as a user runs it.

Log and audit share this machine. The log is served by a web server in a process of its own that only reads
files (http.server of Python, which is no fast one), once more as a directory. The audit starts with its
interpreter and ends with its exit code; peak memory is that of its process.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.staticlog import StaticLog, serving

SIZE = 1_000_000
TARGET = 60.0


def serve(folder: Path) -> int:
    """The server's own process: its address on standard output, until standard input ends."""
    with serving(folder, keep_requests=False) as server:
        print(server.url, flush=True)
        sys.stdin.read()
    return 0


def audit(address: str, vkey: str, folder: Path) -> tuple[float, float]:
    """Seconds and CPU seconds of one audit that has to end well."""
    command = [sys.executable, "-m", "mizheng.cli", "audit", address]
    state = folder / f"state-{time.monotonic_ns()}.json"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [*command, "--key", vkey, "--since", state], check=True, stdout=subprocess.DEVNULL, timeout=600
    )
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    if len(sys.argv) > 1:
        return serve(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        log = StaticLog(folder / "log").grow(SIZE)
        files = sum(1 for path in log.folder.rglob("*") if path.is_file())
        print(f"a log of {SIZE:,} entries in {files:,} files, made in {time.perf_counter() - start:.1f} s")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.audit", str(log.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process:
            seconds, cpu = audit(process.stdout.readline().strip(), log.vkey, folder)
            print(
                f"audit over HTTP: {seconds:.1f} s ({cpu:.1f} s of CPU, target {TARGET:.0f} s), "
                f"{SIZE / seconds:,.0f} entries/s; load before and beside it {os.getloadavg()[0]:.1f}"
            )
            process.communicate()
        on_disk, cpu = audit(str(log.folder), log.vkey, folder)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"audit of the same files as a directory: {on_disk:.1f} s ({cpu:.1f} s of CPU)")
        print(f"peak memory of the audit or the server, whichever is larger: {peak:.0f} MiB")
    return 0 if seconds <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
