"""Several processes on one database: one log, no fork, one place for one envelope."""

from __future__ import annotations

from pathlib import Path

from tests.faults.load import copy_keys
from tests.faults.writers import begin_log, check_receipts, read_receipts, start_writer
from tests.support.scale import scaled

PROCESSES = scaled(3, 8)
SECONDS = scaled(5, 60)
THREADS = 8


def test_processes_racing(tmp_path: Path, database_url: str) -> None:
    vkey = begin_log(database_url, tmp_path / "0")
    for number in range(1, PROCESSES):
        copy_keys(tmp_path / "0" / "keys", tmp_path / str(number) / "keys")
    writers = [
        start_writer(database_url, tmp_path / str(number), f"writer-{number}", THREADS, SECONDS)
        for number in range(PROCESSES)
    ]
    answers = [writer.communicate(timeout=300) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * PROCESSES, answers
    receipts = [read_receipts(out.splitlines(keepends=True)) for out, _ in answers]
    assert all(receipts), "a writer was never answered"
    # The same envelopes were sent by all of them.
    shared = set.intersection(*({receipt.envelope_sha256 for receipt in each} for each in receipts))
    assert shared
    everything = [receipt for each in receipts for receipt in each]
    print(f"{PROCESSES} processes, {SECONDS} s: {check_receipts(database_url, vkey, everything)}")
