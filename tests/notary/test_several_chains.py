"""One notary, several chains: every checkpoint on each of them, and none waits for another."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
from mizheng.verifier.anchor import AnchorEvidence, parse_anchor, verify_anchor
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.trust import parse_trust

from tests.notary.depositor import TestDepositor
from tests.support.anvil import Anvil
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS

SECONDS = 60.0


def chains_of(depositor: TestDepositor, deposit: str) -> dict[str, dict[str, Any]]:
    return {chain["chain"]: chain for chain in depositor.status(deposit)["chains"]}


def wait(until: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_two_chains_and_one_of_them_dies(tmp_path: Path) -> None:
    server = NotaryServer(tmp_path / "notary", MIZHENG_ANCHOR_INTERVAL="0.5")
    server.data_dir.mkdir(mode=0o700)
    (server.data_dir / "notary.toml").write_text('[chains.play]\nkind = "trial"\n')
    with Anvil(chain_id=31340, slots_in_an_epoch=1, block_time=1) as node:
        account = server.run("chain", "address").stdout.strip()
        node.rpc("anvil_setBalance", account, hex(10**18))
        # Without a name it would take the other one's place.
        server.run("chain", "deploy", "--rpc", node.url, "--name", "anvil")
        assert '[chains."anvil"]' in (server.data_dir / "notary.toml").read_text()
        with server:
            depositor = TestDepositor(server.url, *server.add_org())
            depositor.enrol()
            _, made = depositor.deposit()
            wait(lambda: {c["state"] for c in chains_of(depositor, made["id"]).values()} == {"final"})
            evidence = depositor.evidence(made["id"])
            trust = parse_trust(server.export_trust(tmp_path / "trust.toml").read_bytes())
            chains = {chain["name"] for chain in depositor.client.get("/v1/organisation").json()["chains"]}
            assert chains == {"play", "anvil"}

            # One of them dies for good: the other one goes on, and the deposit reads final.
            node.kill()
            _, later = depositor.deposit()
            wait(lambda: chains_of(depositor, later["id"])["anvil"]["waiting_for"] == "unreachable")
            depositor.wait_until("final", later["id"], 60)
            status = depositor.status(later["id"])
            assert (status["state"], status["waiting_for"]) == ("final", None)
            assert chains_of(depositor, later["id"])["anvil"]["state"] == "deposited"
            ready = httpx.get(server.url + "/readyz", trust_env=False, verify=NO_TLS).json()["checks"]
            assert (ready["chain.anvil"]["state"], ready["chain.play"]["state"]) == ("unreachable", "ok")
            figures = httpx.get(server.url + "/metrics", trust_env=False, verify=NO_TLS).text
            assert 'mizheng_anchoring_held_up{chain="anvil"} 1.0' in figures
            assert 'mizheng_anchoring_held_up{chain="play"} 0.0' in figures
            assert 'mizheng_anchoring_state{chain="anvil",state="unreachable"} 1.0' in figures
            shown = server.run("status").stdout
            assert re.search(r"anvil: anchoring waits for +unreachable", shown)
            assert re.search(r"play: final size +3", shown)
            # What was anchored there stays, whole.
            assert depositor.evidence(made["id"])["anchors"] == evidence["anchors"]

    anchors = [parse_anchor(from_base64(text)) for text in evidence["anchors"]]
    assert {anchor.chain.chain_id for anchor in anchors} == {31340, 1337000}
    assert {chain.chain_id for chain in trust.chains} == {31340, 1337000}
    for anchor in anchors:
        _check(anchor, trust)
        assert str(anchor.tree_size) in evidence["heads"]


def _check(anchor: AnchorEvidence, trust: Any) -> None:
    (chain,) = (chain for chain in trust.chains if chain.chain_id == anchor.chain.chain_id)
    verify_anchor(anchor, anchor.chain, chain.contract, chain.code_hash)
