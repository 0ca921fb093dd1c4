"""The life of company keys: first, rotated, lost, revoked. What was signed before stays what it was."""

from __future__ import annotations

import pytest
from mizheng.notary.companies.api_keys import authenticate
from mizheng.notary.companies.enrolments import EnrolmentRequest, KeyRegister
from mizheng.notary.companies.organisations import add_organisation
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.instance import Instance
from mizheng.notary.models import company_keys, revocations
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.enrolment import (
    enrolment_request,
    parse_enrolment,
    parse_key_status,
    parse_revocation,
)
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import Engine, select

from tests.notary.depositor import TestDepositor, problem_of, register
from tests.support.notary import NotaryServer, make_uscc


def indices(database: Engine, key: PrivateKey) -> tuple[int, int | None]:
    """Where the key was enrolled and, if so, revoked."""
    with reading(database) as connection:
        row = connection.execute(select(company_keys).where(company_keys.c.keyid == key.public.keyid)).one()
    return row.enrolment_index, row.revocation_index


def status_of(depositor: TestDepositor, deposit_id: str) -> int | None:
    """Where the deposit's key was revoked, as its evidence says now."""
    found = depositor.evidence(deposit_id)
    return parse_key_status(from_base64(found["key_status"]))[0].revoked_index


def test_the_first_key(server: NotaryServer, database: Engine) -> None:
    depositor = register(server, database)
    assert depositor.client.get("/v1/organisation").json()["active_keyid"] is None
    answer = depositor.enrol()
    enrolment, issuer = parse_enrolment(from_base64(answer["enrolment"]))
    organisation = depositor.client.get("/v1/organisation").json()
    assert issuer.to_base64() == organisation["issuer_public_key"]
    assert organisation["active_keyid"] == depositor.key.public.keyid
    assert enrolment.depositor == depositor.name
    assert (enrolment.public_key, enrolment.replaces) == (depositor.key.public, None)
    assert enrolment.method == "api-key"


def test_asked_again_it_is_the_same_enrolment(depositor: TestDepositor) -> None:
    answers = [depositor.client.post("/v1/keys", json=depositor.enrolment(depositor.key)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["enrolment"] == answers[1].json()["enrolment"]
    depositor.checked(answers[0].json(), from_base64(answers[0].json()["enrolment"]))


def test_a_p256_key(server: NotaryServer, database: Engine) -> None:
    depositor = register(server, database)
    depositor.key = PrivateKey.generate("p256")
    depositor.enrol()
    depositor.deposit()


def test_rotation_revokes_behind_the_new_enrolment(depositor: TestDepositor, database: Engine) -> None:
    old = depositor.key
    _, made = depositor.deposit()
    answer = depositor.rotate()
    enrolment, _ = parse_enrolment(from_base64(answer["enrolment"]))
    assert (enrolment.replaces, enrolment.method) == (old.public.keyid, "api-key+previous-key")
    enrolled, revoked = indices(database, depositor.key)
    assert (enrolled, revoked) == (answer["leaf_index"], None)
    assert indices(database, old)[1] == enrolled + 1
    with reading(database) as connection:
        document = connection.execute(
            select(revocations.c.envelope).where(revocations.c.leaf_index == enrolled + 1)
        ).scalar_one()
    revocation, _ = parse_revocation(document)
    assert (revocation.keyid, revocation.reason) == (old.public.keyid, "rotated")
    # The old deposit stands before the revocation, and its evidence says where that is.
    assert made["leaf_index"] < enrolled + 1 == status_of(depositor, made["id"])
    depositor.deposit()


def test_the_old_key_signs_no_more_but_its_deposits_stand(depositor: TestDepositor) -> None:
    old = depositor.key
    envelope, made = depositor.deposit()
    depositor.rotate()
    late = depositor.statement(public_key=old.public).sign(old)
    answer = depositor.post(late)
    assert (answer.status_code, problem_of(answer)) == (403, "key-revoked")
    again = depositor.post(envelope)
    assert (again.status_code, again.json()["leaf_index"]) == (200, made["leaf_index"])


def test_a_second_key_needs_the_first(depositor: TestDepositor) -> None:
    fresh = PrivateKey.generate()
    answer = depositor.client.post("/v1/keys", json=depositor.enrolment(fresh))
    assert (answer.status_code, problem_of(answer)) == (409, "key-exists")
    named = depositor.enrolment(fresh, replaces=depositor.key.public.keyid)
    assert problem_of(depositor.client.post("/v1/keys", json=named)) == "key-exists"


def test_rotation_proofs_that_prove_nothing(depositor: TestDepositor) -> None:
    fresh, stranger = PrivateKey.generate(), PrivateKey.generate()
    good = depositor.enrolment(fresh, depositor.key)
    by_stranger = depositor.enrolment(fresh, stranger)
    cases = [
        ({**good, "replaces_proof": by_stranger["replaces_proof"]}, 422, "proof-wrong"),
        ({**good, "proof": good["replaces_proof"]}, 422, "proof-wrong"),
        ({**good, "proof": "AAAA"}, 422, "proof-wrong"),
        ({**good, "proof": "not Base64"}, 422, "proof-wrong"),
        ({**good, "replaces_proof": "not Base64"}, 422, "proof-wrong"),
        (by_stranger, 409, "replaces-wrong"),
        ({**good, "replaces": None}, 409, "replaces-wrong"),
        ({**good, "public_key": "AAAA"}, 422, "key-malformed"),
        ({**good, "public_key": stranger.public.to_base64()}, 422, "proof-wrong"),
    ]
    for body, status, code in cases:
        answer = depositor.client.post("/v1/keys", json=body)
        assert (answer.status_code, problem_of(answer)) == (status, code)
    assert depositor.client.post("/v1/keys", json=good).status_code == 201


def test_a_proof_for_one_company_is_none_for_another(
    depositor: TestDepositor, server: NotaryServer, database: Engine
) -> None:
    other = register(server, database)
    fresh = PrivateKey.generate()
    answer = other.client.post("/v1/keys", json=depositor.enrolment(fresh))
    assert problem_of(answer) == "proof-wrong"


def test_a_key_is_enrolled_once(depositor: TestDepositor, server: NotaryServer, database: Engine) -> None:
    old = depositor.key
    depositor.rotate()
    back = depositor.client.post("/v1/keys", json=depositor.enrolment(old, depositor.key))
    assert (back.status_code, problem_of(back)) == (409, "key-known")
    other = register(server, database)
    other.key = depositor.key
    answer = other.client.post("/v1/keys", json=other.enrolment(other.key))
    assert (answer.status_code, problem_of(answer)) == (409, "key-known")


def test_a_lost_key_is_followed_once(
    depositor: TestDepositor, server: NotaryServer, database: Engine
) -> None:
    lost = depositor.key
    _, made = depositor.deposit()
    fresh = PrivateKey.generate()
    body = depositor.enrolment(fresh)
    assert problem_of(depositor.client.post("/v1/keys", json=body)) == "key-exists"
    server.run("key", "reenrol", depositor.org.id)
    answer = depositor.client.post("/v1/keys", json=body)
    assert answer.status_code == 201
    enrolment, _ = parse_enrolment(from_base64(answer.json()["enrolment"]))
    assert (enrolment.replaces, enrolment.method) == (lost.public.keyid, "api-key+operator")
    assert indices(database, lost)[1] == answer.json()["leaf_index"] + 1
    assert status_of(depositor, made["id"]) == answer.json()["leaf_index"] + 1
    # Once: the next one needs the operator again.
    again = depositor.client.post("/v1/keys", json=depositor.enrolment(PrivateKey.generate()))
    assert problem_of(again) == "key-exists"
    depositor.key = fresh
    depositor.deposit()


def test_a_revoked_key_and_its_successor(
    depositor: TestDepositor, server: NotaryServer, database: Engine
) -> None:
    stolen = depositor.key
    _, made = depositor.deposit()
    depositor.wait_until("final", made["id"])
    server.run("key", "revoke", stolen.public.keyid, "--reason", "stolen")
    answer = depositor.post(depositor.envelope())
    assert (answer.status_code, problem_of(answer)) == (403, "key-revoked")
    revoked = indices(database, stolen)[1]
    assert revoked is not None
    assert made["leaf_index"] < revoked == status_of(depositor, made["id"])
    depositor.key = PrivateKey.generate()
    enrolled = depositor.enrol()
    enrolment, _ = parse_enrolment(from_base64(enrolled["enrolment"]))
    assert enrolment.replaces == stolen.public.keyid
    depositor.deposit()
    twice = server.run("key", "revoke", stolen.public.keyid, check=False)
    assert twice.returncode == 1
    assert twice.stderr.startswith("error: no active key")
    assert "revoked at" in server.run("key", "list").stdout


def test_reenrolment_without_a_key_is_refused(server: NotaryServer, database: Engine) -> None:
    depositor = register(server, database)
    result = server.run("key", "reenrol", depositor.org.id, check=False)
    assert (result.returncode, result.stderr.splitlines()[0]) == (
        1,
        "error: the organisation has no active key",
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"not JSON",
        b'{"public_key":1,"proof":"AA=="}',
        b'{"public_key":"A","proof":"A","x":1}',
    ],
)
def test_requests_that_are_none(depositor: TestDepositor, body: bytes) -> None:
    answer = depositor.client.post("/v1/keys", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, problem_of(answer)) == (422, "request-malformed")


def test_no_company_changes_its_key_without_end(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change is two entries of the log, which its quotas do not count."""
    monkeypatch.setattr("mizheng.notary.companies.enrolments.MAX_KEYS", 1)
    _, api_key = add_organisation(instance.engine, "试验有限公司", "CN-USCC", make_uscc(1))
    with reading(instance.engine) as connection:
        caller = authenticate(connection, f"Bearer {api_key.secret}")
    register = KeyRegister(instance.engine, instance.keys, instance.signer, instance.guard)
    old, new = PrivateKey.generate(), PrivateKey.generate()
    first = enrolment_request(caller.depositor, old.public.keyid)
    register.enrol(caller, EnrolmentRequest(old.public, old.sign(first), None, None))
    second = enrolment_request(caller.depositor, new.public.keyid)
    with pytest.raises(Problem) as refused:
        register.enrol(
            caller, EnrolmentRequest(new.public, new.sign(second), old.public.keyid, old.sign(second))
        )
    assert refused.value.code == "quota-in-all"
