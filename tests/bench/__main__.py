"""Run the benchmarks and keep what they print: `make bench`, or `make bench ARGS="seal deposit"` for some.

Each is a program of its own beside this file (python -m tests.bench.NAME), so none warms another's caches.
Figures mean little without the machine: that stands at the head of the report, bench-out/report.txt.
"""

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

from tests.tools.layout import ROOT

REPORT = ROOT / "bench-out" / "report.txt"
# Quick ones first; the ones that fill the disk cache last.
ORDER = (
    *(
        "cli_start",
        "gas",
        "tree",
        "anchor_check",
        "anchoring",
        "deposit",
        "ingest",
        "batch",
        "tiles",
        "certificate_page",
    ),
    *("audit", "keeping", "seal", "seal_files", "seal_million", "scale"),
)


def list_benches() -> list[str]:
    """The benches there are: the known ones in their order, then the rest."""
    names = {path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")}
    with_main = {
        name for name in names if "__main__" in Path(__file__).with_name(f"{name}.py").read_text("utf-8")
    }
    return sorted(with_main, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def read_first(path: str, key: str) -> str:
    """The value of the first `key : value` line of one of the kernel's files."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "unknown")


def find_file_system(folder: Path) -> str:
    """Type of the file system a folder is on, from the longest mount point above it."""
    best = ("", "unknown")
    try:
        lines = Path("/proc/mounts").read_text("utf-8").splitlines()
    except OSError:
        return best[1]
    for line in lines:
        _, mount, kind, *_ = line.split()
        if folder.is_relative_to(mount) and len(mount) > len(best[0]):
            best = (mount, kind)
    return best[1]


def describe_machine() -> str:
    facts = {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": read_first("/proc/cpuinfo", "model name"),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "load": "{:.2f} {:.2f} {:.2f} (1, 5, 15 minutes, before the run)".format(*os.getloadavg()),
        "memory": read_first("/proc/meminfo", "MemTotal"),
        "file system": find_file_system(ROOT),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "openssl": f"{backend.openssl_version_text()} (in cryptography {metadata.version('cryptography')})",
    }
    return "".join(f"{name:<12} {value}\n" for name, value in facts.items())


def run_bench(name: str) -> tuple[str, int]:
    """What one bench prints, and its exit code; shown while it runs."""
    output = [f"\n== {name}\n"]
    print(output[0], end="", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", f"tests.bench.{name}"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            output.append(line)
    output.append(f"({time.monotonic() - started:.0f} s, exit code {process.returncode})\n")
    print(output[-1], end="")
    return "".join(output), process.returncode


def main() -> int:
    benches = list_benches()
    chosen = sys.argv[1:] or benches
    if unknown := [name for name in chosen if name not in benches]:
        print(f"error: no bench {', '.join(unknown)}\nhint: there are {', '.join(benches)}", file=sys.stderr)
        return 64
    machine = describe_machine()
    print(machine, end="")
    results = [run_bench(name) for name in chosen]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(machine + "".join(text for text, _ in results), "utf-8")
    print(f"\nkept in {REPORT.relative_to(ROOT)}")
    return 1 if any(code for _, code in results) else 0


if __name__ == "__main__":
    sys.exit(main())
