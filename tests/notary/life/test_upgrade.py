"""A database of an earlier form, opened by this release: what was answered stands, and the log goes on."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from alembic.script import ScriptDirectory
from mizheng.notary.database import create_engine
from mizheng.notary.migrations import _config, downgrade

from tests.faults.load import admit, count, read_vkey, receipt_of
from tests.notary.depositor import TestDepositor
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS
from tests.support.scale import SOAK


def earlier() -> list[str]:
    """Every form that a database ever had, newest first, the present one aside."""
    found = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    return found[1:]


def go_back(url: str, revision: str) -> None:
    engine = create_engine(url)
    downgrade(engine, revision)
    engine.dispose()


def check_evidence(depositor: TestDepositor, deposit_id: str, kept: dict[str, object]) -> None:
    """All that proves the deposit, byte for byte; what is told anew each time aside."""
    found = depositor.evidence(deposit_id)
    told = {"key_status"}
    assert {name: found[name] for name in kept if name not in told} == {
        name: kept[name] for name in kept if name not in told
    }


def test_from_every_earlier_form(tmp_path: Path, database_url: str) -> None:
    server = NotaryServer(tmp_path / "notary", MIZHENG_DATABASE_URL=database_url)
    with server:
        depositor = admit(server, database_url)
        made = [depositor.deposit()[1]]
        depositor.wait_until("final", made[0]["id"])
        kept = depositor.evidence(made[0]["id"])
    # In the short form the first one and the last but one; each is a server that has to start.
    for revision in earlier() if SOAK else (earlier()[0], earlier()[-1]):
        go_back(database_url, revision)
        with server:
            for number, answer in enumerate(made):
                assert depositor.status(answer["id"])["leaf_index"] == number + 1
            assert depositor.status(made[0]["id"])["state"] == "final", revision
            check_evidence(depositor, made[0]["id"], kept)
            made.append(depositor.deposit()[1])
            ready = httpx.get(f"{server.url}/readyz", trust_env=False, verify=NO_TLS).json()
            assert ready["checks"]["log"]["state"] == "ok", revision
    with server:
        # Also what was deposited at each form is anchored.
        depositor.wait_until("final", made[-1]["id"])
        count(database_url, read_vkey(server), [receipt_of(answer) for answer in made]).check()


def test_there_are_earlier_forms() -> None:
    assert "0001" in earlier()
    assert len(earlier()) == len(set(earlier())) >= 2


def test_a_notary_of_an_earlier_release_leaves_a_newer_database_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    engine = create_engine(url)
    with NotaryServer(tmp_path / "notary", MIZHENG_DATABASE_URL=url) as server:
        assert server.url
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(RuntimeError, match="a later release"):
        server.start()
