"""The notary on a real node, through its command line: deploy, anchor, be observed, lose the node."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from mizheng.verifier.anchor import parse_anchor, verify_anchor
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.observation import parse_observation
from mizheng.verifier.trust import parse_trust

from tests.notary.depositor import TestDepositor
from tests.support import prepared
from tests.support.anvil import Anvil
from tests.support.ending import end_process
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS

_TABLE = re.compile(r'\[observers\.NAME\]\nurl = ".+"\npublic_key = ".+"\n')


@pytest.fixture
def node(anvil: Anvil) -> Iterator[Anvil]:
    """A node of this test's own, a block each second; `anvil` only says whether there can be one."""
    del anvil
    with Anvil(chain_id=31338, slots_in_an_epoch=1, block_time=1) as running:
        yield running


def fund(node: Anvil, server: NotaryServer) -> str:
    account = server.run("chain", "address").stdout.strip()
    node.rpc("anvil_setBalance", account, hex(10**18))
    return account


@contextmanager
def observing(node: Anvil, folder: Path) -> Iterator[str]:
    """An observer as a process of its own; the table that it prints for notary.toml."""
    arguments = (
        "observe",
        "--rpc",
        node.url,
        "--listen",
        "127.0.0.1:0",
        "--key",
        str(folder / "observer.pem"),
    )
    process = prepared.start(
        "mizheng.notary", arguments, os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert process.stdout is not None
        text = ""
        while not _TABLE.search(text):
            line = process.stdout.readline()
            assert line, text
            text += line
        found = _TABLE.search(text)
        assert found is not None
        yield found[0].replace("NAME", "court")
    finally:
        end_process(process, signal.SIGTERM)


def test_deploying_needs_funds_a_node_and_one_chain(tmp_path: Path, node: Anvil) -> None:
    server = NotaryServer(tmp_path / "notary")
    poor = server.run("chain", "deploy", "--rpc", node.url, check=False)
    account = server.run("chain", "address").stdout.strip()
    assert poor.returncode == 1
    assert poor.stderr.splitlines()[0] == f"error: the publisher's account {account} cannot pay"
    down = server.run("chain", "deploy", "--rpc", "http://127.0.0.1:9", check=False)
    assert (down.returncode, down.stderr[:6]) == (1, "error:")
    fund(node, server)
    (server.data_dir / "notary.toml").write_text('host = "127.0.0.1"  # kept\n')
    made = server.run("chain", "deploy", "--rpc", node.url, "--name", "anvil").stdout
    text = (server.data_dir / "notary.toml").read_text()
    settings = tomllib.loads(text)
    assert text.startswith('host = "127.0.0.1"  # kept\n')
    assert settings["chain"]["contract"] in made
    assert settings["chain"]["chain_id"] == 31338
    # Again: the same contract and the same file.
    assert server.run("chain", "deploy", "--rpc", node.url, "--name", "anvil").stdout == made
    assert (server.data_dir / "notary.toml").read_text() == text
    # A [chain] table that the operator wrote gets its contract.
    lines = [line for line in text.splitlines() if not line.startswith(("contract", "first_block"))]
    (server.data_dir / "notary.toml").write_text("\n".join(lines) + "\n")
    server.run("chain", "deploy", "--rpc", node.url)
    found = tomllib.loads((server.data_dir / "notary.toml").read_text())["chain"]
    # Found again by its account, which does not tell how old it is.
    assert found == {**settings["chain"], "first_block": 0}
    with Anvil(chain_id=31339) as other:
        refused = server.run("chain", "deploy", "--rpc", other.url, check=False)
    assert refused.stderr.startswith("error: notary.toml names another chain")


def test_anchored_final_and_observed(tmp_path: Path, node: Anvil) -> None:
    server = NotaryServer(tmp_path / "notary", MIZHENG_ANCHOR_INTERVAL="1")
    fund(node, server)
    server.run("chain", "deploy", "--rpc", node.url, "--name", "anvil")
    with observing(node, tmp_path) as table:
        with (server.data_dir / "notary.toml").open("a") as file:
            file.write("\n" + table)
        with server:
            assert "no evidential value" not in server.output
            depositor = TestDepositor(server.url, *server.add_org())
            depositor.enrol()
            deadline = time.monotonic() + 60
            while depositor.client.get("/v1/beacon").status_code != 200:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            reference = depositor.beacon()
            _, made = depositor.deposit(depositor.envelope(not_before=reference))
            depositor.wait_until("final", made["id"], 60)
            while len(depositor.evidence(made["id"])["observations"]) < 2:
                assert time.monotonic() < deadline + 60
                time.sleep(0.2)
            evidence = depositor.evidence(made["id"])
            trust = parse_trust(server.export_trust(tmp_path / "trust.toml").read_bytes())

            # The node goes away: deposits go on, evidence stays, and what waits says why.
            node.stop()
            _, later = depositor.deposit()
            while depositor.status(later["id"])["waiting_for"] != "unreachable":
                assert time.monotonic() < deadline + 120
                time.sleep(0.2)
            ready = httpx.get(server.url + "/readyz", trust_env=False, verify=NO_TLS)
            assert (ready.status_code, ready.json()["state"]) == (200, "degraded")
            assert depositor.evidence(made["id"])["anchors"] == evidence["anchors"]

    (chain,) = trust.chains
    assert (chain.kind, chain.chain_id, dict(chain.pins)) == ("ethereum", 31338, {})
    assert [observer.name for observer in trust.observers] == ["court"]
    assert trust.observer_quorum == 1
    (anchor,) = (parse_anchor(from_base64(text)) for text in evidence["anchors"])
    verify_anchor(anchor, anchor.chain, chain.contract, chain.code_hash)
    observed = [parse_observation(from_base64(text)) for text in evidence["observations"]]
    assert {found.block.hash for found, _ in observed} == {anchor.block.hash, reference.hash}
    assert {signer for _, signer in observed} == {trust.observers[0].key}


def test_trust_never_names_an_observer_of_the_notarys_own(tmp_path: Path, node: Anvil) -> None:
    server = NotaryServer(tmp_path / "notary")
    fund(node, server)
    server.run("chain", "deploy", "--rpc", node.url)
    # Its key in the notary's own data directory: the notary could sign with it.
    with observing(node, server.data_dir) as table, (server.data_dir / "notary.toml").open("a") as file:
        file.write("\n" + table)
    refused = server.run("trust", "export", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: the notary itself holds the key of the observer court")
    (server.data_dir / "observer.pem").rename(tmp_path / "observer.pem")
    # Before the first anchor: contract and log id are settled by the settings.
    trust = parse_trust(server.export_trust(tmp_path / "trust.toml").read_bytes())
    assert len(trust.chains) == len(trust.observers) == 1
