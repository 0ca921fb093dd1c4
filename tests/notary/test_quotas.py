"""What a company may ask for: counted exactly, told with a time, and nobody else's matter."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mizheng.notary.companies.quotas import DAY_SECONDS, Quota, load_quota, set_quota
from mizheng.notary.config import load_settings
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.intake.deposits import DepositRules, check_deposit
from mizheng.notary.log.guard import writing_log
from mizheng.notary.log.sequencer import Sequenced, Sequencer
from mizheng.notary.visitors import Callers
from sqlalchemy import Engine

from tests.notary.depositor import TestDepositor, problem_of, register, register_in
from tests.support.notary import NotaryServer

NOW = 1_800_000_000.0


def limit(server: NotaryServer, depositor: TestDepositor, *options: str) -> None:
    server.run("org", "limit", depositor.org.id, *options)


def test_so_many_entries_in_all(server: NotaryServer, depositor: TestDepositor, database: Engine) -> None:
    first, _ = depositor.deposit()
    limit(server, depositor, "--in-all", "2")
    depositor.deposit()
    refused = depositor.post(depositor.envelope())
    assert (refused.status_code, problem_of(refused)) == (429, "quota-in-all")
    assert int(refused.headers["retry-after"]) > 0
    # What stands is given again, and another company deposits as before.
    assert depositor.post(first).status_code == 200
    other = register(server, database)
    other.enrol()
    other.deposit()
    limits = depositor.client.get("/v1/organisation").json()["limits"]
    assert limits == {
        "entries_per_day": None,
        "entries_in_all": 2,
        "requests_per_minute": None,
        "used_today": 2,
        "used_in_all": 2,
    }


def test_of_a_batch_as_many_as_there_is_room_for(server: NotaryServer, depositor: TestDepositor) -> None:
    limit(server, depositor, "--per-day", "3")
    envelopes = [depositor.envelope() for _ in range(5)]
    body = b"".join(envelope + b"\n" for envelope in [envelopes[0], *envelopes])
    items = depositor.client.post("/v1/deposits:batch", content=body).json()["items"]
    # The first one is there twice, and takes one place.
    assert [item["status"] for item in items] == [201, 201, 201, 201, 429, 429]
    assert items[4]["type"] == "urn:mizheng:problem:quota-day"


def test_a_limit_taken_away(server: NotaryServer, depositor: TestDepositor) -> None:
    limit(server, depositor, "--per-day", "0")
    assert problem_of(depositor.post(depositor.envelope())) == "quota-day"
    limit(server, depositor)
    depositor.deposit()
    assert depositor.client.get("/v1/organisation").json()["limits"] is None


def test_so_many_requests_in_a_minute(server: NotaryServer, depositor: TestDepositor) -> None:
    limit(server, depositor, "--per-minute", "3")
    answers = [depositor.client.get("/v1/beacon") for _ in range(5)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 2
    assert {problem_of(answer) for answer in refused} == {"quota-minute"}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)


def test_each_envelope_of_a_batch_counts() -> None:
    clock = iter([0.0, 1.0, 100.0, 301.0]).__next__
    callers = Callers(clock=clock)
    callers.let_in(1, 10, 40)
    for _ in range(2):
        with pytest.raises(Problem) as refused:
            callers.let_in(1, 10)
        assert refused.value.retry_after
    callers.let_in(1, 10)


def test_a_day_ends_at_midnight() -> None:
    today = int(NOW) // DAY_SECONDS
    quota = Quota(2, None, None, today, 2, 5)
    refusal = quota.refusal(0, NOW)
    assert refusal is not None and refusal.retry_after == (today + 1) * DAY_SECONDS - int(NOW)
    tomorrow = NOW + DAY_SECONDS
    assert quota.refusal(1, tomorrow) is None
    assert quota.refusal(2, tomorrow) is not None


def test_the_operators_command_is_in_the_audit_log(
    server: NotaryServer, depositor: TestDepositor, tmp_path: Path
) -> None:
    limit(server, depositor, "--per-day", "7")
    server.run("audit-log", "export", "-o", str(tmp_path / "audit"))
    lines = (tmp_path / "audit").read_text("utf-8").splitlines()
    (row,) = [row for row in map(json.loads, lines) if row.get("detail") == {"per_day": 7}]
    assert row["action"] == "organisation.limit"


@pytest.fixture
def instance(tmp_path: Path, database_url: str) -> Iterator[Instance]:
    opened = open_instance(
        load_settings({"MIZHENG_DATA_DIR": str(tmp_path / "data"), "MIZHENG_DATABASE_URL": database_url})
    )
    yield opened
    opened.engine.dispose()


def test_two_processes_count_together(instance: Instance) -> None:
    """Two sequencers on one database, as two processes have them."""
    depositor, caller = register_in(instance)
    company = caller.organisation_id
    with writing_log(instance.engine, instance.guard) as turn:
        set_quota(turn.connection, company, per_day=None, in_all=25, per_minute=None)
    sequencers = [
        Sequencer(instance.engine, instance.signer, DepositRules(), guard=instance.guard) for _ in range(2)
    ]
    for sequencer in sequencers:
        sequencer.start()
    groups = [[check_deposit(caller, depositor.envelope()) for _ in range(8)] for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        outcomes = threads.map(
            lambda pair: pair[0].submit_all(pair[1]).result(),
            zip(sequencers * 3, groups, strict=True),
        )
        found = [outcome for group in outcomes for outcome in group]
    for sequencer in sequencers:
        sequencer.stop()
    assert sum(isinstance(outcome, Sequenced) for outcome in found) == 25
    with reading(instance.engine) as connection:
        quota = load_quota(connection, company)
    assert quota is not None and (quota.used, quota.used_today) == (25, 25)
    assert quota.day == int(time.time()) // DAY_SECONDS
