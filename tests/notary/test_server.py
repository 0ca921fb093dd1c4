"""A whole notary as a process: started, stopped, killed, looked at; what it publishes."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import time
from pathlib import Path

import httpx
import pytest
from mizheng.notary.errors import PROBLEMS
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.checkpoint import open_checkpoint
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.merkle import Tree, leaf_hash
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.tiles import format_tile_path, split_bundle

from tests.notary.depositor import TestDepositor, problem_of
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS

# With MIZHENG_SOAK the same tests run longer.
SOAK = bool(os.environ.get("MIZHENG_SOAK"))
KILLS = 20 if SOAK else 2

# Nobody listens at its node's address.
CHAIN_THAT_IS_DOWN = f"""
[chain]
name = "down"
kind = "ethereum"
chain_id = 31337
genesis_hash = "{"ab" * 32}"
rpc = ["http://127.0.0.1:9"]
finality = "finalized"
contract = "{"cd" * 20}"
"""


def get(server: NotaryServer, path: str) -> httpx.Response:
    return httpx.get(server.url + path, trust_env=False, verify=NO_TLS, timeout=30)


def read_log(server: NotaryServer) -> list[bytes]:
    """Every entry, read over HTTP as a monitor reads it, and checked against the signed checkpoint."""
    vkey = NoteVerifier.from_vkey((server.data_dir / "keys" / "log.vkey").read_text().strip())
    checkpoint, signed = open_checkpoint(get(server, "/checkpoint").content, [vkey])
    assert signed
    entries: list[bytes] = []
    while len(entries) < checkpoint.size:
        width = min(256, checkpoint.size - len(entries))
        path = format_tile_path(len(entries) // 256, width)
        bundle = get(server, f"/tile/entries/{path}")
        assert bundle.status_code == 200
        found = split_bundle(bundle.content)
        assert len(found) == width
        tile = get(server, f"/tile/0/{path}")
        assert tile.content == b"".join(leaf_hash(entry) for entry in found)
        entries += found
    assert Tree([leaf_hash(entry) for entry in entries]).root() == checkpoint.root
    return entries


def test_yesterdays_evidence_after_a_restart(tmp_path: Path) -> None:
    with NotaryServer(tmp_path / "notary") as server:
        depositor = TestDepositor(server.url, *server.add_org())
        depositor.enrol()
        envelope, made = depositor.deposit(depositor.envelope(not_before=depositor.beacon()))
        depositor.wait_until("final", made["id"])
        evidence = depositor.evidence(made["id"])
        organisation = depositor.client.get("/v1/organisation").json()
        entries = read_log(server)
        server.restart()
        # Same log, same chain, same keys; what was answered is answered again.
        assert depositor.client.get("/v1/organisation").json() == organisation
        again = depositor.evidence(made["id"])
        for name in ("heads", "anchors", "enrolment", "enrolment_proof", "beacon"):
            assert again[name] == evidence[name]
        assert depositor.deposit(envelope)[1]["leaf_index"] == made["leaf_index"]
        _, later = depositor.deposit()
        assert later["leaf_index"] == made["leaf_index"] + 1
        assert (
            depositor.wait_until("final", later["id"])["anchors"][0]["tree_size"] == later["leaf_index"] + 1
        )
        assert read_log(server)[: len(entries)] == entries


def test_killed_under_load_nothing_answered_is_lost(tmp_path: Path) -> None:
    """What was answered is at its place after each kill; what was not, sent again, becomes one entry."""
    with NotaryServer(tmp_path / "notary") as server:
        depositor = TestDepositor(server.url, *server.add_org())
        depositor.enrol()
        answered: dict[str, int] = {}
        sent: list[bytes] = []
        for number in range(KILLS):
            stop = threading.Event()

            def send(stop: threading.Event = stop) -> None:
                client = TestDepositor(depositor.url, depositor.org, depositor.api_key, depositor.key)
                while not stop.is_set():
                    body = client.envelope()
                    sent.append(body)
                    try:
                        answer = client.post(body)
                    except httpx.HTTPError:
                        return
                    if answer.is_success:
                        answered[answer.json()["id"]] = answer.json()["leaf_index"]

            threads = [threading.Thread(target=send) for _ in range(8)]
            before = len(answered)
            for thread in threads:
                thread.start()
            while len(answered) < before + 20 + number % 7:
                time.sleep(0.01)
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            server.start()
            entries = read_log(server)
            for deposit_id, index in answered.items():
                assert entries[index] == dump_entry(bytes.fromhex(deposit_id))
        assert len(set(entries)) == len(entries)
        places = [depositor.deposit(body)[1]["leaf_index"] for body in sent]
        assert len(set(places)) == len(sent)
        assert len(read_log(server)) == len(sent) + 1
        # Anchoring went on through all of it.
        depositor.wait_until("final", hashlib.sha256(sent[-1]).hexdigest())


def test_two_processes_on_one_database(tmp_path: Path) -> None:
    """Two servers with data directories of their own, one database, the same keys: one log."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notary.toml").write_text(CHAIN_THAT_IS_DOWN)
    with NotaryServer(tmp_path / "one") as first:
        depositor = TestDepositor(first.url, *first.add_org())
        depositor.enrol()
        url = f"sqlite:///{first.data_dir / 'mizheng.db'}"
        keys = tmp_path / "two" / "keys"
        keys.mkdir(parents=True, mode=0o700)
        for path in (first.data_dir / "keys").iterdir():
            (keys / path.name).write_bytes(path.read_bytes())
            (keys / path.name).chmod(0o600)
        with NotaryServer(tmp_path / "two", MIZHENG_DATABASE_URL=url) as second:
            other = TestDepositor(second.url, depositor.org, depositor.api_key, depositor.key)
            bodies = [depositor.envelope() for _ in range(40)]
            found: list[tuple[str, int]] = []

            def send(client: TestDepositor, order: list[bytes]) -> None:
                for body in order:
                    made = client.deposit(body)[1]
                    found.append((made["id"], made["leaf_index"]))

            threads = [
                threading.Thread(target=send, args=(client, order))
                for client, order in ((depositor, bodies), (other, bodies[::-1]))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(found) == 80
            assert len(set(found)) == 40
            assert get(first, "/checkpoint").text == get(second, "/checkpoint").text
            assert len(read_log(first)) == 41


def test_a_second_server_is_refused_with_a_hint(server: NotaryServer) -> None:
    result = server.run("serve", "--port", "0", check=False)
    assert result.returncode == 1
    first, second = result.stderr.splitlines()
    assert first == f"error: another notary is serving from {server.data_dir}"
    assert second.startswith("hint: ")


def test_a_port_in_use_is_an_error_with_a_hint(server: NotaryServer, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    other = NotaryServer(tmp_path / "other")
    result = other.run("serve", "--port", port, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: cannot listen on 127.0.0.1 port {port}")


def test_what_serve_says(server: NotaryServer) -> None:
    for name in ("mizheng.db", "keys", "chain: embedded, trial", "contract: 0x"):
        assert name in server.output
    assert str(server.data_dir) in server.output
    assert "没有证据效力" in server.output
    assert "no evidential value" in server.output


def test_a_chain_that_is_down_only_delays(tmp_path: Path) -> None:
    """No node at the address: deposits go on, and everything says why they wait."""
    data = tmp_path / "notary"
    data.mkdir()
    (data / "notary.toml").write_text(CHAIN_THAT_IS_DOWN)
    with NotaryServer(data) as server:
        depositor = TestDepositor(server.url, *server.add_org())
        assert "no evidential value" not in server.output
        assert depositor.client.get("/v1/organisation").json()["chains"] == []
        depositor.enrol()
        envelope, made = depositor.deposit()
        for _ in range(200):
            ready = get(server, "/readyz").json()
            if ready["checks"]["chain.down"]["state"] == "unreachable":
                break
            time.sleep(0.05)
        assert (ready["state"], get(server, "/readyz").status_code) == ("degraded", 200)
        status = depositor.status(made["id"])
        assert (status["state"], status["waiting_for"]) == ("deposited", "unreachable")
        assert problem_of(depositor.client.get("/v1/beacon")) == "no-final-block"
        evidence = depositor.evidence(made["id"])
        assert evidence["anchors"] == []
        ((size, proof),) = evidence["heads"].items()
        assert depositor.check_proof(proof, envelope, made["leaf_index"]).size == int(size)
        assert "unreachable" in server.run("status").stdout


# What is published


def test_the_log_over_http(depositor: TestDepositor, server: NotaryServer) -> None:
    envelope, made = depositor.deposit()
    entries = read_log(server)
    assert entries[made["leaf_index"]] == dump_entry(hashlib.sha256(envelope).digest())
    assert get(server, "/checkpoint").headers["content-type"] == "text/plain; charset=utf-8"
    tile = get(server, "/tile/0/000.p/1")
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert tile.content == leaf_hash(entries[0])


@pytest.mark.parametrize(
    "path",
    [
        *("/tile/0/999", "/tile/0/000.p/0", "/tile/0/0", "/tile/8/000", "/tile/00/000", "/tile/x/000"),
        *("/tile/entries/999", "/tile/entries/x", "/tile/0/000.p/256", "/tile/-1/000", "/tile/", "/tile/0/"),
        *("/nothing", "/v1", "/docs", "/v1/deposits/x/y"),
    ],
)
def test_what_is_not_there(server: NotaryServer, path: str) -> None:
    answer = get(server, path)
    assert (answer.status_code, problem_of(answer)) == (404, "not-found")


def test_methods_that_are_not_allowed(server: NotaryServer) -> None:
    for method, path in (("DELETE", "/v1/deposits"), ("GET", "/v1/keys"), ("POST", "/checkpoint")):
        answer = httpx.request(method, server.url + path, trust_env=False, verify=NO_TLS)
        assert (answer.status_code, problem_of(answer)) == (405, "method-not-allowed")


def test_health_readiness_and_metrics(depositor: TestDepositor, server: NotaryServer) -> None:
    depositor.deposit()
    assert get(server, "/healthz").json() == {"state": "ok"}
    ready = get(server, "/readyz").json()
    names = {"database", "log", "sequencer", "commits", "issuer", "certificates", "chain.embedded"}
    assert set(ready["checks"]) == names
    text = get(server, "/metrics").text
    for name in (
        'mizheng_deposits_total{outcome="created"}',
        "mizheng_batch_entries_bucket",
        "mizheng_tree_size ",
        "mizheng_waiting_deposits 0.0",
        'mizheng_http_requests_total{method="POST",route="/v1/deposits",status="201"}',
    ):
        assert name in text
    # Nothing of anybody in the labels.
    assert depositor.org.id not in text
    assert depositor.key.public.keyid not in text


def test_openapi_says_what_every_field_is(server: NotaryServer) -> None:
    document = get(server, "/openapi.json").json()
    schemas = document["components"]["schemas"]
    ours = {
        name: schema for name, schema in schemas.items() if name.endswith(("Answer", "Request", "Reference"))
    }
    assert len(ours) >= 10
    for name, schema in ours.items():
        assert schema["description"], name
        for field, described in schema["properties"].items():
            assert described.get("description"), f"{name}.{field}"
    described_codes = str(document["paths"])
    for code in ("queue-full", "signature-wrong", "key-exists", "deposit-unknown", "no-final-block"):
        assert f"`{code}`" in described_codes
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            # What everybody may read beside the log itself.
            secured = path.startswith("/v1/") and not path.startswith(
                ("/v1/log-keys", "/v1/certificates", "/v1/anchors", "/v1/lookup")
            )
            assert bool(operation.get("security")) == secured, f"{method} {path}"
            for status, answer in operation["responses"].items():
                if status.startswith(("4", "5")) and path != "/readyz":
                    assert "application/problem+json" in answer["content"], f"{method} {path} {status}"


def test_problem_types_are_stable() -> None:
    """The list is append-only: who reads codes must be able to rely on them."""
    known = Path(__file__).with_name("problems.txt").read_text("utf-8").splitlines()
    assert [
        f"{code} {kind.status}" for code, kind in PROBLEMS.items() if f"{code} {kind.status}" in known
    ] == known
    assert len(known) == len(PROBLEMS), "a new problem type: add it to problems.txt"


def test_logs_name_nobody(tmp_path: Path) -> None:
    with NotaryServer(tmp_path / "notary") as server:
        depositor = TestDepositor(server.url, *server.add_org("绝密名称有限公司"))
        enrolled = depositor.enrol()
        envelope, made = depositor.deposit()
        depositor.post(envelope + b" ")
        depositor.client.post("/v1/keys", json={"public_key": depositor.api_key, "proof": 1})
        depositor.wait_until("final", made["id"])
        server.stop()
        for secret in (
            depositor.api_key,
            depositor.org.name,
            depositor.org.id,
            made["id"],
            depositor.key.public.keyid,
            enrolled["enrolment"],
        ):
            assert secret not in server.output
        assert from_base64(enrolled["enrolment"])
        private = [
            path.read_text() for path in (server.data_dir / "keys").glob("*") if path.suffix != ".vkey"
        ]
        for line in itertools.chain.from_iterable(text.splitlines() for text in private):
            assert line.startswith("-----") or line not in server.output
