"""Events over HTTP: a document's digest gets its place in the log, and nothing else can get one there."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from mizheng.notary.models import entries, events
from mizheng.verifier import dsse
from mizheng.verifier.canonical import dump
from mizheng.verifier.event import EVENT_PAYLOAD_TYPE, EVENT_TYPE, Event, verify_recorded
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import Engine, select

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.support.notary import NotaryServer

DOCUMENT = b"a disclosure that stays with the company"


def make_event(depositor: TestDepositor, document: bytes = DOCUMENT) -> bytes:
    return Event(depositor.key.public, hashlib.sha256(document).digest()).sign(depositor.key)


def test_an_event_is_in_a_signed_head_and_stays_one(depositor: TestDepositor) -> None:
    event = make_event(depositor)
    first = depositor.client.post("/v1/events", content=event)
    assert first.status_code == 201
    depositor.checked(first.json(), event)
    proof = verify_recorded(DOCUMENT, event, first.json()["tlog_proof"].encode())
    assert proof.index == first.json()["leaf_index"]
    depositor.deposit()
    second = depositor.client.post("/v1/events", content=event)
    assert second.status_code == 200
    for name in ("id", "leaf_index", "received_at"):
        assert second.json()[name] == first.json()[name]
    # In the present head, so that whoever lost the answer has lost nothing.
    later = verify_recorded(DOCUMENT, event, second.json()["tlog_proof"].encode())
    assert later.checkpoint.size > proof.checkpoint.size


def test_deposits_and_events_of_one_moment_are_told_apart(depositor: TestDepositor, database: Engine) -> None:
    sent = [
        depositor.envelope() if number % 2 else make_event(depositor, b"%d" % number) for number in range(12)
    ]

    def send(envelope: bytes) -> dict[str, object]:
        path = "/v1/events" if b"event" in envelope else "/v1/deposits"
        answer = depositor.client.post(path, content=envelope)
        assert answer.status_code == 201, answer.text
        found = answer.json()
        assert isinstance(found, dict)
        return found

    with ThreadPoolExecutor(6) as threads:
        placed = [found["leaf_index"] for found in threads.map(send, sent)]
    with database.connect() as connection:
        kinds = {row.leaf_index: row.kind for row in connection.execute(select(entries))}
        stored = {row.leaf_index: row.envelope for row in connection.execute(select(events))}
    for number, (place, envelope) in enumerate(zip(placed, sent, strict=True)):
        assert kinds[place] == ("deposit" if number % 2 else "event")
        assert stored.get(place) == (None if number % 2 else envelope)


def test_what_the_notary_keeps_tells_nothing_of_the_document(
    depositor: TestDepositor, database: Engine
) -> None:
    """The digest, the key and its signature: no recipient, no purpose, not even the kind of document."""
    event = make_event(depositor, b"of this test alone")
    place = depositor.client.post("/v1/events", content=event).json()["leaf_index"]
    with database.connect() as connection:
        (row,) = connection.execute(select(events).where(events.c.leaf_index == place))
    assert row.envelope == event
    payload = json.loads(dsse.parse(event, EVENT_PAYLOAD_TYPE).payload)
    assert set(payload) == {"type", "public_key", "document_sha256"}


def test_a_statement_is_no_event_nor_the_other_way_round(depositor: TestDepositor) -> None:
    """Each path checks its own kind: no entry can be had past the checks of the other."""
    statement, event = depositor.envelope(), make_event(depositor, b"not a deposit")
    assert problem_of(depositor.client.post("/v1/events", content=statement)) == "event-malformed"
    assert problem_of(depositor.post(event)) == "payload-type-wrong"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "mizheng/event/v2"}, "event-malformed"),
        ({"document_sha256": "00"}, "event-malformed"),
        ({"recipient": "a court"}, "event-malformed"),
    ],
)
def test_what_is_no_event(depositor: TestDepositor, change: dict[str, str], code: str) -> None:
    value = {
        "type": EVENT_TYPE,
        "public_key": depositor.key.public.to_base64(),
        "document_sha256": "00" * 32,
        **change,
    }
    event = dsse.sign(dump(value), EVENT_PAYLOAD_TYPE, depositor.key)
    assert problem_of(depositor.client.post("/v1/events", content=event)) == code


def test_what_is_no_envelope(depositor: TestDepositor) -> None:
    for body in (b"", b"{}", make_event(depositor) + b"\n"):
        assert problem_of(depositor.client.post("/v1/events", content=body)) == "envelope-malformed"


def test_anothers_signature(depositor: TestDepositor) -> None:
    value = {
        "type": EVENT_TYPE,
        "public_key": depositor.key.public.to_base64(),
        "document_sha256": "00" * 32,
    }
    event = dsse.sign(dump(value), EVENT_PAYLOAD_TYPE, PrivateKey.generate())
    assert problem_of(depositor.client.post("/v1/events", content=event)) == "signature-wrong"


def test_a_key_that_is_not_enrolled(depositor: TestDepositor) -> None:
    key = PrivateKey.generate()
    event = Event(key.public, bytes(32)).sign(key)
    assert problem_of(depositor.client.post("/v1/events", content=event)) == "key-not-enrolled"


def test_another_companys_key(depositor: TestDepositor, server: NotaryServer, database: Engine) -> None:
    other = register(server, database)
    other.enrol()
    event = make_event(other)
    assert problem_of(depositor.client.post("/v1/events", content=event)) == "key-not-enrolled"


def test_a_revoked_key_records_nothing_new_but_keeps_what_stands(depositor: TestDepositor) -> None:
    old = make_event(depositor, b"before")
    assert depositor.client.post("/v1/events", content=old).status_code == 201
    late = make_event(depositor, b"after")
    depositor.rotate()
    assert depositor.client.post("/v1/events", content=old).status_code == 200
    assert problem_of(depositor.client.post("/v1/events", content=late)) == "key-revoked"


def test_without_an_api_key(depositor: TestDepositor) -> None:
    answer = depositor.client.post("/v1/events", content=make_event(depositor), headers={"Authorization": ""})
    assert problem_of(answer) in {"api-key-missing", "api-key-wrong"}
