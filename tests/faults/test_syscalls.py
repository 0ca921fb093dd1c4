"""Each write and each sync of one deposit on SQLite: the process is killed there, or the kernel answers EIO.

strace does it to a real process, each time from the same beginning, so that the calls are the same ones. A
kill -9 alone would not show a missing sync, as the kernel keeps what was written; an EIO at the sync shows
that its outcome is looked at.
"""

from __future__ import annotations

import collections
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.load import Count, Receipt
from tests.faults.seeds import chooser
from tests.faults.test_lost_or_persisted import insist
from tests.faults.writer import Item, make_sequencer, open_log
from tests.faults.writers import WRITER, begin_log, check_receipts, read_receipts
from tests.support.scale import scaled
from tests.tools.layout import ROOT

SYNCS = ("fsync", "fdatasync")
TRACED = ("pwrite64", "ftruncate", *SYNCS)
# All syncs always, and the state file's write; of the write-ahead log's so many.
SAMPLED_WRITES = scaled(3, 10_000)
STATE_FILE = "notary/signed-head"
# After it has made the write-ahead log, SQLite syncs the folder and does not look at the outcome. What could
# be lost by that is missed by the state file, and nothing is signed.
FOLDER = "."
_LINE = re.compile(r"^(\d+) +(\w+)\((?:\d+<([^>]*)>)?(.*)")


@dataclass(frozen=True, slots=True)
class Call:
    """The n-th call of this name on this file, counted from one as strace counts when it follows one file."""

    name: str
    path: str
    """Below the log's folder."""
    number: int


class Traced:
    """A log to which one deposit is made under strace, as often as wanted, each time as if for the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve() / "log"
        self.url = f"sqlite:///{self.folder / 'log.db'}"
        self._trace = folder / "trace"
        self._beginning = folder / "beginning"
        self.vkey = begin_log(self.url, self.folder / "notary")
        # A first deposit makes files that later ones find.
        first = self._write("first")
        assert first.returncode == 0, first.stderr
        self.receipts = read_receipts(first.stdout.splitlines(keepends=True))
        shutil.copytree(self.folder, self._beginning)

    def deposit(self, call: Call | None = None, fault: str = "") -> tuple[list[Receipt], int]:
        """What was answered, and the process's exit code; the fault must have met the deposit itself."""
        shutil.rmtree(self.folder)
        shutil.copytree(self._beginning, self.folder)
        options = []
        if call is not None:
            paths = (self.folder / call.path, "/mark/begin", "/mark/end")
            options = [f"--inject={call.name}:{fault}:when={call.number}", *(f"-P{path}" for path in paths)]
        trace = ",".join((*TRACED, "openat"))
        command = ["strace", "-f", "-qq", "-y", f"--trace={trace}", f"--output={self._trace}", *options]
        done = self._write("second", *command)
        if call is not None:
            inside = self._between_marks()
            hit = [number for number, line in enumerate(inside) if "INJECTED" in line or "killed by" in line]
            assert hit, f"{call} was not met:\n{inside}"
            self._is_synced = any(
                line.endswith("= 0") and _LINE.match(line)[2] in SYNCS  # type: ignore[index]
                for line in inside[hit[-1] + 1 :]
            )
        return read_receipts(done.stdout.splitlines(keepends=True)), done.returncode

    @property
    def is_synced(self) -> bool:
        """Whether the broken call's file was synced after the fault and before the answer."""
        return self._is_synced

    def calls(self) -> list[Call]:
        """What the last deposit wrote and synced."""
        counters: collections.Counter[tuple[str, str]] = collections.Counter()
        found = []
        for line in self._between_marks():
            match = _LINE.match(line)
            if match and match[2] in TRACED:
                path = Path(match[3]).relative_to(self.folder).as_posix()
                counters[match[2], path] += 1
                found.append(Call(match[2], path, counters[match[2], path]))
        return found

    def deposit_again(self) -> Receipt:
        """The same envelope once more, to a notary that was started anew."""
        instance = open_log(self.url, str(self.folder / "notary"))
        sequencer = make_sequencer(instance)
        sequencer.start()
        receipt, refused = insist(sequencer, Item("second"))
        sequencer.stop()
        instance.engine.dispose()
        assert not refused
        return receipt

    def _write(self, name: str, *tracer: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*tracer, *WRITER, self.url, str(self.folder / "notary"), name, "1", "0"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def _between_marks(self) -> list[str]:
        lines = self._trace.read_text().splitlines()
        marks = {
            mark: n for n, line in enumerate(lines) for mark in ("begin", "end") if f"/mark/{mark}" in line
        }
        assert "begin" in marks, f"the deposit was not begun:\n{lines}"
        return lines[marks["begin"] + 1 : marks.get("end", len(lines))]


def test_killed_or_refused_at_each_write_and_sync(tmp_path: Path, tell: Tell) -> None:
    probe = subprocess.run(["strace", "-qq", "true"], capture_output=True, text=True, check=False)
    if shutil.which("strace") is None or probe.returncode:
        pytest.skip("strace cannot trace here (ptrace is refused): faults at system calls are left out")
    log = Traced(tmp_path)
    assert log.deposit()[1] == 0
    calls = log.calls()
    always = [call for call in calls if call.name in SYNCS or call.path == STATE_FILE]
    writes = [call for call in calls if call not in always]
    # Without a sync of each nothing here would be durable.
    assert {call.path for call in always if call.name in SYNCS} == {"log.db-wal", STATE_FILE, FOLDER}
    assert {call.path for call in always if call.name not in SYNCS} == {STATE_FILE}
    assert len(writes) >= 3
    picked = always + chooser("syscalls").sample(writes, min(SAMPLED_WRITES, len(writes)))
    outcomes: collections.Counter[str] = collections.Counter()
    total = Count(0, 0, 0, 0)
    for call in picked:
        for fault in ("signal=KILL", "error=EIO"):
            held, code = log.deposit(call, fault)
            if fault == "signal=KILL":
                assert (held, code) == ([], -9)
            # An answer after an EIO stands on another sync, which did not fail.
            assert not held or log.is_synced or call.path == FOLDER, f"{call} {fault}"
            outcomes[f"{fault}, {'answered' if held else 'unanswered'}"] += 1
            check_receipts(log.url, log.vkey, log.receipts + held)
            # Whoever was not answered asks again, and the log takes it; who was, gets the same place.
            receipts = [*log.receipts, *held, log.deposit_again()]
            found = check_receipts(log.url, log.vkey, receipts)
            total = replace(total, acknowledged=total.acknowledged + found.acknowledged)
    more = f"{len(calls)} writes and syncs a deposit; {dict(outcomes)}"
    tell("KILL and EIO at writes and syncs", 2 * len(picked), total, more, database="sqlite")
