"""kill -9 of a whole notary under load, at random moments, on both databases; and of one of several."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from tests.faults.conftest import Tell
from tests.faults.load import Load, admit, check_envelopes, copy_keys, count, make_server, read_vkey
from tests.faults.seeds import chooser
from tests.notary.depositor import TestDepositor
from tests.support.postgres import Postgres
from tests.support.scale import scaled

KILLS = scaled(5, 100)
CLIENTS = 6
SERVERS = scaled(2, 4)
KILLS_OF_ONE = scaled(2, 30)


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
        check_envelopes(database_url, load.receipts)


def test_one_of_several_killed(tmp_path: Path, postgres: Postgres, tell: Tell) -> None:
    """Servers on one database; one of them is killed and started again while the others go on."""
    url = postgres.create()
    choice = chooser("one of several")
    with ExitStack() as running:
        servers = [running.enter_context(make_server(tmp_path / "0", url))]
        for number in range(1, SERVERS):
            copy_keys(servers[0].data_dir / "keys", tmp_path / str(number) / "keys")
            servers.append(running.enter_context(make_server(tmp_path / str(number), url)))
        first = admit(servers[0], url)
        everybody = [TestDepositor(server.url, first.org, first.api_key, first.key) for server in servers]
        load = Load(everybody * (CLIENTS // SERVERS))
        load.begin()
        try:
            for number in range(KILLS_OF_ONE):
                load.wait_for(5)
                time.sleep(choice.uniform(0, 0.6))
                # The first one is where checkpoints are read.
                server = servers[choice.randrange(SERVERS)]
                server.kill()
                if number % 10 == 0:
                    count(url, read_vkey(server), load.receipts, load.checkpoints).check()
                server.start()
        finally:
            load.end()
        load.send_all_again(first)
        found = count(url, read_vkey(servers[0]), load.receipts, load.checkpoints)
        more = f"{load.unanswered} unanswered, {len(load.checkpoints)} checkpoints read"
        tell(f"kill -9 of one of {SERVERS} processes", KILLS_OF_ONE, found, more, database="postgresql")
        found.check()
        check_envelopes(url, load.receipts)
