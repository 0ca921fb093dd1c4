"""The log against a list: whatever is done to it, in whatever order, it is the list of what was answered."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from mizheng.notary.database import create_engine, reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.log.guard import LogGuard
from mizheng.notary.log.head import create_log, load_head
from mizheng.notary.log.proofs import consistency_proof, inclusion_proof
from mizheng.notary.log.sequencer import Sequencer
from mizheng.notary.log.statefile import StateFile
from mizheng.notary.models import metadata
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.merkle import verify_consistency, verify_inclusion
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey

from tests.faults.conftest import Tell
from tests.faults.independent import SignedHead, leaf, open_note, recompute, roots_at
from tests.faults.load import Count
from tests.faults.test_lost_or_persisted import Driver
from tests.faults.writer import AllAdmitted, Item
from tests.support.scale import scaled

SIGNER = NoteSigner("log.example/model", PrivateKey.generate())


class LogAndList(RuleBasedStateMachine):
    """`self.names` is the model: entry i is the envelope called names[i]."""

    made: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.names: list[str] = []
        self.heads: set[SignedHead] = set()
        self.url = f"sqlite:///{self._folder.name}/log.db"
        engine = create_engine(self.url)
        metadata.create_all(engine)
        with writing(engine) as connection:
            create_log(connection, SIGNER)
        engine.dispose()
        self._open()

    def _open(self) -> None:
        self.engine = create_engine(self.url)
        guard = LogGuard("log.example/model", StateFile(Path(self._folder.name) / "signed-head"))
        self.sequencer: Sequencer[Item] = Sequencer(self.engine, SIGNER, AllAdmitted(), guard=guard)
        self.sequencer.start()

    def _deposit(self, names: list[str]) -> None:
        """Submit all at once; what is answered must be what the model says."""
        futures = [self.sequencer.submit(Item(name)) for name in names]
        answers = {}
        for name, future in zip(names, futures, strict=True):
            try:
                answers[name] = future.result(60)
            except Problem as problem:
                assert problem.code == "log-unavailable"
        with reading(self.engine) as connection:
            size = load_head(connection).tree_size
        fresh = [name for name in dict.fromkeys(names) if name not in self.names]
        # All of a broken batch stands in the log, or nothing of it.
        assert size in (len(self.names), len(self.names) + len(fresh))
        if size > len(self.names):
            self.names += fresh
        type(self).made += len(answers)
        for name, answer in answers.items():
            assert answer.leaf_index == self.names.index(name)
            self.heads.add(open_note(answer.tlog_proof.split(b"\n\n", 1)[1], SIGNER.vkey))

    @rule(count=st.sampled_from([1, 2, 3, 100, 255, 256, 257, 300]))
    def deposit_new_ones(self, count: int) -> None:
        self._deposit([f"{len(self.names) + number}" for number in range(count)])

    @precondition(lambda self: self.names)
    @rule(data=st.data())
    def deposit_known_ones_among_new_ones(self, data: st.DataObject) -> None:
        known = data.draw(st.lists(st.sampled_from(self.names), min_size=1, max_size=5))
        self._deposit([*known, f"{len(self.names)}", *known, f"{len(self.names)}"])

    @rule(call=st.integers(0, 11), times=st.integers(1, 2), mode=st.sampled_from(["lost", "persisted"]))
    def deposit_while_the_database_fails(self, call: int, times: int, mode: str) -> None:
        with pytest.MonkeyPatch.context() as patch, Driver(self.engine).wrapped(patch) as driver:
            driver.break_at(call, times, mode)
            futures = self.sequencer.submit(Item(f"{len(self.names)}"))
            try:
                futures.result(60)
            except Problem as problem:
                assert problem.code == "log-unavailable"
        self._deposit([f"{len(self.names)}"])

    @rule()
    def restart(self) -> None:
        self.sequencer.stop()
        self.engine.dispose()
        self._open()

    @precondition(lambda self: self.names)
    @rule(data=st.data())
    def prove(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(1, len(self.names)))
        index = data.draw(st.integers(0, size - 1))
        leaves = [leaf(dump_entry(Item(name).entry.envelope_sha256)) for name in self.names]
        roots = roots_at(leaves, [size, len(leaves)])
        with reading(self.engine) as connection:
            verify_inclusion(
                leaves[index], index, size, inclusion_proof(connection, index, size), roots[size]
            )
            joined = consistency_proof(connection, size, len(leaves))
            verify_consistency(size, roots[size], len(leaves), roots[len(leaves)], joined)

    @invariant()
    def is_the_list(self) -> None:
        log = recompute(self.url, SIGNER.vkey)
        assert log.entries == [dump_entry(Item(name).entry.envelope_sha256) for name in self.names]
        assert not log.contradictions(self.heads)

    def teardown(self) -> None:
        self.sequencer.stop()
        self.engine.dispose()
        self._folder.cleanup()


def test_the_log_is_the_list(tell: Tell) -> None:
    chosen = settings(max_examples=scaled(8, 60), stateful_step_count=scaled(12, 30), deadline=None)
    LogAndList.made = 0
    run_state_machine_as_test(LogAndList, settings=chosen)
    found = Count(LogAndList.made, 0, 0, 0)
    tell("any order of appends, faults, restarts", chosen.max_examples, found, "model", database="sqlite")
