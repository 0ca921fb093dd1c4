"""A PostgreSQL of the tests' own: a data directory, a random port, nothing of the machine's touched."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.leftovers import postgres_prefix, processes_in
from tests.support.ports import take_port

# The oldest release that the notary is tried on.
OLDEST = 15
START_SECONDS = 60
# PostgreSQL refuses to run as root; Debian's package makes this account.
_ACCOUNT = "postgres"


class PostgresMissing(Exception):
    """No PostgreSQL can be started here; the text says what is missing, in one line."""


def find_programs() -> Path:
    """The folder of initdb and postgres; Debian keeps them off the path, a folder for each release."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found = shutil.which("initdb")
    if found:
        folders.append(Path(found).resolve().parent)
    versions = {}
    for folder in folders:
        text = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False
        ).stdout
        if match := re.search(r"\b(\d+)\.", text):
            versions[int(match[1])] = folder
    if not versions or max(versions) < OLDEST:
        raise PostgresMissing(f"no PostgreSQL {OLDEST} or later here (Debian package postgresql)")
    return versions[max(versions)]


class Postgres:
    """One server: `start`, `stop`, `kill`, `restart`; `create()` gives the URL of a fresh database."""

    def __init__(self, *initdb: str) -> None:
        """`initdb`: further options for making its files."""
        self._initdb = initdb
        self.programs = find_programs()
        # Its own child, not runuser's: a killed server must be waited for, or its lock file looks alive.
        self._account: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._account = {"user": _ACCOUNT, "group": _ACCOUNT, "extra_groups": []}
        # Not below pytest's folders: those are closed to the account that the server runs under.
        self.folder = Path(tempfile.mkdtemp(prefix=postgres_prefix(), dir="/tmp"))
        self._data = self.folder / "data"
        self.port = take_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def __enter__(self) -> Postgres:
        if self._account:
            shutil.chown(self.folder, _ACCOUNT)
        self._run(
            "initdb", f"--pgdata={self._data}", "--auth=trust", "--username=postgres", "--encoding=UTF8",
            "--locale=C", "--no-instructions", "--no-sync", *self._initdb,
        )  # fmt: skip
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def start(self) -> Postgres:
        """Start and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            # The settings stay as durable as they come: what is tested is what survives.
            self._process = subprocess.Popen(
                [
                    self.programs / "postgres", "-D", self._data, "-p", str(self.port),
                    "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
                    "-c", "shared_buffers=64MB", "-c", "max_connections=200",
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/",
                **self._account,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready:
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log}")
            time.sleep(0.02)
        return self

    def stop(self, mode: str = "fast") -> None:
        """`fast` as an operator does; `immediate` cuts every session off and recovers at the next start."""
        self._run("pg_ctl", "stop", "-D", str(self._data), "-m", mode, "--silent")
        assert self._process is not None
        self._process.wait(30)
        self._process = None

    def kill(self) -> None:
        """kill -9 of the postmaster and all its sessions."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        # Sessions are process groups of their own. A new postmaster refuses to start while one of them lives.
        for pid in processes_in(self._data):
            os.kill(pid, signal.SIGKILL)

    def restart(self) -> Postgres:
        self.stop()
        return self.start()

    def create(self, template: str = "template1") -> str:
        """A fresh database, empty or a copy of one that nobody has open; its URL for MIZHENG_DATABASE_URL."""
        self._databases += 1
        name = f"log{self._databases}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def url(self, name: str = "postgres", port: int | None = None) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{port or self.port}/{name}"

    def execute(self, statement: str, name: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside any transaction."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=name, autocommit=True
        ) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it takes connections."""
        command = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        result = subprocess.run(
            [self.programs / program, *arguments],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd="/", **self._account,
        )  # fmt: skip
        if result.returncode:
            raise RuntimeError(f"{program}:\n{result.stdout}{result.stderr}")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server for the length of the block; PostgresMissing when there is none to be had."""
    with Postgres() as server:
        yield server
