"""A witness as a process: killed, restarted, raced, given nonsense."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from mizheng.verifier.note import parse_note
from mizheng.verifier.witnessing import MAX_REQUEST_BYTES, take_cosignature

from tests.notary.witness.servers import MemoryLog, WitnessServer
from tests.support.plain import NO_TLS
from tests.support.scale import scaled

# The head is stored and synced; the power goes before the cosignature is made.
DIES_BEFORE_IT_ANSWERS = """
import os, signal
from mizheng.verifier.cosignature import WitnessSigner
WitnessSigner.cosign = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
# Between the judgement and its commit.
DIES_BEFORE_IT_STORES = """
import os, signal
from mizheng.notary.witness.state import WitnessState
WitnessState.store = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
HEAVY = "web3", "eth", "eth_account", "sqlalchemy", "alembic", "fastapi", "pydantic"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def server(tmp_path: Path, log: MemoryLog) -> Iterator[WitnessServer]:
    made = WitnessServer(tmp_path / "witness", log.vkey)
    yield made
    made.stop()


def check(server: WitnessServer, log: MemoryLog, old: int, size: int) -> None:
    answer = server.add_checkpoint(log.request(old, size))
    assert answer.status_code == 200, answer.text
    assert server.witness is not None
    take_cosignature(answer.content, parse_note(log.note(size)).text, server.witness)


def check_conflict(answer: httpx.Response, size: int) -> None:
    assert (answer.status_code, answer.content) == (409, b"%d\n" % size)
    assert answer.headers["content-type"] == "text/x.tlog.size"


def test_it_remembers_over_restarts(server: WitnessServer, log: MemoryLog) -> None:
    server.start()
    vkey = server.vkey
    assert server.key_path.stat().st_mode & 0o777 == 0o600
    assert server.state_path.stat().st_mode & 0o777 == 0o600
    check(server, log, 0, 7)
    server.stop()
    server.start()
    assert server.vkey == vkey
    check_conflict(server.add_checkpoint(log.request(0, 9)), 7)
    check(server, log, 7, 9)
    server.kill()
    server.start()
    check_conflict(server.add_checkpoint(log.request(0, 8)), 9)
    check(server, log, 9, 9)


def test_killed_between_storing_and_answering(server: WitnessServer, log: MemoryLog) -> None:
    server.prelude = DIES_BEFORE_IT_ANSWERS
    server.start()
    with pytest.raises(httpx.HTTPError):
        server.add_checkpoint(log.request(0, 7))
    assert server.wait_for_death() == -9
    server.prelude = ""
    server.start()
    # Nothing smaller and no other history any more, though nobody has its cosignature.
    check_conflict(server.add_checkpoint(log.request(0, 5)), 7)
    check_conflict(server.add_checkpoint(log.fork(3).request(0, 7)), 7)
    check(server, log, 7, 7)


def test_killed_before_storing(server: WitnessServer, log: MemoryLog) -> None:
    server.prelude = DIES_BEFORE_IT_STORES
    server.start()
    with pytest.raises(httpx.HTTPError):
        server.add_checkpoint(log.request(0, 7))
    assert server.wait_for_death() == -9
    server.prelude = ""
    server.start()
    check(server, log, 0, 5)


def test_requests_at_once_over_http(server: WitnessServer, log: MemoryLog) -> None:
    """Two processes on one state, many requests for heads of all sizes: what is cosigned only grows."""
    server.start()
    second = WitnessServer(server.folder, log.vkey).start()
    log.grow(400)
    try:
        with ThreadPoolExecutor(8) as pool:
            old = 0
            for _ in range(scaled(10, 300)):
                requests = [log.request(old, old + extra) for extra in range(1, 5)]
                asked = [(one, request) for request in requests for one in (server, second)]
                answers = list(pool.map(lambda pair: pair[0].add_checkpoint(pair[1]), asked))
                cosigned = [
                    parse_note(request.note).text.split(b"\n")[1]
                    for (_, request), answer in zip(asked, answers, strict=True)
                    if answer.status_code == 200
                ]
                # One of them extended `old`, the others came too late.
                assert len(cosigned) == 1
                others = [answer for answer in answers if answer.status_code != 200]
                assert {(answer.status_code, answer.content) for answer in others} == {
                    (409, cosigned[0] + b"\n")
                }
                old = int(cosigned[0])
    finally:
        second.stop()


def test_a_fork_is_refused_and_recorded(server: WitnessServer, log: MemoryLog) -> None:
    server.start()
    check(server, log, 0, 8)
    fork = log.fork(5)
    check_conflict(server.add_checkpoint(fork.request(8, 8)), 8)
    assert server.add_checkpoint(fork.request(8, 11)).status_code == 422
    cases = [json.loads(path.read_text("utf-8")) for path in server.misbehaviour.glob("*.json")]
    assert {case["kind"] for case in cases} == {"two-roots-of-one-size", "no-consistency-proof"}
    assert all(case["cosigned_checkpoint"] == log.note(8).decode() for case in cases)
    assert "showed another history" in server.output
    check(server, log, 8, 9)


def test_nonsense(server: WitnessServer, log: MemoryLog) -> None:
    server.start()
    good = log.request(0, 3).dump()
    for body, status in (
        (b"", 400),
        (b"old 1\n", 400),
        (good[:-1], 400),
        (good.replace(b"old 0", b"old 00"), 400),
        (b"x" * (MAX_REQUEST_BYTES + 1), 413),
        (MemoryLog().request(0, 3).dump(), 403),
        (MemoryLog("log.example/2").request(0, 3).dump(), 404),
    ):
        answer = server.add_checkpoint(body)
        assert answer.status_code == status, (body[:40], answer.text)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    with httpx.Client(trust_env=False, verify=NO_TLS) as client:
        assert client.get(f"{server.url}/add-checkpoint").status_code == 405
        assert client.post(f"{server.url}/elsewhere").status_code == 404
        # In pieces and without a length.
        answer = client.post(f"{server.url}/add-checkpoint", content=iter([good[:9], good[9:]]))
        assert answer.status_code == 200
        endless = (b"x" * 4096 for _ in range(MAX_REQUEST_BYTES // 4096 + 2))
        assert client.post(f"{server.url}/add-checkpoint", content=endless).status_code == 413


def test_what_it_refuses_to_start_with(tmp_path: Path, log: MemoryLog) -> None:
    server = WitnessServer(tmp_path / "witness", log.vkey)
    server.folder.mkdir()
    server.key_path.write_bytes(log.key.to_pem())
    server.key_path.chmod(0o600)
    with pytest.raises(RuntimeError, match="is missing"):
        server.start()
    sqlite = "import sqlite3, sys; sqlite3.connect(sys.argv[1])"
    subprocess.run([sys.executable, "-c", sqlite, server.state_path], check=True)
    with pytest.raises(RuntimeError, match="is a log's key"):
        server.start()
    with pytest.raises(RuntimeError, match="is not a log's key"):
        WitnessServer(tmp_path / "other", "nonsense").start()


def test_it_needs_nothing_heavy() -> None:
    script = f"""
import sys
import mizheng.notary.main, mizheng.notary.witness.run, mizheng.notary.witness.app
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
