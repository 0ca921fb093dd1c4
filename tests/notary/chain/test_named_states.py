"""What anchoring waits for has one name: in /readyz, the metric, the depositor's status and the operator's.

A notary with all its threads on a real node is brought into one state after the other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mizheng.cli.depositing.waiting import WAITING
from mizheng.notary.anchoring import anchorer, keeper
from mizheng.notary.anchoring.deployment import deploy
from mizheng.notary.anchoring.publisher_key import load_publisher
from mizheng.notary.app import create_app
from mizheng.notary.chain.feerule import WEI
from mizheng.notary.commands.operation import load_operation
from mizheng.notary.companies.organisations import add_organisation
from mizheng.notary.config import load_settings
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.service import Service

from tests.notary.depositor import TestDepositor
from tests.support.anvil import Anvil
from tests.support.notary import Org, make_uscc
from tests.support.rpcproxy import RpcProxy
from tests.tools.layout import ROOT

GWEI = 10**9
SECONDS = 30
PLACES = ("readyz", "metric", "depositor", "operator")
LINES = '[chain]\nmax_fee_gwei = 50\nlow_balance = "5"\nstalled_after = 1'


@dataclass
class Scene:
    """A notary at work, its node, what stands between them, and a deposit that is not anchored."""

    instance: Instance
    node: Anvil
    proxy: RpcProxy
    depositor: TestDepositor
    deposit: str
    account: str
    contract: str

    def lie(self, asked: str, params: list[Any], answer: Callable[[Any], Any]) -> None:
        """Of one question, another answer than the node's."""
        self.proxy.rule = lambda method, given: (
            answer if method == asked and given[: len(params)] == params else None
        )

    def said(self) -> dict[str, set[str]]:
        """By place: every code that stands there for the chain."""
        client = self.depositor.client
        check = client.get("/readyz").json()["checks"]["chain.court"]
        details = [part for part in check.get("detail", "").split("; ") if not part.startswith("balance ")]
        figures = re.findall(
            r'mizheng_anchoring_state\{chain="court",state="(.+?)"\} 1.0', client.get("/metrics").text
        )
        (chain,) = self.depositor.status(self.deposit)["chains"]
        operator = load_operation(self.instance)
        shown = (operator["court: anchoring waits for"], operator["court: warnings"])
        found = {
            "readyz": {check["state"], *details},
            "metric": set(figures),
            "depositor": {chain["waiting_for"], *chain["warnings"]},
            "operator": {str(code) for code in shown if code},
        }
        # Where nothing but time holds it up, each place says so in its own words.
        return {place: codes - {"ok", "", "anchor-interval", "block"} for place, codes in found.items()}

    def wait(self, *codes: str) -> None:
        deadline = time.monotonic() + SECONDS
        while (found := self.said()) != {place: {*codes} for place in PLACES}:
            assert time.monotonic() < deadline, found
            time.sleep(0.05)


@pytest.fixture
def scene(tmp_path: Path, anvil: Anvil, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    del anvil
    monkeypatch.setattr(keeper, "_CHAIN_PAUSE", 0.05)
    for name in ("_IDENTITY_SECONDS", "_ACCOUNT_SECONDS"):
        monkeypatch.setattr(anchorer, name, 0)
    environment = {"MIZHENG_DATA_DIR": str(tmp_path / "notary"), "MIZHENG_ANCHOR_INTERVAL": "0.1"}
    with Anvil(chain_id=31347) as node, RpcProxy(node.url) as proxy:
        plain = open_instance(load_settings(environment))
        account = "0x" + load_publisher(plain.settings).address.hex()
        node.rpc("anvil_setBalance", account, hex(10 * WEI))
        made = deploy(plain, [proxy.url], "court", "instant")
        plain.engine.dispose()
        made.path.write_text(made.path.read_text().replace("[chain]", LINES, 1))
        instance = open_instance(load_settings(environment))
        company, key = add_organisation(instance.engine, "某某有限公司", "CN-USCC", make_uscc(1))
        name = company.depositor
        depositor = TestDepositor("http://notary", Org(name.name, name.id_scheme, name.id), key.secret)
        headers = depositor.client.headers
        with TestClient(create_app(Service(instance)), headers=headers) as client:
            depositor.client = client
            # From here on nothing is anchored: no block takes it.
            node.rpc("evm_setAutomine", False)
            depositor.enrol()
            _, deposit = depositor.deposit()
            contract = "0x" + made.deployment.contract.hex()
            yield Scene(instance, node, proxy, depositor, str(deposit["id"]), account, contract)


def test_each_state_has_one_name_everywhere(scene: Scene) -> None:
    node = scene.node
    scene.lie("eth_chainId", [], lambda _: "0x1")
    scene.wait("wrong-chain-id")
    scene.lie("eth_getBlockByNumber", ["0x0"], lambda block: {**block, "hash": "0x" + "11" * 32})
    scene.wait("wrong-genesis")
    scene.lie("eth_getCode", [scene.contract], lambda _: "0x")
    scene.wait("no-code")
    scene.lie("eth_getCode", [scene.contract], lambda _: "0x6000")
    scene.wait("other-code")
    scene.proxy.rule = lambda method, _: "lost"
    scene.wait("unreachable")
    scene.proxy.rule = lambda method, _: None
    # Sent, and no block comes.
    scene.wait("chain-stalled")
    node.rpc("anvil_setBalance", scene.account, hex(WEI))
    scene.wait("chain-stalled", "balance-low")
    node.rpc("evm_setAutomine", True)
    node.mine()
    scene.depositor.wait_until("final", scene.deposit)
    # Dearer than the cap, and a new deposit that is not anchored for it.
    node.rpc("anvil_setNextBlockBaseFeePerGas", hex(100 * GWEI))
    node.mine()
    _, deposit = scene.depositor.deposit()
    scene.deposit = str(deposit["id"])
    scene.wait("cap-reached", "balance-low")
    node.rpc("anvil_setBalance", scene.account, hex(10 * WEI))
    scene.wait("cap-reached")


def test_every_code_has_words_for_depositors() -> None:
    """What the operator's table names, `mizheng status` says in words."""
    text = (ROOT / "docs" / "operating.md").read_text()
    table = text.partition("### What anchoring waits for")[2].partition("\n## ")[0]
    codes = {code for row in re.findall(r"^\| (`.+?) \|", table, re.M) for code in re.findall("`(.+?)`", row)}
    assert {"cap-reached", "wrong-genesis", "other-code", "balance-low"} < codes
    assert codes - set(WAITING) == set()
