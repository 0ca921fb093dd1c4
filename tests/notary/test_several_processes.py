"""Several notary processes on one PostgreSQL: one log, one key, one that anchors."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mizheng.notary.database import create_engine
from mizheng.notary.lease import make_lease

from tests.faults.load import copy_keys, make_server
from tests.notary.depositor import TestDepositor
from tests.notary.test_node_chain import fund
from tests.support.anvil import Anvil
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS
from tests.support.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.create()


@pytest.fixture
def node(anvil: Anvil) -> Iterator[Anvil]:
    """A node of this test's own, a block each second; `anvil` only says whether there can be one."""
    del anvil
    with Anvil(chain_id=31340, slots_in_an_epoch=1, block_time=1) as running:
        yield running


def test_a_lease_has_one_holder_and_passes_on(database_url: str) -> None:
    engines = [create_engine(database_url) for _ in range(2)]
    first, second = (make_lease(engine, "work") for engine in engines)
    assert first.hold()
    assert first.hold()
    assert not second.hold()
    # Others have nothing to do with it.
    assert make_lease(engines[1], "other work").hold()
    first.release()
    assert second.hold()
    assert not first.hold()
    second.release()
    shared = [make_lease(engine, "work", shared=True) for engine in engines]
    assert all(lease.hold() for lease in shared)
    assert not first.hold()
    for lease in shared:
        lease.release()
    assert first.hold()
    first.release()
    for engine in engines:
        engine.dispose()


def test_a_session_that_was_cut_has_lost_its_lease(postgres: Postgres, url: str) -> None:
    engines = [create_engine(url) for _ in range(2)]
    first, second = (make_lease(engine, "work") for engine in engines)
    assert first.hold()
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    deadline = time.monotonic() + 10
    while not second.hold():
        assert time.monotonic() < deadline
    assert not first.hold()
    assert second.hold()
    for lease, engine in zip((first, second), engines, strict=True):
        lease.release()
        engine.dispose()


def test_the_embedded_chain_has_one_server(tmp_path: Path, url: str) -> None:
    with NotaryServer(tmp_path / "one", MIZHENG_DATABASE_URL=url) as first:
        copy_keys(first.data_dir / "keys", tmp_path / "two" / "keys")
        second = NotaryServer(tmp_path / "two", MIZHENG_DATABASE_URL=url)
        refused = second.run("serve", "--port", "0", check=False)
        assert refused.returncode == 1
        assert refused.stderr.splitlines() == [
            "error: another notary serves from this database, and the embedded chain is for one alone",
            "hint: stop it; several processes need a real chain: mizheng-notary chain deploy",
        ]
        # The first one is none the worse for it, and PostgreSQL is fit for a trial, too.
        depositor = TestDepositor(first.url, *first.add_org())
        depositor.enrol()
        depositor.wait_until("final", depositor.deposit()[1]["id"])


def test_another_log_key_is_refused(tmp_path: Path, url: str) -> None:
    with make_server(tmp_path / "one", url):
        second = make_server(tmp_path / "two", url)
        missing = second.run("serve", "--port", "0", check=False)
        assert missing.returncode == 1
        assert missing.stderr.startswith("error: the notary's key ")
        assert " is missing\nhint: " in missing.stderr
        # Keys of a notary of its own, on another database.
        with make_server(tmp_path / "three", f"sqlite:///{tmp_path / 'three.db'}") as other:
            other.stop()
        (tmp_path / "three" / "signed-head").unlink(missing_ok=True)
        third = make_server(tmp_path / "three", url)
        wrong = third.run("serve", "--port", "0", check=False)
        assert wrong.returncode == 1
        assert wrong.stderr.startswith("error: keys/log.pem is not the key that signed this log\nhint: ")


def test_one_anchors_and_another_takes_over(tmp_path: Path, url: str, node: Anvil) -> None:
    """Two processes, one database, a real chain: the one that anchors is killed, the other goes on."""
    options = {"MIZHENG_DATABASE_URL": url, "MIZHENG_ANCHOR_INTERVAL": "1"}
    first = NotaryServer(tmp_path / "one", **options)
    fund(node, first)
    first.run("chain", "deploy", "--rpc", node.url, "--name", "anvil")
    copy_keys(first.data_dir / "keys", tmp_path / "two" / "keys")
    shutil.copy(first.data_dir / "notary.toml", tmp_path / "two")
    second = NotaryServer(tmp_path / "two", **options)
    with first, second:
        depositor = TestDepositor(first.url, *first.add_org())
        depositor.enrol()
        through_second = TestDepositor(second.url, depositor.org, depositor.api_key, depositor.key)
        made = depositor.deposit()[1]
        depositor.wait_until("final", made["id"])
        # Both say the same of it, and of the chain.
        assert through_second.status(made["id"]) == depositor.status(made["id"])
        assert (
            through_second.client.get("/v1/organisation").json()
            == depositor.client.get("/v1/organisation").json()
        )
        ready = httpx.get(f"{second.url}/readyz", trust_env=False, verify=NO_TLS).json()
        assert ready["checks"]["chain.anvil"]["state"] == "ok"
        first.kill()
        later = through_second.deposit()[1]
        assert later["leaf_index"] == made["leaf_index"] + 1
        through_second.wait_until("final", later["id"])
        # The first one comes back and follows.
        first.start()
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda who=who: answers.append(who.deposit()[1]["leaf_index"]))
            for who in (depositor, through_second) * 4
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == list(range(later["leaf_index"] + 1, later["leaf_index"] + 9))
