"""Each write and each sync of one deposit on SQLite: the process is killed there, or the kernel answers EIO.

strace does it to a real process. A kill -9 alone would not show a missing sync, as the kernel keeps what was
written; an EIO at the sync shows that its outcome is looked at.
"""

from __future__ import annotations

import collections
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.load import Receipt
from tests.faults.seeds import chooser
from tests.faults.test_lost_or_persisted import insist
from tests.faults.writer import Item, make_sequencer, open_log
from tests.faults.writers import WRITER, begin_log, check_receipts, read_receipts
from tests.support.scale import scaled
from tests.tools.layout import ROOT

SYNCS = ("fsync", "fdatasync")
TRACED = ("pwrite64", "ftruncate", *SYNCS)
# All syncs always; of the writes so many.
SAMPLED_WRITES = scaled(4, 10_000)
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)")


@dataclass(frozen=True, slots=True)
class Call:
    """The n-th call of this name in its thread, counted from one as strace counts."""

    name: str
    number: int


def run_traced(url: str, folder: Path, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    """One deposit by a process of its own under strace."""
    trace = ",".join((*TRACED, "openat"))
    return subprocess.run(
        ["strace", "-f", "-qq", f"--trace={trace}", f"--output={folder / 'trace'}", *options,
         *WRITER, url, str(folder / "notary"), name, "1", "0"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def calls_between_marks(trace: str) -> list[Call]:
    """What one deposit writes and syncs."""
    counters: collections.Counter[tuple[str, str]] = collections.Counter()
    found: list[Call] = []
    inside = False
    for line in trace.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        thread, name, rest = match.groups()
        if name == "openat":
            inside = inside or "/mark/begin" in rest
            if "/mark/end" in rest:
                return found
            continue
        counters[thread, name] += 1
        if inside:
            found.append(Call(name, counters[thread, name]))
    raise AssertionError(f"no end mark in the trace:\n{trace[-2000:]}")


def deposit_again(url: str, folder: Path, name: str) -> Receipt:
    """The same envelope once more, to a notary that was started anew."""
    instance = open_log(url, str(folder / "notary"))
    sequencer = make_sequencer(instance)
    sequencer.start()
    receipt, refused = insist(sequencer, Item(name))
    sequencer.stop()
    instance.engine.dispose()
    assert not refused
    return receipt


def test_killed_or_refused_at_each_write_and_sync(tmp_path: Path, tell: Tell) -> None:
    probe = subprocess.run(["strace", "-qq", "true"], capture_output=True, text=True, check=False)
    if shutil.which("strace") is None or probe.returncode:
        pytest.skip("strace cannot trace here (ptrace is refused): faults at system calls are left out")
    url = f"sqlite:///{tmp_path / 'log.db'}"
    vkey = begin_log(url, tmp_path / "notary")
    # The second one: a first deposit makes files that later ones find.
    for name in ("first", "second"):
        plain = run_traced(url, tmp_path, name)
        assert plain.returncode == 0, plain.stderr
        receipts = read_receipts(plain.stdout.splitlines(keepends=True))
        check_receipts(url, vkey, receipts)
    calls = calls_between_marks((tmp_path / "trace").read_text())
    syncs = [call for call in calls if call.name in SYNCS]
    writes = [call for call in calls if call.name not in SYNCS]
    # One of the write-ahead log, one of the state file; without them nothing here would be durable.
    assert len(syncs) >= 2
    assert len(writes) >= 3
    picked = syncs + chooser("syscalls").sample(writes, min(SAMPLED_WRITES, len(writes)))
    outcomes: collections.Counter[str] = collections.Counter()
    for call in picked:
        for fault in ("signal=KILL", "error=EIO"):
            name = f"{call.name}-{call.number}-{fault}"
            broken = run_traced(url, tmp_path, name, f"--inject={call.name}:{fault}:when={call.number}")
            held = read_receipts(broken.stdout.splitlines(keepends=True))
            if fault == "signal=KILL":
                assert broken.returncode == -9 or broken.returncode == 137 or held, broken.stderr
            outcomes[f"{fault}, {'answered' if held else 'unanswered'}"] += 1
            receipts += held
            check_receipts(url, vkey, receipts)
            # Whoever was not answered asks again, and the log takes it.
            if not held:
                receipts.append(deposit_again(url, tmp_path, name))
    found = check_receipts(url, vkey, receipts)
    more = f"{len(calls)} writes and syncs a deposit; {dict(outcomes)}"
    tell("KILL and EIO at writes and syncs", 2 * len(picked), found, more, database="sqlite")
