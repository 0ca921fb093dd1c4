"""More deposits than fit into the line: the rest is told at once to come again, and is never acknowledged."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from tests.faults.conftest import Tell
from tests.faults.load import admit, count, make_server, read_vkey, receipt_of
from tests.notary.depositor import TestDepositor, problem_of

BATCH = 1_000
# One is being committed, four wait; there is room for no sixth one.
BATCHES = 8
# The writer gives up waiting for the lock after 15 s.
HELD_SECONDS = 10


@contextmanager
def head_held(url: str) -> Iterator[None]:
    """Somebody else is writing, for a long time."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database is not None
        connection = sqlite3.connect(parsed.database, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.close()
        return
    import psycopg

    with psycopg.connect(
        host=parsed.host, port=parsed.port, user=parsed.username, dbname=parsed.database
    ) as session:
        session.execute("SELECT * FROM log_head FOR UPDATE")
        try:
            yield
        finally:
            session.rollback()


def post_batch(depositor: TestDepositor, body: bytes) -> httpx.Response:
    with httpx.Client(headers=depositor.client.headers, timeout=60, trust_env=False) as client:
        return client.post(f"{depositor.url}/v1/deposits:batch", content=body)


def test_a_full_line_says_so_at_once(tmp_path: Path, database_url: str, tell: Tell) -> None:
    with make_server(tmp_path / "notary", database_url) as server:
        depositor = admit(server, database_url)
        bodies = [b"\n".join(depositor.envelope() for _ in range(BATCH)) for _ in range(BATCHES)]
        one = depositor.envelope()
        with ThreadPoolExecutor(BATCHES + 1) as pool:
            with head_held(database_url):
                begun = time.monotonic()
                asked = [pool.submit(post_batch, depositor, body) for body in bodies]
                # What waits, waits; what finds no room does not.
                while sum(future.done() for future in asked) < BATCHES - 5:
                    assert time.monotonic() - begun < HELD_SECONDS, "nobody was told that the line is full"
                    time.sleep(0.05)
                # Reads go on.
                assert depositor.client.get("/checkpoint").status_code == 200
                told = sum(future.done() for future in asked)
            answers = [future.result() for future in asked]
        taken = [answer for answer in answers if answer.is_success]
        refused = [answer for answer in answers if not answer.is_success]
        assert len(refused) >= told
        for answer in refused:
            assert (answer.status_code, problem_of(answer)) == (503, "queue-full")
            assert answer.headers["retry-after"] == "1"
        receipts = [receipt_of(item) for answer in taken for item in answer.json()["items"]]
        for body, answer in zip(bodies, answers, strict=True):
            if not answer.is_success:
                receipts += [receipt_of(item) for item in post_batch(depositor, body).json()["items"]]
        assert depositor.post(one).status_code == 201
        found = count(database_url, read_vkey(server), receipts)
        assert found.acknowledged == BATCH * BATCHES
        tell("a full line of deposits", len(refused) * BATCH, found, "told 503 at once, taken later")
        found.check()
