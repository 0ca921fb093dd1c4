"""A test run that is killed ends no server that it has started. So somebody watches it from outside.

`watch()` starts this file as a process of its own, which reads from a pipe that only the test process holds.
When that process ends, however it ends, the pipe is closed, and whatever it left behind is killed: every
process with its mark in the environment, every PostgreSQL in a folder of its name, and the folders.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK = "TESTS_STARTED_BY"
# Where PostgreSQL's own account may look.
_TEMPORARY = Path("/tmp")
_watcher: subprocess.Popen[bytes] | None = None


def watch() -> None:
    """Have everything that this process starts from here on ended with it."""
    global _watcher
    os.environ[MARK] = f"{os.getpid()}-{secrets.token_hex(4)}"
    _watcher = subprocess.Popen(
        [sys.executable, "-I", __file__, os.environ[MARK]], stdin=subprocess.PIPE, start_new_session=True
    )


def postgres_prefix() -> str:
    """What the name of a PostgreSQL's folder begins with; it says of itself only where it is."""
    return f"mizheng-postgres-{os.environ.get(MARK, 'nobody')}-"


def processes_in(folder: Path) -> list[int]:
    """The processes whose working directory this is."""
    return [pid for pid in _processes() if _folder_of(pid) == folder]


def _processes() -> list[int]:
    """All that are not dead already."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "stat").read_text().rpartition(") ")[2][0] != "Z":
                found.append(int(path.name))
        except OSError:
            continue
    return found


def _folder_of(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _is_marked(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _end(mark: str) -> None:
    folders = list(_TEMPORARY.glob(f"mizheng-postgres-{mark}-*"))
    data = {folder / "data" for folder in folders}
    for pid in _processes():
        if pid != os.getpid() and (_folder_of(pid) in data or _is_marked(pid, mark)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    for folder in folders:
        # A small disk of a test's own may be mounted there.
        if folder.is_mount():
            subprocess.run(["umount", "--lazy", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _main(mark: str) -> None:
    sys.stdin.buffer.read()
    # Twice: one of them may just have been starting another one.
    for pause in (0.0, 0.5):
        time.sleep(pause)
        _end(mark)


if __name__ == "__main__":
    _main(sys.argv[1])
