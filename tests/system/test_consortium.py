"""A consortium believed with no node: from a company's folder to a verdict, on a chain sealed by validators.

The chain is anvil's, sealed anew by tests/support/sealingchain.py: neither Besu nor geth is run. The trust
file names validators and nobody else who could vouch for a block.
"""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from mizheng.verifier.archive import write_archive
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.consensus.seals import parse_seals
from mizheng.verifier.trust import parse_trust

from tests.cli.runner import Mizheng
from tests.support.anvil import Anvil
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS
from tests.support.scale import SOAK
from tests.support.sealing import make_sealers
from tests.support.sealingchain import SealingChain, profile_lines

CHAIN_ID = 31341
SEALERS = make_sealers(4)
# Instant where a block is final at once; in clique when more than half of the signers are on top.
RULES = {"qbft": "instant", "ibft2": "instant", "clique": "confirmations:2"}
SECONDS = 90.0


@pytest.mark.parametrize("kind", RULES if SOAK else ["qbft"])
def test_believed_by_its_validators_alone(tmp_path: Path, kind: str) -> None:
    server = NotaryServer(tmp_path / "notary", MIZHENG_ANCHOR_INTERVAL="0.5")
    server.data_dir.mkdir(mode=0o700)
    company = Mizheng(tmp_path / "home", tmp_path / "work")
    (company.cwd / "配方").mkdir(parents=True)
    (company.cwd / "配方" / "三号催化剂.txt").write_text("一号料三份")
    with (
        Anvil(chain_id=CHAIN_ID, block_time=1) as node,
        SealingChain(node.url, kind, SEALERS, seals=3) as chain,
    ):
        # One of the four nodes is the notary's own: three are needed, so it cannot seal alone.
        own = [SEALERS[3].address]
        (server.data_dir / "notary.toml").write_text(profile_lines(chain, CHAIN_ID, RULES[kind], own))
        node.rpc("anvil_setBalance", server.run("chain", "address").stdout.strip(), hex(10**18))
        server.run("chain", "deploy", "--rpc", chain.url, "--name", "consortium", "--finality", RULES[kind])
        with server:
            _org, api_key = server.add_org()
            company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
            company("notarize", "配方").ok()
            company("status", "配方.seal", "--wait", "--timeout", "90").ok()
            bundle = bundle_with_seals(company, tmp_path / "evidence.zip")
            checks = httpx.get(server.url + "/readyz", trust_env=False, verify=NO_TLS).json()["checks"]
            assert checks["seals.consortium"]["state"] == "ok"
            trust = server.export_trust(tmp_path / "trust.toml")
            server.run("export-static", str(tmp_path / "export"))
    found = parse_trust(trust.read_bytes())
    assert (found.observers, dict(found.chains[0].pins)) == ((), {})
    assert {member.address for member in found.chains[0].validators[0].members} == {
        sealer.address for sealer in SEALERS
    }
    # Notary, node and chain are gone; what the notary left as plain files has the seals as well.
    left = {path.read_bytes() for path in (tmp_path / "export" / "seals").iterdir()}
    with Bundle(bundle) as opened:
        assert {opened.read(name) for name in opened.group("seals")} <= left
    # So does the trust file among them.
    company("verify", str(bundle), "--trust", str(tmp_path / "export" / "trust.toml")).ok()
    shown = company("trust", "show", str(trust)).ok().out
    assert f"{kind}, 3 of 4 must seal" in shown
    assert SEALERS[0].address.hex() in shown
    verdict = company("verify", str(bundle), "--trust", str(trust))
    assert verdict.code == 0, verdict.out + verdict.err
    report = company("verify", str(bundle), "--trust", str(trust), "--json").ok().json
    assert (report["verdict"], report["trial"]) == ("valid", False)
    passed = {check["code"] for check in report["checks"] if check["status"] == "PASS"}
    assert {"anchor.seals", "anchor.canonical", "anchor.receipt", "beacon.canonical", "time.order"} <= passed
    without = company("verify", str(strip(bundle, tmp_path / "without.zip")), "--trust", str(trust))
    assert without.code == 2


def bundle_with_seals(company: Mizheng, path: Path) -> Path:
    """The seals come a moment after the block is final: bundled again until all its blocks have them."""
    deadline = time.monotonic() + SECONDS
    while True:
        company("bundle", "配方.seal", "--open", "配方/", "-o", str(path), "--force").ok()
        with Bundle(path) as found:
            blocks = {parse_seals(found.read(name)).number for name in found.group("seals")}
        # Of the anchor's block and of the statement's not-before block.
        if len(blocks) == 2:
            return path
        assert time.monotonic() < deadline, blocks
        time.sleep(0.5)


def strip(bundle: Path, target: Path) -> Path:
    """The bundle without its seals, which the depositor's list does not name."""
    with Bundle(bundle) as found, target.open("w+b") as file:
        names = [name for name in found._archive.names if not name.startswith("seals/")]
        write_archive(file, ((name, found.size(name), (found.read(name),)) for name in names))
    return target
