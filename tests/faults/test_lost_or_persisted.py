"""Every call that a deposit makes of the database's driver fails: lost, persisted, or with the connection
gone; once, and twice in a row. Progress or refusal, never a wrong place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from mizheng.notary.companies.quotas import load_quota, set_quota
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.intake.deposits import Deposit, DepositRules, check_deposit
from mizheng.notary.log.guard import writing_log
from mizheng.notary.log.sequencer import Sequencer, Submission
from sqlalchemy import Engine

from tests.faults.conftest import Tell
from tests.faults.independent import recompute
from tests.faults.load import Receipt, check_envelopes, count
from tests.faults.writer import open_log
from tests.notary.depositor import register_in

CALLS = ("do_execute", "do_executemany", "do_execute_no_params", "do_commit")


class Driver:
    """Counts the calls of the driver below an engine, and breaks those that it is told to."""

    def __init__(self, engine: Engine) -> None:
        self.made: list[str] = []
        self._engine = engine
        self._at: int | None = None
        self._left = 0
        self._mode = ""

    def break_at(self, call: int, times: int, mode: str) -> None:
        """Fail from the call with this number on, so many times in a row."""
        self.made, self._at, self._left, self._mode = [], call, times, mode

    @contextmanager
    def wrapped(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
        for name in CALLS:
            monkeypatch.setattr(self._engine.dialect, name, self._wrap(name))
        yield self
        monkeypatch.undo()

    def _wrap(self, name: str) -> Callable[..., Any]:
        real = getattr(self._engine.dialect, name)

        def call(*arguments: Any, **options: Any) -> Any:
            number, due = len(self.made), self._at is not None and self._left > 0
            self.made.append(name)
            if not due or number < (self._at or 0):
                return real(*arguments, **options)
            self._left -= 1
            if self._mode == "persisted":
                real(*arguments, **options)
            if self._mode == "gone":
                target = arguments[0]
                (target if name == "do_commit" else target.connection).close()
            raise self._engine.dialect.loaded_dbapi.OperationalError("injected")

        return call


class Named(Submission, Protocol):
    """What a client sends, and knows by its digest."""

    @property
    def name_sha256(self) -> str: ...


N = TypeVar("N", bound=Named)


def insist(sequencer: Sequencer[N], item: N) -> tuple[Receipt, int]:
    """Send until it is answered, as a client does; the receipt and how often it was refused."""
    for refused in range(10):
        try:
            found = sequencer.submit(item).result(60)
        except Problem as problem:
            assert (problem.code, problem.status) == ("log-unavailable", 503)
            continue
        return Receipt.read(item.name_sha256, found.leaf_index, found.tlog_proof), refused
    raise AssertionError("no progress")


class Envelope(Deposit):
    """A company's deposit, as it reaches the sequencer."""

    @property
    def name_sha256(self) -> str:
        return self.entry.envelope_sha256.hex()


@pytest.mark.parametrize("mode", ["lost", "persisted", "gone"])
def test_every_call_failing(
    tmp_path: Path, database_url: str, mode: str, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    """The whole commit of a real deposit, of a company that has a quota: that is counted in it, too."""
    instance: Instance = open_log(database_url, str(tmp_path / "notary"))
    depositor, caller = register_in(instance)
    with writing_log(instance.engine, instance.guard) as turn:
        set_quota(turn.connection, caller.organisation_id, per_day=None, in_all=1_000, per_minute=None)

    def make() -> Envelope:
        checked = check_deposit(caller, depositor.envelope())
        return Envelope(**{name.name: getattr(checked, name.name) for name in fields(Deposit)})

    sequencer: Sequencer[Envelope] = Sequencer(
        instance.engine, instance.signer, DepositRules(), guard=instance.guard
    )
    sequencer.start()
    receipts = [insist(sequencer, make())[0] for _ in range(2)]
    with Driver(instance.engine).wrapped(monkeypatch) as driver:
        driver.break_at(0, 0, mode)
        receipts.append(insist(sequencer, make())[0])
        calls = list(driver.made)
        assert calls.count("do_commit") == 1
        faults = refusals = 0
        for number in range(len(calls)):
            for times in (1, 2):
                driver.break_at(number, times, mode)
                receipt, refused = insist(sequencer, make())
                receipts.append(receipt)
                faults, refusals = faults + times, refusals + refused
    sequencer.stop()
    with reading(instance.engine) as connection:
        quota = load_quota(connection, caller.organisation_id)
    instance.engine.dispose()
    found = count(database_url, instance.signer.vkey, receipts)
    found.check()
    # Before them the company's key was enrolled.
    assert len(recompute(database_url, instance.signer.vkey).entries) == len(receipts) + 1
    check_envelopes(database_url, receipts)
    assert quota is not None and quota.used == len(receipts)
    more = f"{len(calls)} calls a deposit, once and twice in a row; {refusals} refused"
    tell(f"the driver's calls: {mode}", faults, found, more)
