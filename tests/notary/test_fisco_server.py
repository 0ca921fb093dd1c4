"""A notary on FISCO BCOS as documented: from the command line to the verdict. No real node was tried."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.foreign import parse_foreign, verify_foreign_observation
from mizheng.verifier.trust import parse_trust

from tests.notary.depositor import TestDepositor
from tests.support import prepared
from tests.support.anvil import Anvil
from tests.support.ending import end_process
from tests.support.fiscorpc import fisco_chain
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS

SECONDS = 60.0


def test_deployed_anchored_observed(tmp_path: Path, anvil: Anvil) -> None:
    del anvil
    server = NotaryServer(tmp_path / "notary", MIZHENG_ANCHOR_INTERVAL="0.5")
    with fisco_chain(3) as (node, proxies):
        account = server.run("chain", "address").stdout.strip()
        node.rpc("anvil_setBalance", account, "0x0")
        nodes = [word for proxy in proxies for word in ("--rpc", proxy.url)]
        kind = ("--kind", "fisco-bcos", "--finality", "instant")
        refused = server.run("chain", "deploy", *nodes, "--kind", "fisco-bcos", "--fees", "free", check=False)
        assert "cannot be finalized here" in refused.stderr
        server.run("chain", "deploy", *nodes, *kind, "--fees", "free", "--name", "fisco")
        settings = (server.data_dir / "notary.toml").read_text()
        assert 'kind = "fisco-bcos"' in settings
        assert 'fees = "free"' in settings
        observe = [
            *("observe", "--rpc", proxies[0].url, *kind),
            *("--listen", "127.0.0.1:0", "--key", str(tmp_path / "observer.pem")),
        ]
        observer = prepared.start(
            "mizheng.notary", observe, os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            assert observer.stdout is not None
            text = ""
            while not re.search(r"public_key = .+\n", text):
                line = observer.stdout.readline()
                assert line, text
                text += line
            table = text[text.index("[observers.NAME]") :].replace("NAME", "court")
            with (server.data_dir / "notary.toml").open("a") as file:
                file.write("\n" + table)
            with server:
                depositor = TestDepositor(server.url, *server.add_org())
                depositor.enrol()
                _, made = depositor.deposit()
                depositor.wait_until("final", made["id"], SECONDS)
                deadline = time.monotonic() + SECONDS
                while True:
                    evidence = depositor.evidence(made["id"])
                    (foreign,) = (parse_foreign(from_base64(text)) for text in evidence["foreign"])
                    if foreign.observations:
                        break
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
                trust = parse_trust(server.export_trust(tmp_path / "trust.toml").read_bytes())
                ready = httpx.get(server.url + "/readyz", trust_env=False, verify=NO_TLS).json()
        finally:
            end_process(observer, signal.SIGTERM)
    assert evidence["anchors"] == evidence["observations"] == []
    assert str(foreign.tree_size) in evidence["heads"]
    seen = verify_foreign_observation(foreign, foreign.observations[0])
    assert trust.observer(seen.signer) is not None
    (chain,) = trust.chains
    assert (chain.kind, chain.contract, chain.code_hash) == (
        "fisco-bcos",
        foreign.contract,
        foreign.code_hash,
    )
    assert chain.log_ids[0].log_id == foreign.log_id
    assert ready["checks"]["chain.fisco"]["state"] == "ok"
    assert {check["state"] for name, check in ready["checks"].items() if name.startswith("node.fisco.")} == {
        "ok"
    }
