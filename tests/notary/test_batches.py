"""Batches of deposits over HTTP, at a real server: each envelope is answered for itself, in its order."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from mizheng.notary.errors import PROBLEM_TYPE_PREFIX
from mizheng.verifier.canonical import dump
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import Depositor as DepositorName
from sqlalchemy import Engine

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.notary.test_deposits import resign
from tests.support.notary import NotaryServer


def post(depositor: TestDepositor, envelopes: list[bytes], **options: Any) -> httpx.Response:
    body = b"".join(envelope + b"\n" for envelope in envelopes)
    return depositor.client.post("/v1/deposits:batch", content=body, **options)


def deposit_all(depositor: TestDepositor, envelopes: list[bytes]) -> list[dict[str, Any]]:
    """Every item checked as a client does."""
    answer = post(depositor, envelopes)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    vkey = depositor.vkey()
    depositor.vkey = lambda: vkey  # type: ignore[method-assign]
    for envelope, item in zip(envelopes, items, strict=True):
        if item["status"] < 400:
            assert item["id"] == item["envelope_sha256"] == hashlib.sha256(envelope).hexdigest()
            depositor.checked(item, envelope)
    return items


def code_of(item: dict[str, Any]) -> str:
    assert item["title"]
    return str(item["type"].removeprefix(PROBLEM_TYPE_PREFIX))


def test_good_bad_and_repeated_ones_in_one_batch(depositor: TestDepositor) -> None:
    before, _ = depositor.deposit()
    good = [depositor.envelope() for _ in range(3)]
    batch = [good[0], b"{}", before, good[1], good[0], b"", good[2]]
    items = deposit_all(depositor, batch)
    assert [item["status"] for item in items] == [201, 400, 200, 201, 201, 400, 201]
    assert [code_of(items[place]) for place in (1, 5)] == ["envelope-malformed"] * 2
    first = items[0]["leaf_index"]
    assert [items[place]["leaf_index"] - first for place in (0, 3, 4, 6)] == [0, 1, 0, 2]
    again = deposit_all(depositor, batch)
    assert [item["status"] for item in again] == [200, 400, 200, 200, 200, 400, 200]
    for name in ("leaf_index", "received_at"):
        assert [item.get(name) for item in again] == [item.get(name) for item in items]


def test_a_batch_is_one_commit(depositor: TestDepositor) -> None:
    """More than two bundles' entries: one head covers them all."""
    items = deposit_all(depositor, [depositor.envelope() for _ in range(600)])
    assert {item["status"] for item in items} == {201}
    assert len({item["tlog_proof"].partition("\n\n")[2] for item in items}) == 1
    places = [item["leaf_index"] for item in items]
    assert places == list(range(places[0], places[0] + 600))


def test_the_last_line_needs_no_end(depositor: TestDepositor) -> None:
    envelopes = [depositor.envelope() for _ in range(2)]
    answer = depositor.client.post("/v1/deposits:batch", content=b"\n".join(envelopes))
    assert [item["status"] for item in answer.json()["items"]] == [201, 201]


@pytest.mark.parametrize("count", [0, 1_001])
def test_too_few_and_too_many(depositor: TestDepositor, count: int) -> None:
    answer = post(depositor, [b"{}"] * count)
    assert (answer.status_code, problem_of(answer)) == (422, "request-malformed")


def test_the_most_that_is_allowed(depositor: TestDepositor) -> None:
    envelope = depositor.envelope()
    items = post(depositor, [b"{}"] * 999 + [envelope]).json()["items"]
    assert [item["status"] for item in items] == [400] * 999 + [201]


def test_a_body_that_is_too_large(depositor: TestDepositor) -> None:
    answer = post(depositor, [b"x" * 65_000] * 65)
    assert (answer.status_code, problem_of(answer)) == (413, "body-too-large")


def test_every_problem_of_an_envelope(
    depositor: TestDepositor, server: NotaryServer, database: Engine
) -> None:
    other_key, company = PrivateKey.generate(), register(server, database)
    company.enrol()
    good = depositor.envelope()
    fields, statement = json.loads(good), json.loads(depositor.statement().dump())
    elsewhere = DepositorName("别的公司", depositor.name.id_scheme, depositor.name.id)
    cases = [
        (413, "body-too-large", b"x" * (64 * 1024 + 1)),
        (400, "envelope-malformed", b""),
        (400, "envelope-malformed", b"{"),
        (400, "envelope-malformed", b"[" * 60_000),
        (400, "envelope-malformed", b"\xff" + good),
        (400, "envelope-malformed", good + b" "),
        (400, "envelope-malformed", good + b"\r"),
        (400, "envelope-malformed", dump({**fields, "signatures": fields["signatures"] * 2})),
        (422, "payload-type-wrong", resign({"type": "mizheng/bundle/v1"}, depositor.key, "application/x")),
        (422, "statement-type-wrong", resign({**statement, "type": "mizheng/deposit/v2"}, depositor.key)),
        (422, "statement-malformed", resign({**statement, "nonce": "0"}, depositor.key)),
        (422, "signature-wrong", resign(depositor.statement().dump(), other_key)),
        (422, "depositor-mismatch", depositor.envelope(depositor=elsewhere)),
        (422, "depositor-mismatch", company.envelope()),
        (403, "key-not-enrolled", depositor.statement(public_key=other_key.public).sign(other_key)),
        (403, "key-not-enrolled", depositor.statement(public_key=company.key.public).sign(company.key)),
    ]
    batch = [body for _, _, bad in cases for body in (bad, depositor.envelope())]
    items = deposit_all(depositor, batch)
    assert [item["status"] for item in items[1::2]] == [201] * len(cases)
    assert [(item["status"], code_of(item)) for item in items[::2]] == [case[:2] for case in cases]


def test_a_key_that_is_revoked_between_a_batch_and_the_next(depositor: TestDepositor) -> None:
    """What stands is given again; what the old key signed and is new is refused; the new key goes on."""
    standing, fresh = depositor.envelope(), depositor.envelope()
    assert deposit_all(depositor, [standing])[0]["status"] == 201
    depositor.rotate()
    items = deposit_all(depositor, [fresh, standing, depositor.envelope(), fresh])
    assert [item["status"] for item in items] == [403, 200, 201, 403]
    assert code_of(items[0]) == "key-revoked"


def test_a_key_that_is_revoked_while_batches_come(depositor: TestDepositor, server: NotaryServer) -> None:
    """The log's order decides: nothing of the old key stands behind its revocation."""
    batches = [[depositor.envelope() for _ in range(40)] for _ in range(12)]
    with ThreadPoolExecutor(4) as threads:
        under_way = [threads.submit(post, depositor, batch) for batch in batches[:6]]
        revoked = threads.submit(
            server.run, "key", "revoke", depositor.key.public.keyid, "--reason", "stolen"
        )
        under_way += [threads.submit(post, depositor, batch) for batch in batches[6:]]
        items = [item for answer in under_way for item in answer.result().json()["items"]]
        index = int("".join(filter(str.isdigit, revoked.result().stdout)))
    for item in items:
        if item["status"] == 201:
            assert item["leaf_index"] < index
        else:
            assert code_of(item) == "key-revoked"
    assert code_of(post(depositor, [depositor.envelope()]).json()["items"][0]) == "key-revoked"


def test_who_is_calling(depositor: TestDepositor, server: NotaryServer) -> None:
    envelopes = [depositor.envelope() for _ in range(2)]
    for headers, code in (
        ({"Authorization": ""}, "api-key-missing"),
        ({"Authorization": "Bearer x"}, "api-key-wrong"),
    ):
        answer = post(depositor, envelopes, headers=headers)
        assert (answer.status_code, problem_of(answer)) == (401, code)
    post(depositor, envelopes[:1])
    server.run("org", "disable", depositor.org.id)
    items = post(depositor, envelopes).json()["items"]
    assert [(item["status"], code_of(item)) for item in items] == [(403, "organisation-disabled")] * 2


def test_batches_and_single_ones_at_once(depositor: TestDepositor) -> None:
    singles = [depositor.envelope() for _ in range(20)]
    batches = [[*singles[:5], *(depositor.envelope() for _ in range(20))] for _ in range(6)]
    with ThreadPoolExecutor(12) as threads:
        sent = [threads.submit(post, depositor, batch) for batch in batches]
        alone = [answer.json() for answer in threads.map(depositor.post, singles)]
        together = [answer.result().json()["items"] for answer in sent]
    everything = [*alone, *(item for items in together for item in items)]
    places = {item["id"]: item["leaf_index"] for item in everything}
    assert all(places[item["id"]] == item["leaf_index"] for item in everything)
    assert len(set(places.values())) == len(places) == 20 + 6 * 20
