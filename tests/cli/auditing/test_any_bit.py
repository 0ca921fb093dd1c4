"""One bit anywhere in what a log shows is never passed over, and never makes anybody else's fault."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault

from tests.cli.auditing.conftest import Auditor
from tests.support.scale import scaled
from tests.support.staticlog import StaticLog

FLIPS = scaled(150, 5000)


@pytest.mark.parametrize("size", [1, 256, 700])
def test_any_bit_of_a_log(size: int, tmp_path: Path) -> None:
    log = StaticLog(tmp_path / "log").grow(size)
    source = random.Random(size)
    paths = sorted(path for path in log.folder.rglob("*") if path.is_file())
    for number in range(FLIPS // 3):
        place = source.choice(paths)
        whole = place.read_bytes()
        bit = source.randrange(8 * len(whole))
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        place.write_bytes(data)
        wanted = UndecidedFault if place.name == "checkpoint" else MisbehaviourFault
        with pytest.raises(wanted):
            Auditor(tmp_path / f"{number}.json")(log.folder, log.vkey)
        place.write_bytes(whole)
        # What was found wrong and is right again is right.
        if number % 10 == 0:
            assert Auditor(tmp_path / f"{number}.json")(log.folder, log.vkey).state
