"""Starts writers as processes and reads what they were answered."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.faults.independent import recompute
from tests.faults.load import Count, Receipt, count
from tests.faults.writer import open_log
from tests.tools.layout import ROOT

WRITER = (sys.executable, "-m", "tests.faults.writer")


def begin_log(url: str, data_dir: Path) -> str:
    """Make an empty log; its verifier key."""
    instance = open_log(url, str(data_dir))
    instance.engine.dispose()
    return instance.signer.vkey


def start_writer(url: str, data_dir: Path, name: str, threads: int, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*WRITER, url, str(data_dir), name, str(threads), str(seconds)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def read_receipts(lines: Iterable[str]) -> list[Receipt]:
    """Whole lines only: the last one of a killed writer may be cut, and then nobody held it."""
    found = []
    for line in lines:
        if line.endswith("\n"):
            digest, index, proof = line.split()
            found.append(Receipt.read(digest, int(index), base64.b64decode(proof)))
    return found


def check_receipts(url: str, vkey: str, receipts: list[Receipt]) -> Count:
    """Everybody's receipts against the log recomputed; one place for one envelope, whoever sent it."""
    found = count(url, vkey, receipts)
    found.check()
    places: dict[str, int] = {}
    for receipt in receipts:
        assert places.setdefault(receipt.envelope_sha256, receipt.leaf_index) == receipt.leaf_index
    return found


def read_size(url: str, vkey: str) -> int:
    return len(recompute(url, vkey).entries)
