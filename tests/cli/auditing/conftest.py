"""Logs as files to audit, and audits that leave out the waiting."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from mizheng.cli.auditing import heads
from mizheng.cli.auditing.faults import MisbehaviourFault
from mizheng.cli.auditing.run import Audit
from mizheng.cli.auditing.source import Source, open_source
from mizheng.cli.terminal.output import Progress
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.trust import Trust

from tests.support.staticlog import StaticLog

NOW = 1_800_000_000.0
# Three levels of tiles; the tile 0 of level 1 is full.
BIG = 66_000


class Auditor:
    """One auditor with one state file."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def __call__(
        self,
        source: Source | Path | str,
        vkey: str | None = None,
        trust: Trust | None = None,
        nodes: Sequence[str] = (),
    ) -> Audit:
        verifiers = (NoteVerifier.from_vkey(vkey),) if vkey else ()
        if trust is not None and not verifiers:
            verifiers = tuple(log.verifier for log in trust.logs)
        opened = open_source(str(source)) if isinstance(source, (str, Path)) else source
        audit = Audit(opened, self.state, verifiers, trust, nodes)
        try:
            audit.run(Progress("auditing"), now=NOW)
        finally:
            opened.close()
        return audit

    def finds(self, source: Source | Path | str, vkey: str | None = None) -> MisbehaviourFault:
        """What an audit that must not go well holds against the log."""
        with pytest.raises(MisbehaviourFault) as caught:
            self(source, vkey)
        return caught.value


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "_PAUSE", 0.0)


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    return Auditor(tmp_path / "state.json")


@pytest.fixture
def log(tmp_path: Path) -> StaticLog:
    """A log of 700 entries: two full tiles and a partial one under one of level 1."""
    return StaticLog(tmp_path / "log").grow(700)


@pytest.fixture(scope="session")
def _big(tmp_path_factory: pytest.TempPathFactory) -> StaticLog:
    return StaticLog(tmp_path_factory.mktemp("big")).grow(BIG)


@pytest.fixture
def big(_big: StaticLog, tmp_path: Path) -> Iterator[StaticLog]:
    """A log of 66,000 entries, for this test alone."""
    folder = tmp_path / "big"
    shutil.copytree(_big.folder, folder)
    yield StaticLog(folder, _big.signer, BIG)
    shutil.rmtree(folder)


@pytest.fixture
def branch(log: StaticLog, tmp_path: Path) -> Callable[[int, int], StaticLog]:
    """A log of the same key that parts from `log` at an index and has a size."""

    def make(at: int, size: int) -> StaticLog:
        other = StaticLog(tmp_path / f"branch-{at}-{size}", log.signer)
        return other.grow(at).grow(size, b"other")

    return make
