"""A full disk under a notary that is at work: deposits are refused by name, reads go on, nothing answered is
lost, and when there is room again it goes on by itself.

A real file system of a few megabytes; on it is the whole data directory, or the whole of PostgreSQL.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.faults.conftest import Tell
from tests.faults.load import Load, admit, check_envelopes, count, make_server, read_vkey
from tests.support.missing import do_without
from tests.support.notary import NotaryServer
from tests.support.postgres import Postgres, PostgresMissing

CLIENTS = 3
SECONDS = 60


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own at this path; skips, saying why, where none can be mounted."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def commits(server: NotaryServer) -> str:
    """As /readyz has it."""
    checks: dict[str, Any] = get(server, "/readyz").json()["checks"]
    return str(checks["commits"]["state"])


def get(server: NotaryServer, path: str) -> httpx.Response:
    return httpx.get(server.url + path, trust_env=False, timeout=30)


@contextlib.contextmanager
def under_load(server: NotaryServer, url: str) -> Iterator[Load]:
    load = Load([admit(server, url)] * CLIENTS)
    load.begin()
    try:
        load.wait_for(10)
        yield load
    finally:
        load.end()


def check_refusing(server: NotaryServer, load: Load) -> None:
    """Refused by name, in /readyz and in the metric; what is there can be read."""
    # A small batch may find room in a page here and there: each is looked for.
    wait(lambda: commits(server) == "disk-full")
    wait(lambda: 'mizheng_commits_state{state="disk-full"} 1.0' in get(server, "/metrics").text)
    refused = load.unanswered
    wait(lambda: load.unanswered > refused)
    assert get(server, "/checkpoint").status_code == 200
    ready = get(server, "/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]["state"]) == (200, "ok")


def check_going_on(server: NotaryServer, load: Load, url: str, tell: Tell, database: str) -> None:
    load.wait_for(10)
    wait(lambda: commits(server) == "ok")
    load.end()
    load.send_all_again(load.depositors[0])
    found = count(url, read_vkey(server), load.receipts, load.checkpoints)
    tell("a full disk", 1, found, f"{load.unanswered} refused while it was full", database=database)
    found.check()
    check_envelopes(url, load.receipts)
    assert load.unanswered


def test_the_data_directory(tmp_path: Path, tell: Tell) -> None:
    with small_disk(tmp_path / "small", 16) as disk:
        url = f"sqlite:///{disk / 'log.db'}"
        with make_server(disk / "notary", url) as server, under_load(server, url) as load:
            fill(disk / "ballast")
            check_refusing(server, load)
            (disk / "ballast").unlink()
            check_going_on(server, load, url, tell, "sqlite")


def test_postgresql(tmp_path: Path, tell: Tell) -> None:
    """First without room for rows; then for its own log as well, which ends the server."""
    try:
        database = Postgres("--wal-segsize=1")
    except PostgresMissing as missing:
        do_without(missing)
    with small_disk(database.folder, 80) as disk, database:
        url = database.create()
        with make_server(tmp_path / "notary", url) as server, under_load(server, url) as load:
            fill(disk / "ballast")
            check_refusing(server, load)
            with pytest.raises(psycopg.OperationalError):
                while True:
                    database.execute("SELECT pg_switch_wal()")
            wait(lambda: get(server, "/readyz").status_code == 503 or not database.is_running)
            (disk / "ballast").unlink()
            # It starts anew by itself, or was not able to for want of room: then an operator does it.
            wait(lambda: database.is_ready or not database.is_running)
            if not database.is_running:
                database.start()
            check_going_on(server, load, url, tell, "postgresql")
