"""PostgreSQL that dies, connections that are cut in the middle of a commit, serialization failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.database import writing
from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.instance import Instance
from mizheng.notary.intake.rows import Asked
from mizheng.notary.log.append import append
from mizheng.notary.log.hanging import HangingWriters
from mizheng.notary.log.head import lock_head
from mizheng.notary.log.sequencer import Sequencer
from psycopg import Error as DriverError
from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from tests.faults.conftest import Tell
from tests.faults.independent import recompute
from tests.faults.load import Receipt, count
from tests.faults.seeds import chooser
from tests.faults.test_lost_or_persisted import insist
from tests.faults.writer import Item, make_sequencer, open_log
from tests.support.faultproxy import Cut, FaultProxy
from tests.support.postgres import Postgres
from tests.support.scale import scaled

DEATHS = scaled(3, 30)
CUTS = scaled(12, 200)
ENDED = scaled(20, 300)
CLIENTS = 6


class Clients:
    """Threads that submit, insist until they are answered, and keep every receipt."""

    def __init__(self, *sequencers: Sequencer[Item]) -> None:
        self._sequencers = sequencers
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        self.receipts: list[Receipt] = []
        self.refusals: dict[str, int] = {}

    @contextmanager
    def running(self) -> Iterator[Clients]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join()

    def wait_for(self, count: int) -> None:
        wanted, deadline = len(self.receipts) + count, time.monotonic() + 60
        while len(self.receipts) < wanted:
            assert time.monotonic() < deadline, f"nothing is answered: {self.refusals}"
            time.sleep(0.01)

    def _run(self, client: int) -> None:
        number = 0
        while not self._stopping.is_set():
            item = Item(f"{client}-{number}")
            try:
                found = self._sequencers[client % len(self._sequencers)].submit(item).result(120)
            except Problem as problem:
                self.refusals[problem.code] = self.refusals.get(problem.code, 0) + 1
                time.sleep(0.01)
                continue
            self.receipts.append(Receipt.read(item.name_sha256, found.leaf_index, found.tlog_proof))
            number += 1


@pytest.fixture
def opened(postgres: Postgres, tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """Opens the log of a fresh database, any number of times, also by way of another port."""
    name = postgres.create().rpartition("/")[2]
    made: list[Instance] = []

    def open_it(port: int | None = None) -> Instance:
        made.append(open_log(postgres.url(name, port), str(tmp_path / "notary")))
        return made[-1]

    yield open_it
    for instance in made:
        instance.engine.dispose()


def url_of(instance: Instance) -> str:
    return instance.engine.url.render_as_string(hide_password=False)


def test_postgresql_dies_under_load(postgres: Postgres, opened: Callable[..., Instance], tell: Tell) -> None:
    moments = chooser("deaths")
    instance = opened()
    sequencer = make_sequencer(instance)
    sequencer.start()
    clients = Clients(sequencer)
    with clients.running():
        for number in range(DEATHS):
            clients.wait_for(10)
            time.sleep(moments.uniform(0, 0.3))
            if number % 2:
                postgres.stop("immediate")
            else:
                postgres.kill()
            postgres.start()
        clients.wait_for(10)
    sequencer.stop()
    found = count(url_of(instance), instance.signer.vkey, clients.receipts)
    tell("PostgreSQL dies under load", DEATHS, found, f"refused {clients.refusals}", database="postgresql")
    found.check()


def test_cut_in_mid_commit(postgres: Postgres, opened: Callable[..., Instance], tell: Tell) -> None:
    """Before the commit arrives, or after it but before its answer; one cut, and two in a row."""
    moments = chooser("cuts")
    direct = opened()
    with FaultProxy(postgres.port, b"COMMIT") as proxy:
        sequencer = make_sequencer(opened(proxy.port))
        sequencer.start()
        receipts = []
        kinds: list[Cut] = ["lost", "persisted"]
        for number in range(CUTS):
            proxy.cut_at(*(moments.choice(kinds) for _ in range(1 + number % 2)))
            receipts.append(insist(sequencer, Item(f"{number}"))[0])
        sequencer.stop()
    assert set(proxy.cuts) == {"lost", "persisted"}
    found = count(url_of(direct), direct.signer.vkey, receipts)
    tell("connection cut at COMMIT", len(proxy.cuts), found, database="postgresql")
    found.check()
    assert len(recompute(url_of(direct), direct.signer.vkey).entries) == CUTS


def test_sessions_ended_by_the_server(
    postgres: Postgres, opened: Callable[..., Instance], tell: Tell
) -> None:
    """Cancelled statements and terminated sessions, as a lock timeout or an administrator makes them."""
    moments = chooser("ended")
    instance = opened()
    sequencers = [make_sequencer(instance), make_sequencer(opened())]
    for sequencer in sequencers:
        sequencer.start()
    clients = Clients(*sequencers)
    database = url_of(instance).rpartition("/")[2]
    with clients.running():
        for _ in range(ENDED):
            how = moments.choice(["pg_cancel_backend", "pg_terminate_backend"])
            postgres.execute(
                f"SELECT {how}(pid) FROM pg_stat_activity"  # noqa: S608 - both are of this test
                f" WHERE datname = '{database}' AND state <> 'idle'"
            )
            time.sleep(moments.uniform(0, 0.05))
        clients.wait_for(10)
    for sequencer in sequencers:
        sequencer.stop()
    found = count(url_of(instance), instance.signer.vkey, clients.receipts)
    tell("sessions cancelled or ended", ENDED, found, f"refused {clients.refusals}", database="postgresql")
    found.check()
    assert clients.refusals, "nothing was hit"


@pytest.mark.parametrize("pipelined", [True, False])
def test_one_that_hangs_with_the_lock(opened: Callable[..., Instance], pipelined: bool) -> None:
    """Stopped in the middle of a batch, for good: whoever is well ends its session, and nobody else's."""
    hanging, well = opened(), opened()
    sequencer = make_sequencer(well)
    sequencer.start()
    receipts = [insist(sequencer, Item("before"))[0]]
    is_locked, is_over = threading.Event(), threading.Event()
    failed: list[Exception] = []

    def hang() -> None:
        try:
            with writing(hanging.engine, pipelined=pipelined) as connection:
                head = lock_head(connection)
                append(connection, hanging.signer, head, [Item("lost").entry])
                is_locked.set()
                is_over.wait(60)
        except DBAPIError as error:
            failed.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    assert is_locked.wait(60)
    waiting = sequencer.submit(Item("after"))
    # Not yet: a batch may take its time.
    HangingWriters(well.engine).step()
    time.sleep(0.6)
    assert not waiting.done()
    HangingWriters(well.engine, seconds=0.5).step()
    found = waiting.result(10)
    receipts.append(Receipt.read(Item("after").name_sha256, found.leaf_index, found.tlog_proof))
    is_over.set()
    thread.join()
    sequencer.stop()
    assert len(failed) == 1
    assert [receipt.leaf_index for receipt in receipts] == [0, 1]
    count(url_of(well), well.signer.vkey, receipts).check()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_does_not_keep_what_it_confirms(
    postgres: Postgres, tmp_path: Path, setting: str
) -> None:
    url = postgres.create()
    try:
        postgres.execute(f"ALTER SYSTEM SET {setting} = off")
        postgres.restart()
        with pytest.raises(ConfigurationError, match=f"{setting} is off"):
            open_log(url, str(tmp_path / "notary"))
    finally:
        postgres.execute(f"ALTER SYSTEM RESET {setting}")
        postgres.restart()
    open_log(url, str(tmp_path / "notary")).engine.dispose()


def test_serialization_failures(
    opened: Callable[..., Instance], tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers whose transactions are SERIALIZABLE against the notary's will: aborts, and no fork."""
    # By the error itself: what a statement fails with is told by the driver's call, or where its rows are
    # asked for; a commit by SQLAlchemy.
    failed: dict[int, BaseException] = {}
    sequencers = []
    instances = [opened(), opened()]

    def telling(run: Callable[..., Any]) -> Callable[..., Any]:
        def tell_of(*given: object) -> Any:
            try:
                return run(*given)
            except DriverError as error:
                failed[id(error)] = error
                raise

        return tell_of

    def note(context: ExceptionContext) -> None:
        failed[id(context.original_exception)] = context.original_exception

    def count_aborts() -> int:
        return sum(getattr(error, "sqlstate", "") == "40001" for error in list(failed.values()))

    monkeypatch.setattr(Asked, "_fetch", telling(Asked._fetch))
    for instance in instances:
        dialect = instance.engine.dialect
        monkeypatch.setattr(dialect, "do_execute", telling(dialect.do_execute))

        def stricter(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")

        event.listen(instance.engine, "begin", stricter)
        event.listen(instance.engine, "handle_error", note)
        sequencers.append(make_sequencer(instance))
        sequencers[-1].start()
    clients = Clients(*sequencers)
    with clients.running():
        deadline = time.monotonic() + 60
        while count_aborts() < scaled(5, 100) and time.monotonic() < deadline:
            time.sleep(0.05)
        clients.wait_for(1)
    for sequencer in sequencers:
        sequencer.stop()
    found = count(url_of(instances[0]), instances[0].signer.vkey, clients.receipts)
    aborts = count_aborts()
    tell("serialization failures", aborts, found, f"refused {clients.refusals}", database="postgresql")
    found.check()
    assert aborts >= scaled(5, 100)
