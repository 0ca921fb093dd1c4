"""How deposits get into the log: one, or a batch. Without FastAPI's validation, for here every tenth of a
millisecond counts; `mizheng.notary.routes.deposits` describes both for the OpenAPI document.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from mizheng.notary.companies.api_keys import Caller
from mizheng.notary.errors import Problem
from mizheng.notary.intake.deposits import Deposit, check_deposit, load_received_at
from mizheng.notary.intake.events import check_event
from mizheng.notary.log.sequencer import Outcome, Sequenced
from mizheng.notary.models import deposits, events
from mizheng.notary.people.permissions import Action
from mizheng.notary.routes.callers import admit, require
from mizheng.notary.service import Service
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.dsse import MAX_ENVELOPE_BYTES
from sqlalchemy import Table
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

# Two full entry bundles and four tiles' worth of rows are still one short commit, and one answer of 1.2 MB.
MAX_BATCH_ENVELOPES = 1_000
# A thousand envelopes of 4 KiB; they usually have less than one. Who has larger ones sends fewer at a time.
MAX_BATCH_BYTES = 4 * 1024 * 1024

DEPOSITS_PATH = "/v1/deposits"

Answer = dict[str, Any]
# Made once: to make one takes as long as to write an answer.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class DepositDesk:
    """Deposits past parser and application, for `mizheng.notary.routes.quick`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def begin(
        self, authorization: str | None, envelope: bytes
    ) -> tuple[Deposit, "asyncio.Future[Outcome]"] | None:
        """The deposit on its way into the log, and what becomes of it; None if it has to go the long way,
        which tells what is wrong with it. `authorization` as the header says.
        """
        try:
            caller = self._service.callers.find(authorization)
            # Whose requests are counted goes the long way, where that is done.
            if caller is None or caller.quota is not None:
                return None
            deposit = check_deposit(caller, envelope)
            return deposit, self._service.gatherer.place(deposit)
        except Exception:
            # Also if it is a fault of ours: there it is answered and logged.
            return None

    def finish(self, deposit: Deposit, sequenced: Sequenced) -> bytes:
        """Count a deposit that is new in the log; the body of its answer."""
        self._service.metrics.count_deposits("created")
        return _encode(_answer(deposit, sequenced, deposit.received_at))


async def take_deposit(service: Service, scope: Scope, receive: Receive) -> Response:
    """Deposit the envelope in the body; Problem if it is refused. Answers after the commit."""
    return await _take(service, scope, receive, check_deposit, deposits, service.metrics.count_deposits)


async def take_event(service: Service, scope: Scope, receive: Receive) -> Response:
    """Put the event in the body into the log; Problem if it is refused. Answers after the commit."""
    return await _take(service, scope, receive, check_event, events, service.metrics.count_events)


async def _take(
    service: Service,
    scope: Scope,
    receive: Receive,
    check: Callable[[Caller, bytes], Deposit],
    table: Table,
    count: Callable[[str], None],
) -> Response:
    try:
        caller = await _let_in(service, scope)
        _count_in(service, caller)
        # A quarter of a millisecond: handing it to a thread would take as long.
        deposit = check(caller, await _read_body(receive))
        sequenced = await service.gatherer.submit(deposit)
    except Problem as problem:
        count(problem.code)
        raise
    count(_outcome(sequenced))
    received_at = deposit.received_at
    if not sequenced.is_new:
        received_at = (await _first_received(service, [sequenced], table))[sequenced.leaf_index]
    answer = _encode(_answer(deposit, sequenced, received_at))
    return Response(answer, 201 if sequenced.is_new else 200, media_type="application/json")


async def take_batch(service: Service, scope: Scope, receive: Receive) -> Response:
    """Deposit the envelopes in the body, one a line, in one commit; each is answered for itself, in their
    order. Problem if the batch as such is refused.
    """
    caller = await _let_in(service, scope)
    envelopes = _split(await _read_body(receive))
    _count_in(service, caller, len(envelopes))
    # Also those that wait for their check are waiting: who finds no room is told so before any work is done.
    with service.checking.take(len(envelopes)):
        checked = await _check_all(service.checkers, caller, envelopes)
    deposits = [found for found in checked if isinstance(found, Deposit)]
    outcomes = await asyncio.wrap_future(service.sequencer.submit_all(deposits)) if deposits else []
    known = [found for found in outcomes if isinstance(found, Sequenced) and not found.is_new]
    received = await _first_received(service, known) if known else {}
    left = iter(outcomes)
    answered = [(found, next(left) if isinstance(found, Deposit) else found) for found in checked]
    for code, number in Counter(_outcome(outcome) for _, outcome in answered).items():
        service.metrics.count_deposits(code, number)
    # A thousand answers are a megabyte: who waits on the event loop need not wait for that.
    body = await asyncio.get_running_loop().run_in_executor(service.checkers, _dump, answered, received)
    return Response(body, media_type="application/json")


async def _let_in(service: Service, scope: Scope) -> Caller:
    authorization = next(
        (value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), None
    )
    caller = service.callers.find(authorization)
    if caller is None:
        # Only who has been let in once gets as far as the log's lock.
        caller = await run_in_threadpool(_admit_depositor, service, authorization)
        # A key's scopes never change, and whoever is remembered here has this one.
        service.callers.remember(authorization, caller)
    return caller


def _count_in(service: Service, caller: Caller, count: int = 1) -> None:
    if caller.quota is not None:
        service.rates.let_in(caller.organisation_id, caller.quota.per_minute, count)


def _admit_depositor(service: Service, authorization: str | None) -> Caller:
    return require(service, admit(service, authorization), Action.DEPOSIT)


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _split(body: bytes) -> list[bytes]:
    """The envelopes of a batch: canonical JSON has no line break in it, so each is one line."""
    lines = body.removesuffix(b"\n").split(b"\n")
    if lines == [b""]:
        raise Problem("request-malformed", "a batch has at least one envelope, one a line")
    if len(lines) > MAX_BATCH_ENVELOPES:
        raise Problem("request-malformed", f"a batch has at most {MAX_BATCH_ENVELOPES} envelopes, one a line")
    return lines


async def _check_all(
    threads: Executor, caller: Caller, envelopes: Sequence[bytes]
) -> list[Deposit | Problem]:
    """Each one checked, on two threads: while one waits for a signature's check, the other has the
    interpreter.
    """
    loop = asyncio.get_running_loop()
    middle = len(envelopes) // 2
    halves = await asyncio.gather(
        *(
            loop.run_in_executor(threads, _check_each, caller, half)
            for half in (envelopes[:middle], envelopes[middle:])
        )
    )
    return [found for half in halves for found in half]


def _check_each(caller: Caller, envelopes: Sequence[bytes]) -> list[Deposit | Problem]:
    found: list[Deposit | Problem] = []
    for envelope in envelopes:
        try:
            if len(envelope) > MAX_ENVELOPE_BYTES:
                raise Problem("body-too-large")
            found.append(check_deposit(caller, envelope))
        except Problem as problem:
            found.append(problem)
    return found


async def _first_received(
    service: Service, known: Sequence[Sequenced], table: Table = deposits
) -> dict[int, int]:
    places = [found.leaf_index for found in known]
    return await run_in_threadpool(load_received_at, service.engine, places, table)


def _outcome(outcome: Sequenced | Problem | Deposit) -> str:
    if isinstance(outcome, Problem):
        return outcome.code
    return "created" if isinstance(outcome, Sequenced) and outcome.is_new else "existing"


def _dump(
    answered: Sequence[tuple[Deposit | Problem, Sequenced | Problem | Deposit]], received: dict[int, int]
) -> bytes:
    items = [_item(found, outcome, received) for found, outcome in answered]
    return _encode({"items": items})


def _encode(answer: Answer) -> bytes:
    return _ENCODER.encode(answer).encode()


def _item(
    found: Deposit | Problem, outcome: Sequenced | Problem | Deposit, received: dict[int, int]
) -> Answer:
    if isinstance(outcome, Problem):
        return outcome.as_json()
    assert isinstance(found, Deposit)  # noqa: S101
    assert isinstance(outcome, Sequenced)  # noqa: S101
    received_at = received.get(outcome.leaf_index, found.received_at)
    return {"status": 201 if outcome.is_new else 200, **_answer(found, outcome, received_at)}


def _answer(deposit: Deposit, sequenced: Sequenced, received_at: int) -> Answer:
    digest = deposit.entry.envelope_sha256.hex()
    return {
        "id": digest,
        "envelope_sha256": digest,
        "leaf_index": sequenced.leaf_index,
        "tlog_proof": sequenced.tlog_proof.decode(),
        "received_at": format_instant(received_at),
    }
