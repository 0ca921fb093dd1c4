"""A depositor for tests: a key, an API key, and the HTTP API spoken by hand."""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from mizheng.notary.companies.api_keys import Caller, authenticate
from mizheng.notary.companies.enrolments import EnrolmentRequest, KeyRegister
from mizheng.notary.companies.organisations import add_organisation
from mizheng.notary.database import reading
from mizheng.notary.instance import Instance
from mizheng.verifier.canonical import from_base64, to_base64
from mizheng.verifier.checkpoint import Checkpoint, open_checkpoint, parse_tlog_proof
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import BlockReference, Software, Statement
from mizheng.verifier.statement import Depositor as DepositorName
from sqlalchemy import Engine

from tests.support.notary import NotaryServer, Org, make_uscc
from tests.support.plain import NO_TLS

CLIENT_SECONDS = 60


@dataclass
class TestDepositor:
    """One company and its present signing key."""

    __test__ = False

    url: str
    org: Org
    api_key: str
    key: PrivateKey = field(default_factory=PrivateKey.generate)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=CLIENT_SECONDS,
            trust_env=False,
            verify=NO_TLS,
        )

    @property
    def name(self) -> DepositorName:
        return DepositorName(self.org.name, self.org.id_scheme, self.org.id)

    # Keys

    def message(self, key: PrivateKey) -> bytes:
        company = hashlib.sha256(f"{self.org.id_scheme}:{self.org.id}".encode()).hexdigest()
        return f"mizheng/enrol/v1\n{company}\n{key.public.keyid}".encode()

    def enrolment(
        self, key: PrivateKey, replaced: PrivateKey | None = None, **changed: Any
    ) -> dict[str, Any]:
        message = self.message(key)
        return {
            "public_key": key.public.to_base64(),
            "proof": to_base64(key.sign(message)),
            "replaces": replaced.public.keyid if replaced else None,
            "replaces_proof": to_base64(replaced.sign(message)) if replaced else None,
            **changed,
        }

    def enrol(self) -> dict[str, Any]:
        answer = self.client.post("/v1/keys", json=self.enrolment(self.key))
        assert answer.status_code == 201, answer.text
        return self.checked(answer.json(), from_base64(answer.json()["enrolment"]))

    def rotate(self) -> dict[str, Any]:
        fresh = PrivateKey.generate()
        answer = self.client.post("/v1/keys", json=self.enrolment(fresh, self.key))
        assert answer.status_code == 201, answer.text
        self.key = fresh
        return self.checked(answer.json(), from_base64(answer.json()["enrolment"]))

    # Deposits

    def statement(self, **changed: Any) -> Statement:
        values: dict[str, Any] = {
            "public_key": self.key.public,
            "commitment": secrets.token_bytes(32),
            "depositor": self.name,
            "operator": None,
            "claimed_at": "2026-11-23T02:00:00Z",
            "not_before": None,
            "software": Software("mizheng", "0.1.0", None),
            "nonce": os.urandom(16),
        }
        return Statement(**{**values, **changed})

    def envelope(self, **changed: Any) -> bytes:
        return self.statement(**changed).sign(self.key)

    def post(self, body: bytes, **options: Any) -> httpx.Response:
        return self.client.post("/v1/deposits", content=body, **options)

    def deposit(self, envelope: bytes | None = None) -> tuple[bytes, dict[str, Any]]:
        """Deposit and check the answer as a client does."""
        body = envelope or self.envelope()
        answer = self.post(body)
        assert answer.status_code in (200, 201), answer.text
        found = answer.json()
        assert found["id"] == found["envelope_sha256"] == hashlib.sha256(body).hexdigest()
        return body, self.checked(found, body)

    def beacon(self) -> BlockReference:
        found = self.client.get("/v1/beacon").json()
        return BlockReference(
            found["chain_id"],
            bytes.fromhex(found["genesis_hash"]),
            found["number"],
            bytes.fromhex(found["hash"]),
        )

    def status(self, deposit_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/deposits/{deposit_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def evidence(self, deposit_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/deposits/{deposit_id}/evidence")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def wait_until(self, state: str, deposit_id: str, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            found = self.status(deposit_id)
            if found["state"] == state:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.1)

    # Checks

    def vkey(self) -> NoteVerifier:
        return NoteVerifier.from_vkey(self.client.get("/v1/organisation").json()["log_vkey"])

    def checked(self, answer: dict[str, Any], envelope: bytes) -> dict[str, Any]:
        self.check_proof(answer["tlog_proof"], envelope, answer["leaf_index"])
        return answer

    def check_proof(self, text: str, envelope: bytes, leaf_index: int) -> Checkpoint:
        proof = parse_tlog_proof(text.encode())
        checkpoint, signed = open_checkpoint(proof.note, [self.vkey()])
        assert signed
        assert proof.index == leaf_index
        proof.verify(entry_leaf(envelope))
        return checkpoint


def problem_of(answer: httpx.Response) -> str:
    """The code of an answer that must be a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found = answer.json()
    assert found["status"] == answer.status_code
    prefix = "urn:mizheng:problem:"
    assert found["type"].startswith(prefix)
    return str(found["type"][len(prefix) :])


_numbers = itertools.count(1_000)


def register(server: NotaryServer, database: Engine) -> TestDepositor:
    """A new company at a running server, without the second that its command line takes."""
    return register_at(server.url, database)


def register_at(url: str, database: Engine) -> TestDepositor:
    """The same, by the server's URL."""
    number = next(_numbers)
    made, key = add_organisation(database, f"第{number}测试有限公司", "CN-USCC", make_uscc(number))
    name = made.depositor
    return TestDepositor(url, Org(name.name, name.id_scheme, name.id), key.secret)


def register_in(instance: Instance, url: str = "http://127.0.0.1:9") -> tuple[TestDepositor, Caller]:
    """A new company with an enrolled key, without a server: what a request of it would be taken for."""
    depositor = register_at(url, instance.engine)
    with reading(instance.engine) as connection:
        caller = authenticate(connection, f"Bearer {depositor.api_key}")
    proof = depositor.key.sign(depositor.message(depositor.key))
    keys = KeyRegister(instance.engine, instance.keys, instance.signer, instance.guard)
    keys.enrol(caller, EnrolmentRequest(depositor.key.public, proof, None, None))
    return depositor, caller
