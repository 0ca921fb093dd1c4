"""A database restored from an old backup: nothing is signed on it, reads go on, and what to do is said."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.log.following import HeadFollower
from mizheng.notary.log.guard import LogBehindError
from mizheng.notary.log.head import load_head
from mizheng.notary.log.statefile import STATE_NAME, SeenHead, StateFile
from mizheng.notary.publishing.directory import DirectoryTarget
from mizheng.notary.publishing.step import FilePublisher

from tests.faults.load import Receipt, copy_keys, count
from tests.faults.test_lost_or_persisted import insist
from tests.faults.writer import Item, make_sequencer, open_log
from tests.notary.depositor import TestDepositor, problem_of
from tests.support.notary import NotaryServer
from tests.support.postgres import Postgres


class Backups:
    """Copies of a database that nobody has open, and the way back to them."""

    def __init__(self, url: str, postgres: Callable[[], Postgres]) -> None:
        self._url = url
        self._postgres = postgres
        self._name = url.rpartition("/")[2]

    def save(self, label: str) -> None:
        if self._url.startswith("sqlite"):
            shutil.copy(self._path(), f"{self._path()}.{label}")
        else:
            self._postgres().execute(f"CREATE DATABASE {self._name}_{label} TEMPLATE {self._name}")

    def restore(self, label: str) -> None:
        if self._url.startswith("sqlite"):
            for suffix in ("-wal", "-shm"):
                Path(f"{self._path()}{suffix}").unlink(missing_ok=True)
            shutil.copy(f"{self._path()}.{label}", self._path())
        else:
            self._postgres().execute(f"DROP DATABASE {self._name} WITH (FORCE)")
            self._postgres().execute(f"CREATE DATABASE {self._name} TEMPLATE {self._name}_{label}")

    def _path(self) -> Path:
        return Path(self._url.removeprefix("sqlite:///"))


@pytest.fixture
def backups(database_url: str, request: pytest.FixtureRequest) -> Backups:
    return Backups(database_url, lambda: request.getfixturevalue("postgres"))


def deposit(url: str, folder: Path, *names: str) -> list[Receipt]:
    """Open, deposit, close."""
    instance = open_log(url, str(folder))
    sequencer = make_sequencer(instance)
    sequencer.start()
    try:
        return [insist(sequencer, Item(name))[0] for name in names]
    finally:
        sequencer.stop()
        instance.engine.dispose()


def refusal(url: str, folder: Path) -> tuple[Instance, str]:
    """Open and try: the code of the refusal, and that the log is as it was."""
    instance = open_log(url, str(folder))
    sequencer = make_sequencer(instance)
    sequencer.start()
    with reading(instance.engine) as connection:
        before = load_head(connection)
    with pytest.raises(Problem) as refused:
        sequencer.submit(Item("refused")).result(30)
    assert (refused.value.code, refused.value.status) == ("log-behind", 503)
    sequencer.stop()
    with reading(instance.engine) as connection:
        assert load_head(connection) == before
        with pytest.raises(LogBehindError) as behind:
            instance.guard.check(connection, before)
    assert "backup" in behind.value.hint
    instance.engine.dispose()
    assert sequencer.refusal is not None
    return instance, sequencer.refusal


def test_behind_the_state_file(tmp_path: Path, database_url: str, backups: Backups) -> None:
    notary = tmp_path / "notary"
    receipts = deposit(database_url, notary, "a", "b")
    backups.save("old")
    receipts += deposit(database_url, notary, "c", "d")
    backups.save("new")
    backups.restore("old")
    instance, state = refusal(database_url, notary)
    assert state == "behind-state-file"
    # The way out: the newer state comes back, and the log goes on.
    backups.restore("new")
    receipts += deposit(database_url, notary, "e")
    count(database_url, instance.signer.vkey, receipts).check()


def test_forked_from_the_state_file(tmp_path: Path, database_url: str, backups: Backups) -> None:
    """Somebody served from the old backup on another machine, further than the first one had got."""
    notary, other = tmp_path / "notary", tmp_path / "other"
    deposit(database_url, notary, "a", "b")
    backups.save("old")
    deposit(database_url, notary, "c")
    backups.restore("old")
    copy_keys(notary / "keys", other / "keys")
    deposit(database_url, other, "x", "y", "z")
    assert refusal(database_url, notary)[1] == "forked-from-state-file"


def test_behind_what_is_published(tmp_path: Path, database_url: str, backups: Backups) -> None:
    """A new machine has no state file; what was published still stands, and is found while it runs."""
    notary = tmp_path / "notary"
    target = DirectoryTarget(tmp_path / "public")
    deposit(database_url, notary, "a")
    backups.save("old")
    deposit(database_url, notary, "b")
    instance = open_log(database_url, str(notary))
    FilePublisher(instance.engine, target, instance.guard).publish()
    instance.engine.dispose()
    backups.restore("old")
    (notary / STATE_NAME).unlink()
    instance = open_log(database_url, str(notary))
    publisher = FilePublisher(instance.engine, target, instance.guard)
    publisher.step()
    assert publisher.state == "target-ahead"
    sequencer = make_sequencer(instance)
    sequencer.start()
    with pytest.raises(Problem) as refused:
        sequencer.submit(Item("c")).result(30)
    assert refused.value.code == "log-behind"
    assert sequencer.refusal == "behind-published"
    sequencer.stop()
    instance.engine.dispose()


def test_a_database_that_goes_back_under_a_running_notary(tmp_path: Path, postgres: Postgres) -> None:
    """A replica that lags takes over: what was answered is not in it, and nothing is signed on it."""
    url = postgres.create()
    backups = Backups(url, lambda: postgres)
    deposit(url, tmp_path / "notary", "a")
    backups.save("replica")
    instance = open_log(url, str(tmp_path / "notary"))
    sequencer = make_sequencer(instance)
    sequencer.start()
    receipts = [insist(sequencer, Item("b"))[0]]
    backups.restore("replica")
    codes = []
    for _ in range(3):
        with pytest.raises(Problem) as refused:
            sequencer.submit(Item("c")).result(30)
        codes.append(refused.value.code)
    # The first one may have met connections that were cut.
    assert codes[1:] == ["log-behind", "log-behind"]
    assert sequencer.refusal == "behind-state-file"
    sequencer.stop()
    instance.engine.dispose()
    assert receipts


def test_a_process_that_was_idle(tmp_path: Path, database_url: str, backups: Backups) -> None:
    """It signed nothing of what the backup lacks, but it has seen it."""
    busy, idle = tmp_path / "busy", tmp_path / "idle"
    deposit(database_url, busy, "a")
    copy_keys(busy / "keys", idle / "keys")
    deposit(database_url, idle, "b")
    backups.save("old")
    deposit(database_url, busy, "c", "d")
    instance = open_log(database_url, str(idle))
    HeadFollower(instance.engine, instance.guard).step()
    instance.engine.dispose()
    backups.restore("old")
    instance = open_log(database_url, str(idle))
    # What it has seen is not forgotten for what there is now.
    HeadFollower(instance.engine, instance.guard).step()
    instance.engine.dispose()
    assert refusal(database_url, idle)[1] == "behind-state-file"


def test_no_answer_before_the_state_file_is_written(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed, and the state file fails: no answer. Asked again when it works: the place it has."""
    instance = open_log(database_url, str(tmp_path / "notary"))
    sequencer = make_sequencer(instance)
    sequencer.start()
    assert insist(sequencer, Item("a"))[0].leaf_index == 0

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(StateFile, "write", fail)
        for _ in range(2):
            with pytest.raises(Problem) as refused:
                sequencer.submit(Item("b")).result(30)
            assert refused.value.code == "log-unavailable"
    receipt, _ = insist(sequencer, Item("b"))
    assert receipt.leaf_index == 1
    sequencer.stop()
    instance.engine.dispose()
    count(database_url, instance.signer.vkey, [receipt]).check()


@pytest.mark.parametrize("before", [0, 1, 2])
def test_what_could_not_be_synced_is_written_again(
    tmp_path: Path, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync that failed leaves bytes that read well and may never reach the disk: they do not count."""
    state = StateFile(tmp_path / STATE_NAME)
    heads = [SeenHead("log.example/a", size, bytes([size]) * 32) for size in range(1, before + 2)]
    for head in heads[:-1]:
        state.write(head)
    calls: list[str] = []

    def call(name: str, real: Callable[..., int], *arguments: Any) -> int:
        calls.append(name)
        if calls == ["pwrite", "fdatasync"]:
            raise OSError(errno.EIO, "Input/output error")
        return real(*arguments)

    for name in ("pwrite", "fdatasync"):
        monkeypatch.setattr(os, name, partial(call, name, getattr(os, name)))
    with pytest.raises(OSError, match="Input/output"):
        state.write(heads[-1])
    calls = ["asked again"]
    assert state.read("log.example/a") == (heads[-2] if before else None)
    state.write(heads[-1])
    assert calls == ["asked again", "pwrite", "fdatasync"]
    assert state.read("log.example/a") == heads[-1]


def test_a_whole_notary_on_an_old_backup(tmp_path: Path) -> None:
    """What operator and depositor see; with the state file, and without it by the contract alone."""
    data = tmp_path / "notary"
    database = data / "mizheng.db"
    with NotaryServer(data) as server:
        depositor = TestDepositor(server.url, *server.add_org())
        depositor.enrol()
        server.stop()
        shutil.copy(database, tmp_path / "old.db")
        server.start()
        made = [depositor.deposit() for _ in range(3)]
        depositor.wait_until("final", made[-1][1]["id"])
        server.stop()
        shutil.copy(database, tmp_path / "new.db")
        shutil.copy(tmp_path / "old.db", database)
        for state in ("behind-state-file", "behind-contract"):
            server.start()
            assert "error: the database has 1 entries, but " in server.output
            assert "hint: an old backup was restored" in server.output
            refused = depositor.post(made[0][0])
            assert (refused.status_code, problem_of(refused)) == (503, "log-behind")
            assert refused.headers["retry-after"] == "60"
            ready = httpx.get(f"{server.url}/readyz", trust_env=False)
            assert (ready.status_code, ready.json()["state"]) == (503, "not-ready")
            assert ready.json()["checks"]["log"]["state"] == state
            # Reads go on.
            assert "\n1\n" in httpx.get(f"{server.url}/checkpoint", trust_env=False).text
            assert depositor.client.get("/v1/organisation").status_code == 200
            server.stop()
            (data / STATE_NAME).unlink(missing_ok=True)
        shutil.copy(tmp_path / "new.db", database)
        server.start()
        assert depositor.deposit(made[0][0])[1]["leaf_index"] == made[0][1]["leaf_index"]
        assert depositor.deposit()[1]["leaf_index"] == 4
