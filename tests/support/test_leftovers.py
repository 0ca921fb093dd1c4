"""A test run that is killed leaves nothing behind: no process, no PostgreSQL, no folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.missing import do_without
from tests.support.postgres import PostgresMissing, find_programs
from tests.tools.layout import ROOT

_RUN = """
import subprocess, sys, time
from tests.support import leftovers
from tests.support.postgres import Postgres

leftovers.watch()
server = Postgres().__enter__()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(server.folder, server._process.pid, child.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def test_nothing_survives_a_killed_run() -> None:
    try:
        find_programs()
    except PostgresMissing as missing:
        do_without(missing)
    with subprocess.Popen([sys.executable, "-c", _RUN], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder, *numbers = run.stdout.readline().split()
        started = [int(number) for number in numbers]
        assert Path(folder).is_dir()
        assert all(is_alive(pid) for pid in started)
        os.kill(run.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while Path(folder).exists() or any(is_alive(pid) for pid in started):
        assert time.monotonic() < deadline, "something was left behind"
        time.sleep(0.05)
