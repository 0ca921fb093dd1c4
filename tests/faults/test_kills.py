"""kill -9 of a whole notary under load, at random moments, on both databases."""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.conftest import Tell
from tests.faults.load import Load, admit, count, make_server, read_vkey
from tests.faults.seeds import chooser
from tests.support.scale import scaled

KILLS = scaled(5, 100)
CLIENTS = 6


def test_killed_at_random_moments(tmp_path: Path, database_url: str, tell: Tell) -> None:
    moments = chooser("kills", database_url.partition(":")[0])
    with make_server(tmp_path / "notary", database_url) as server:
        depositor = admit(server, database_url)
        load = Load([depositor] * CLIENTS)
        for number in range(KILLS):
            load.begin()
            # Also before the first answer of a life, while connections are made and caches are cold.
            if number % 3 != 1:
                load.wait_for(1)
            time.sleep(moments.uniform(0, 0.6))
            server.kill()
            load.end()
            count(database_url, read_vkey(server), load.receipts, load.checkpoints).check()
            server.start()
        load.send_all_again(depositor)
        found = count(database_url, read_vkey(server), load.receipts, load.checkpoints)
        more = f"{load.unanswered} unanswered, {len(load.checkpoints)} checkpoints read"
        tell("kill -9 of the notary under load", KILLS, found, more)
        found.check()
