"""Several processes on one database: one log, no fork, one place for one envelope."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.load import copy_keys
from tests.faults.writers import begin_log, check_receipts, read_receipts, start_writer
from tests.support.scale import SOAK, scaled

PROCESSES = (2, 4, 8) if SOAK else (3,)
SECONDS = scaled(10, 60)
THREADS = 8


@pytest.mark.parametrize("processes", PROCESSES)
def test_processes_racing(tmp_path: Path, database_url: str, processes: int, tell: Tell) -> None:
    vkey = begin_log(database_url, tmp_path / "0")
    for number in range(1, processes):
        copy_keys(tmp_path / "0" / "keys", tmp_path / str(number) / "keys")
    writers = [
        start_writer(database_url, tmp_path / str(number), f"writer-{number}", THREADS, SECONDS)
        for number in range(processes)
    ]
    answers = [writer.communicate(timeout=300) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * processes, answers
    receipts = [read_receipts(out.splitlines(keepends=True)) for out, _ in answers]
    assert all(receipts), "a writer was never answered"
    # The same envelopes were sent by all of them.
    shared = set.intersection(*({receipt.envelope_sha256 for receipt in each} for each in receipts))
    assert shared
    everything = [receipt for each in receipts for receipt in each]
    found = check_receipts(database_url, vkey, everything)
    tell(f"{processes} processes racing", 0, found, f"for {SECONDS} s, half of the envelopes shared")
