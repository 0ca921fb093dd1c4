"""The clock jumps an hour forward and an hour back under a running notary: the log does not care."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
from mizheng.verifier.canonical import parse_instant

from tests.faults.conftest import Tell
from tests.faults.load import count, read_vkey, receipt_of
from tests.notary.depositor import TestDepositor
from tests.support.notary import NotaryServer

HOUR = 3600


# Loaded by Python itself before anything of the notary, so that nothing holds the real clock.
_SHIFTED = """
import time
_real = time.time
def _shifted():
    with open({path!r}) as file:
        return _real() + float(file.read() or 0)
time.time = _shifted
"""


def test_an_hour_forward_and_back(tmp_path: Path, tell: Tell) -> None:
    shift = tmp_path / "shift"
    set_shift(shift, 0)
    (tmp_path / "sitecustomize.py").write_text(_SHIFTED.format(path=str(shift)))
    database = f"sqlite:///{tmp_path / 'notary' / 'mizheng.db'}"
    with NotaryServer(tmp_path / "notary", PYTHONPATH=str(tmp_path)) as server:
        depositor = TestDepositor(server.url, *server.add_org())
        depositor.enrol()
        receipts = []
        first = depositor.deposit()[1]
        depositor.wait_until("final", first["id"])
        # Back: blocks of the embedded chain are an hour ahead then; anchoring waits, deposits do not.
        for seconds in (HOUR, 0, -HOUR, HOUR, 0):
            set_shift(shift, seconds)
            for _ in range(3):
                made = depositor.deposit()[1]
                receipts.append(receipt_of(made))
            assert abs(time.time() + seconds - _received_at(made)) < 120, "the clock did not jump"
        set_shift(shift, HOUR)
        depositor.wait_until("final", receipts[-1].envelope_sha256)
        assert httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200
        found = count(database, read_vkey(server), receipts)
        tell("the clock jumps an hour", 5, found, database="sqlite")
        found.check()
        assert [receipt.leaf_index for receipt in receipts] == list(range(2, 17))


def set_shift(path: Path, seconds: int) -> None:
    """In one step: the notary reads it at any moment."""
    draft = path.with_suffix(".new")
    draft.write_text(f"{seconds}")
    draft.replace(path)


def _received_at(answer: dict[str, object]) -> float:
    return parse_instant(str(answer["received_at"]))
