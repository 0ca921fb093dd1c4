"""Deposits over HTTP, at a real server: the good way, and every way to be refused."""

from __future__ import annotations

import hashlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from mizheng.verifier import dsse
from mizheng.verifier.anchor import parse_anchor, verify_anchor
from mizheng.verifier.beacon import parse_beacon, verify_beacon
from mizheng.verifier.canonical import dump, from_base64
from mizheng.verifier.enrolment import parse_enrolment, parse_key_status
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, parse_envelope
from mizheng.verifier.statement import Depositor as DepositorName
from mizheng.verifier.trust import parse_trust
from sqlalchemy import Engine

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS


def test_a_deposit_is_in_a_signed_head_and_stays_one(depositor: TestDepositor) -> None:
    envelope = depositor.envelope()
    first = depositor.post(envelope)
    assert first.status_code == 201
    depositor.checked(first.json(), envelope)
    second = depositor.post(envelope)
    assert second.status_code == 200
    depositor.checked(second.json(), envelope)
    for name in ("id", "leaf_index", "received_at"):
        assert second.json()[name] == first.json()[name]


def test_the_same_envelope_from_many_at_once_is_one_deposit(depositor: TestDepositor) -> None:
    envelope = depositor.envelope()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: depositor.post(envelope), range(16)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["leaf_index"] for answer in answers}) == 1


def test_the_way_to_final_and_the_evidence(
    depositor: TestDepositor, server: NotaryServer, tmp_path: Path
) -> None:
    reference = depositor.beacon()
    envelope, made = depositor.deposit(depositor.envelope(not_before=reference))
    early = depositor.evidence(made["id"])
    assert early["heads"]
    status = depositor.wait_until("final", made["id"])
    assert status["waiting_for"] is None
    assert status["anchors"][0]["state"] == "final"

    found = depositor.evidence(made["id"])
    statement = parse_envelope(envelope)[1]
    assert found["leaf_index"] == made["leaf_index"]
    (anchor,) = (parse_anchor(from_base64(text)) for text in found["anchors"])
    trust = parse_trust(server.export_trust(tmp_path / "trust.toml").read_bytes())
    (chain,) = trust.chains
    verify_anchor(anchor, anchor.chain, chain.contract, chain.code_hash)
    assert (anchor.chain.kind, anchor.log_id) == ("trial", chain.log_ids[0].log_id)
    for block in (anchor.block.number, anchor.block.hash), (reference.number, reference.hash):
        assert chain.pins[block[0]] == block[1]
    assert list(found["heads"]) == [str(anchor.tree_size)]
    head = depositor.check_proof(found["heads"][str(anchor.tree_size)], envelope, made["leaf_index"])
    assert (head.size, head.root) == (anchor.tree_size, anchor.root_hash)
    enrolment, issuer = parse_enrolment(from_base64(found["enrolment"]))
    assert (enrolment.public_key, enrolment.depositor) == (statement.public_key, statement.depositor)
    organisation = depositor.client.get("/v1/organisation").json()
    assert issuer.to_base64() == organisation["issuer_public_key"]
    index = int(found["enrolment_proof"].split("\n")[1].removeprefix("index "))
    assert index < made["leaf_index"]
    assert depositor.check_proof(found["enrolment_proof"], from_base64(found["enrolment"]), index) == head
    key_status, signer = parse_key_status(from_base64(found["key_status"]))
    assert signer == issuer
    assert key_status.keyid == statement.public_key.keyid
    assert key_status.revoked_index is None
    assert key_status.as_of_size >= head.size
    verify_beacon(parse_beacon(from_base64(found["beacon"])), reference)


def test_evidence_keeps_the_first_final_anchor(depositor: TestDepositor) -> None:
    """Later anchors date nothing earlier: what was handed out once is handed out again."""
    _, made = depositor.deposit()
    depositor.wait_until("final", made["id"])
    before = depositor.evidence(made["id"])
    _, later = depositor.deposit()
    depositor.wait_until("final", later["id"])
    after = depositor.evidence(made["id"])
    for name in ("heads", "anchors", "enrolment", "enrolment_proof"):
        assert after[name] == before[name]
    assert depositor.evidence(later["id"])["heads"] != before["heads"]


def test_another_company_sees_nothing(
    depositor: TestDepositor, server: NotaryServer, database: Engine
) -> None:
    _, made = depositor.deposit()
    other = register(server, database)
    for path in (f"/v1/deposits/{made['id']}", f"/v1/deposits/{made['id']}/evidence"):
        assert problem_of(other.client.get(path)) == "deposit-unknown"


@pytest.mark.parametrize("deposit_id", ["0" * 64, "00", "xyz", "A" * 64, "%00", "0" * 65])
def test_deposits_that_are_none(depositor: TestDepositor, deposit_id: str) -> None:
    answer = depositor.client.get(f"/v1/deposits/{deposit_id}")
    assert (answer.status_code, problem_of(answer)) == (404, "deposit-unknown")


# Who is calling


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "api-key-missing"),
        ("", "api-key-missing"),
        ("Bearer", "api-key-missing"),
        ("Basic bXprOng=", "api-key-missing"),
        ("Bearer xyz", "api-key-wrong"),
        ("Bearer mzk_", "api-key-wrong"),
        ("Bearer mzk_" + "A" * 43, "api-key-wrong"),
        ("Bearer mzk_" + "A" * 5000, "api-key-wrong"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/deposits"),
        ("GET", "/v1/deposits/" + "0" * 64),
        ("GET", "/v1/deposits/" + "0" * 64 + "/evidence"),
        ("GET", "/v1/organisation"),
        ("GET", "/v1/beacon"),
    ],
)
def test_no_api_key_no_answer(
    depositor: TestDepositor, authorization: str | None, code: str, method: str, path: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = httpx.request(
        method,
        depositor.url + path,
        headers=headers,
        content=b"{}" if method == "POST" else None,
        trust_env=False,
        verify=NO_TLS,
    )
    assert (answer.status_code, problem_of(answer)) == (401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_known_prefix_with_another_rest_is_wrong(depositor: TestDepositor) -> None:
    wrong = depositor.api_key[:-1] + ("A" if depositor.api_key[-1] != "A" else "B")
    answer = depositor.post(depositor.envelope(), headers={"Authorization": f"Bearer {wrong}"})
    assert (answer.status_code, problem_of(answer)) == (401, "api-key-wrong")


def test_disabled_and_enabled_again(depositor: TestDepositor, server: NotaryServer) -> None:
    """The remembered caller is asked again in the transaction: it does not outlive the operator's word."""
    envelope, _ = depositor.deposit()
    server.run("org", "disable", depositor.org.id)
    for body in (envelope, depositor.envelope()):
        answer = depositor.post(body)
        assert (answer.status_code, problem_of(answer)) == (403, "organisation-disabled")
    assert problem_of(depositor.client.get("/v1/organisation")) == "organisation-disabled"
    server.run("org", "enable", depositor.org.id)
    depositor.deposit()


def test_a_new_api_key_ends_the_old_one(depositor: TestDepositor, server: NotaryServer) -> None:
    depositor.deposit()
    made = server.run("org", "new-api-key", depositor.org.id).stdout
    answer = depositor.post(depositor.envelope())
    assert (answer.status_code, problem_of(answer)) == (401, "api-key-disabled")
    renewed = TestDepositor(server.url, depositor.org, made.splitlines()[-1], depositor.key)
    renewed.deposit()
    kept = server.run("org", "new-api-key", depositor.org.id, "--keep").stdout.splitlines()[-1]
    renewed.deposit()
    TestDepositor(server.url, depositor.org, kept, depositor.key).deposit()


# What is sent


def test_oversize_is_refused_by_its_length(depositor: TestDepositor) -> None:
    answer = depositor.post(b"x" * (64 * 1024 + 1))
    assert (answer.status_code, problem_of(answer)) == (413, "body-too-large")


def test_oversize_is_refused_before_it_is_sent(depositor: TestDepositor) -> None:
    """A gigabyte is announced, nothing is sent, and the answer is there."""
    parts = urlsplit(depositor.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(
            f"POST /v1/deposits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {depositor.api_key}\r\n"
            "Content-Length: 1073741824\r\n\r\n".encode()
        )
        assert connection.recv(12) == b"HTTP/1.1 413"


@pytest.mark.parametrize("path", ["/v1/deposits", "/v1/keys"])
def test_oversize_that_lies_about_its_length(depositor: TestDepositor, path: str) -> None:
    def chunks() -> object:
        for _ in range(20):
            yield b" " * 8192

    answer = depositor.client.post(path, content=chunks())  # type: ignore[arg-type]
    assert (answer.status_code, problem_of(answer)) == (413, "body-too-large")


def resign(payload: object, key: PrivateKey, payload_type: str = STATEMENT_PAYLOAD_TYPE) -> bytes:
    return dsse.sign(payload if isinstance(payload, bytes) else dump(payload), payload_type, key)  # type: ignore[arg-type]


def test_bodies_that_are_no_envelopes(depositor: TestDepositor) -> None:
    good = depositor.envelope()
    fields = json.loads(good)
    twice = {**fields, "signatures": fields["signatures"] * 2}
    bodies = {
        "empty": b"",
        "not JSON": b"{",
        "a list": b"[]",
        "an empty object": b"{}",
        "white space": good + b"\n",
        "not canonical": json.dumps(fields).encode(),
        "duplicate field": good[:-1] + b',"payload":""}',
        "unknown field": dump({**fields, "x": 1}),
        "two signatures": dump(twice),
        "no signature": dump({**fields, "signatures": []}),
        "not UTF-8": b"\xff" + good,
        "deep": b"[" * 60_000,
        "payload not Base64": dump({**fields, "payload": "x"}),
    }
    for name, body in bodies.items():
        answer = depositor.post(body)
        assert (name, answer.status_code, problem_of(answer)) == (name, 400, "envelope-malformed")


def test_envelopes_of_something_else(depositor: TestDepositor) -> None:
    body = resign({"type": "mizheng/bundle/v1"}, depositor.key, "application/vnd.mizheng.bundle.v1+json")
    answer = depositor.post(body)
    assert (answer.status_code, problem_of(answer)) == (422, "payload-type-wrong")


def test_statements_of_another_type_or_form(depositor: TestDepositor) -> None:
    fields = json.loads(depositor.statement().dump())
    cases = {
        "statement-type-wrong": [
            {**fields, "type": "mizheng/deposit/v2"},
            {**fields, "type": "mizheng/bundle/v1"},
        ],
        "statement-malformed": [
            {"type": "mizheng/deposit/v1"},
            {**fields, "extra": None},
            {**fields, "commitment": "00"},
            {**fields, "claimed_at": "yesterday"},
            {**fields, "nonce": "0"},
            {**fields, "depositor": {"name": "", "id_scheme": "X", "id": "1"}},
            {**fields, "public_key": "AAAA"},
            [],
            b"not JSON",
        ],
    }
    for code, payloads in cases.items():
        for payload in payloads:
            answer = depositor.post(resign(payload, depositor.key))
            assert (answer.status_code, problem_of(answer)) == (422, code), payload


def test_a_signature_by_another_key(depositor: TestDepositor) -> None:
    other = PrivateKey.generate()
    fields = json.loads(depositor.envelope())
    forged = json.loads(resign(depositor.statement().dump(), other))
    swapped = {**fields, "signatures": [{**forged["signatures"][0], "keyid": depositor.key.public.keyid}]}
    for body in (dump(forged), dump(swapped)):
        answer = depositor.post(body)
        assert (answer.status_code, problem_of(answer)) == (422, "signature-wrong")


def test_a_key_that_is_not_enrolled(depositor: TestDepositor) -> None:
    other = PrivateKey.generate("p256")
    body = depositor.statement(public_key=other.public).sign(other)
    answer = depositor.post(body)
    assert (answer.status_code, problem_of(answer)) == (403, "key-not-enrolled")


def test_another_companys_key_and_name(
    depositor: TestDepositor, server: NotaryServer, database: Engine
) -> None:
    other = register(server, database)
    other.enrol()
    # Its key under our name and our API key.
    body = depositor.statement(public_key=other.key.public).sign(other.key)
    assert problem_of(depositor.post(body)) == "key-not-enrolled"
    # Its whole statement, handed in by us.
    assert problem_of(depositor.post(other.envelope())) == "depositor-mismatch"


@pytest.mark.parametrize(
    "changed",
    [{"name": "别的公司"}, {"id": "91350100M000100Y43"}, {"id_scheme": "LEI"}],
    ids=["name", "id", "scheme"],
)
def test_the_depositor_is_exactly_as_registered(depositor: TestDepositor, changed: dict[str, str]) -> None:
    body = depositor.envelope(depositor=DepositorName(**{**depositor.name.to_json(), **changed}))
    answer = depositor.post(body)
    assert (answer.status_code, problem_of(answer)) == (422, "depositor-mismatch")


def test_one_bad_deposit_does_not_spoil_its_batch(depositor: TestDepositor) -> None:
    """Good, refused and repeated ones in flight together: each gets its own answer."""
    other = PrivateKey.generate()
    good = [depositor.envelope() for _ in range(10)]
    bad = [depositor.statement(public_key=other.public).sign(other) for _ in range(10)]
    bodies = [body for pair in zip(good, bad, good, strict=True) for body in pair]
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(depositor.post, bodies))
    for body, answer in zip(bodies, answers, strict=True):
        if body in bad:
            assert problem_of(answer) == "key-not-enrolled"
        else:
            assert answer.status_code in (200, 201)
            assert answer.json()["id"] == hashlib.sha256(body).hexdigest()
            depositor.checked(answer.json(), body)
    assert len({answer.json()["leaf_index"] for answer in answers if answer.is_success}) == 10
