"""Every call that a deposit makes of the database's driver fails: lost, persisted, or with the connection
gone; once, and twice in a row. Progress or refusal, never a wrong place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.log.sequencer import Sequencer
from sqlalchemy import Engine

from tests.faults.conftest import Tell
from tests.faults.independent import recompute
from tests.faults.load import Receipt, count
from tests.faults.writer import Item, make_sequencer, open_log

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


def insist(sequencer: Sequencer[Item], item: Item) -> tuple[Receipt, int]:
    """Send until it is answered, as a client does; the receipt and how often it was refused."""
    for refused in range(10):
        try:
            found = sequencer.submit(item).result(60)
        except Problem as problem:
            assert (problem.code, problem.status) == ("log-unavailable", 503)
            continue
        return Receipt.read(item.name_sha256, found.leaf_index, found.tlog_proof), refused
    raise AssertionError("no progress")


@pytest.mark.parametrize("mode", ["lost", "persisted", "gone"])
def test_every_call_failing(
    tmp_path: Path, database_url: str, mode: str, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    instance: Instance = open_log(database_url, str(tmp_path / "notary"))
    sequencer = make_sequencer(instance)
    sequencer.start()
    receipts = [insist(sequencer, Item(f"before-{number}"))[0] for number in range(2)]
    with Driver(instance.engine).wrapped(monkeypatch) as driver:
        driver.break_at(0, 0, mode)
        receipts.append(insist(sequencer, Item("counted"))[0])
        calls = list(driver.made)
        assert calls.count("do_commit") == 1
        faults = refusals = 0
        for number in range(len(calls)):
            for times in (1, 2):
                driver.break_at(number, times, mode)
                receipt, refused = insist(sequencer, Item(f"{number}-{times}"))
                receipts.append(receipt)
                faults, refusals = faults + times, refusals + refused
    sequencer.stop()
    instance.engine.dispose()
    found = count(database_url, instance.signer.vkey, receipts)
    found.check()
    assert len(recompute(database_url, instance.signer.vkey).entries) == len(receipts)
    more = f"{len(calls)} calls a deposit, once and twice in a row; {refusals} refused"
    tell(f"the driver's calls: {mode}", faults, found, more)
