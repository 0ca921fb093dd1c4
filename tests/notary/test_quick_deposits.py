"""Deposits taken where their bytes come in: the answer is always that of the long way."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from mizheng.notary.app import create_app
from mizheng.notary.config import load_settings
from mizheng.notary.instance import open_instance
from mizheng.notary.intake.deposits import Deposit
from mizheng.notary.log.sequencer import Outcome
from mizheng.notary.routes.intake import DepositDesk
from mizheng.notary.routes.limits import MAX_BODY_BYTES
from mizheng.notary.routes.quick import quick_protocol
from mizheng.notary.serve import configure_server, listen
from mizheng.notary.service import Service
from mizheng.verifier.signature import PrivateKey

from tests.notary.depositor import TestDepositor, register_at
from tests.notary.wire import talk

LONG_WAY = "X-Way: long\r\n"


class CountingDesk(DepositDesk):
    """Counts what is begun here, and so does not go the long way."""

    begun = 0

    def begin(
        self, authorization: str | None, envelope: bytes
    ) -> tuple[Deposit, asyncio.Future[Outcome]] | None:
        found = super().begin(authorization, envelope)
        self.begun += found is not None
        return found


@dataclass
class Notary:
    """One that runs in this process, and a company with an enrolled key."""

    service: Service
    desk: CountingDesk
    server: uvicorn.Server
    port: int
    company: TestDepositor

    def request(
        self,
        envelope: bytes,
        *headers: str,
        line: str = "POST /v1/deposits HTTP/1.1",
        length: str | None = None,
        key: str | None = None,
    ) -> str:
        lines = [line, "Host: log.example", f"Authorization: Bearer {key or self.company.api_key}"]
        lines += ["Content-Type: application/json", f"Content-Length: {length or len(envelope)}"]
        return "\r\n".join((*lines, *headers)) + "\r\n\r\n" + envelope.decode("latin-1")


@contextmanager
def serving(data_dir: Path) -> Iterator[Notary]:
    settings = load_settings({"MIZHENG_DATA_DIR": str(data_dir)})
    service = Service(open_instance(settings))
    desk = CountingDesk(service)
    config = configure_server(create_app(service), quick_protocol(service.served, service.metrics, desk))
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
        thread.start()
        try:
            company = register_at(f"http://127.0.0.1:{port}", service.engine)
            company.enrol()
            # Callers are remembered from their first deposit on.
            company.deposit()
            yield Notary(service, desk, server, port, company)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def notary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notary]:
    with serving(tmp_path_factory.mktemp("notary")) as running:
        yield running


def split(answer: bytes) -> tuple[list[str], dict[str, object]]:
    """The head without the length, and the body's object."""
    head, _, body = answer.removesuffix(b"(open)").partition(b"\r\n\r\n")
    lines = [line for line in head.decode().split("\r\n") if not line.startswith("content-length")]
    return lines, json.loads(body)


@pytest.mark.parametrize("is_apart", [False, True])
def test_a_deposit_is_answered_as_on_the_long_way(notary: Notary, is_apart: bool) -> None:
    """Also where head and body come apart, as many clients send them."""
    before = notary.desk.begun
    answers = []
    for headers in ((), ("X-Way: long",)):
        envelope = notary.company.envelope()
        request = notary.request(envelope, *headers)
        place = request.index("\r\n\r\n") + 4
        pieces = (request[:place], request[place:]) if is_apart else (request,)
        answer = talk(notary.port, *pieces, pause=0.05, patience=0.5)
        head, found = split(answer)
        notary.company.checked(found, envelope)
        answers.append((head, set(found), answer.endswith(b"(open)")))
    assert notary.desk.begun == before + 1
    assert answers[0] == answers[1]
    assert answers[0][0][0] == "HTTP/1.1 201 Created"


def refused(notary: Notary) -> dict[str, tuple[str, ...]]:
    """Requests that are answered with something else than a new place."""
    request, company = notary.request, notary.company
    envelope = company.envelope()
    known, _ = company.deposit()
    broken = envelope.replace(b'"sig":"', b'"sig":"AAAA')
    stranger = company.statement(public_key=(key := PrivateKey.generate()).public).sign(key)
    smuggled = request(b"x" * 9)
    return {
        "there already": (request(known),),
        "signature": (request(broken),),
        "key not enrolled": (request(stranger),),
        "no envelope": (request(b"{}"),),
        "another API key": (request(envelope, key="mzk_" + "A" * 43),),
        "no API key": (request(envelope).replace("Authorization", "Accept"),),
        "API key twice": (request(b"{}", f"Authorization: Bearer {company.api_key}"),),
        "another path": (request(envelope, line="POST /v1/deposits/ HTTP/1.1"),),
        "a query": (request(b"{}", line="POST /v1/deposits?x HTTP/1.1"),),
        "no body": (request(b""),),
        "too long": (request(b"", length=str(MAX_BODY_BYTES + 1)),),
        "length with a sign": (request(b"{}", length="+2"),),
        "length with a zero": (request(b"{}", length="02"),),
        "two lengths": (request(b"{}", "Content-Length: 3") + "x",),
        "chunked": (
            request(b"2\r\n{}\r\n0\r\n\r\n").replace("Content-Length: 12", "Transfer-Encoding: chunked"),
        ),
        "chunked and a length": (request(b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),),
        "expects": (request(b"{}", "Expect: 100-continue"),),
        "closes": (request(b"{}", "Connection: close"),),
        "folded": (request(b"{}", "Accept: a", " b"),),
        "two at once": (request(b"{}") + request(b"[]"),),
        "a request in the body": (request(smuggled.encode()),),
        "more than announced": (request(b"{}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", length="2"),),
        "in small pieces": tuple(request(b"{}")[start : start + 40] for start in range(0, 400, 40)),
        "the body in pieces": (request(b"", length="2"), "{", "}"),
        "old": (request(b"{}", line="POST /v1/deposits HTTP/1.0"),),
    }


@pytest.fixture(scope="module")
def answered(notary: Notary) -> dict[str, list[bytes]]:
    """What is said to each of the above, as it is and with a header that leads it the long way; side by side,
    for most of the time is waiting for nothing.
    """
    asked = refused(notary)
    with ThreadPoolExecutor(2 * len(asked)) as threads:
        told = {
            name: [
                threads.submit(talk, notary.port, *way, pause=0.02, patience=1.0)
                for way in (pieces, (pieces[0].replace("\r\n", f"\r\n{LONG_WAY}", 1), *pieces[1:]))
            ]
            for name, pieces in asked.items()
        }
        return {name: [answer.result() for answer in answers] for name, answers in told.items()}


NAMES = (
    *("there already", "signature", "key not enrolled", "no envelope", "another API key", "no API key"),
    *("API key twice", "another path", "a query", "no body", "too long", "length with a sign"),
    *("length with a zero", "two lengths", "chunked", "chunked and a length", "expects", "closes"),
    *("folded", "two at once", "a request in the body", "more than announced", "in small pieces"),
    *("the body in pieces", "old"),
)


@pytest.mark.parametrize("name", NAMES)
def test_everything_else_is_answered_as_on_the_long_way(answered: dict[str, list[bytes]], name: str) -> None:
    assert set(answered) == set(NAMES)
    quick, slow = answered[name]
    assert quick == slow
    assert quick.startswith(b"HTTP/1.1 ")


def test_what_comes_before_the_answer_waits_for_it(notary: Notary) -> None:
    """Requests in one go, and each while the one before it is under way: answered in their order."""
    envelopes = [notary.company.envelope() for _ in range(4)]
    first, second, third, fourth = map(notary.request, envelopes)
    health = "GET /healthz HTTP/1.1\r\nHost: log.example\r\n\r\n"
    for pieces, other in (([first + second], 0), ([third, fourth, health], 1)):
        answer = talk(notary.port, *pieces, patience=1.0)
        assert answer.count(b"HTTP/1.1 201 Created") == 2
        assert answer.count(b"HTTP/1.1 200 OK") == other
    assert all(notary.company.post(envelope).status_code == 200 for envelope in envelopes)


def test_who_goes_away_has_deposited_all_the_same(notary: Notary) -> None:
    envelope = notary.company.envelope()
    with socket.create_connection(("127.0.0.1", notary.port)) as connection:
        connection.sendall(notary.request(envelope).encode())
        # Taken, and perhaps not answered yet.
        time.sleep(0.02)
    digest = hashlib.sha256(envelope).hexdigest()
    deadline = time.monotonic() + 10
    while notary.company.client.get(f"/v1/deposits/{digest}").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_that_stops_answers_what_is_under_way(tmp_path: Path) -> None:
    """And says that this answer is the last one on its connection."""
    may_go_on, has_begun = threading.Event(), threading.Event()
    received = b""
    with serving(tmp_path) as notary:
        sequencer = notary.service.sequencer
        sequence = sequencer._sequence

        def held_up(batch: Sequence[Deposit]) -> list[Outcome]:
            has_begun.set()
            assert may_go_on.wait(10)
            return sequence(batch)

        sequencer._sequence = held_up  # type: ignore[method-assign]
        with socket.create_connection(("127.0.0.1", notary.port), timeout=10) as connection:
            connection.sendall(notary.request(notary.company.envelope()).encode())
            assert has_begun.wait(10)
            notary.server.should_exit = True
            # The connections are told once nothing more is listened for.
            while not notary.server.servers or notary.server.servers[0].is_serving():
                time.sleep(0.02)
            time.sleep(0.05)
            may_go_on.set()
            while data := connection.recv(65536):
                received += data
    assert received.startswith(b"HTTP/1.1 201 Created")
    assert b"connection: close\r\n" in received
