"""When the log is anchored, what it costs, and what is said of the account that pays."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from mizheng.notary.anchoring.policy import AnchorPolicy
from mizheng.notary.chain.outbox import Item
from mizheng.notary.chain.tables import anchors, final_reversals
from mizheng.notary.database import create_engine, reading, writing
from sqlalchemy import insert, select

from tests.notary.depositor import TestDepositor
from tests.notary.test_node_chain import fund
from tests.support.anvil import Anvil
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS


def join(server: NotaryServer) -> TestDepositor:
    depositor = TestDepositor(server.url, *server.add_org())
    depositor.enrol()
    return depositor


def ask(depositor: TestDepositor, deposit: dict[str, Any]) -> httpx.Response:
    return depositor.client.post(f"/v1/deposits/{deposit['id']}/urgent")


def anchor_first(server: NotaryServer) -> tuple[TestDepositor, dict[str, Any]]:
    """A company whose deposit is final: all that was there before it is anchored, too."""
    depositor = join(server)
    _, made = depositor.deposit()
    ask(depositor, made)
    depositor.wait_until("final", made["id"], 60)
    return depositor, made


def test_at_once_on_request_so_often_and_no_more(tmp_path: Path) -> None:
    limits = {"MIZHENG_ANCHOR_INTERVAL": "86400", "MIZHENG_URGENT_PER_DAY": "2"}
    with NotaryServer(tmp_path / "notary", **limits) as server:
        depositor, other = join(server), join(server)
        first = anchor_first(server)
        assert ask(*first).json()["state"] == "under-way"
        for remaining in (1, 0):
            _, made = depositor.deposit()
            assert depositor.status(made["id"])["waiting_for"] == "anchor-interval"
            answer = ask(depositor, made)
            assert (answer.status_code, answer.json()["state"]) == (200, "requested")
            assert answer.json()["remaining"] == remaining
            depositor.wait_until("final", made["id"], 60)
            # Asked again: it is there, and nothing is counted.
            assert ask(depositor, made).json()["remaining"] == remaining
        _, late = depositor.deposit()
        refused = ask(depositor, late)
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:mizheng:problem:urgent-limit"
        assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
        time.sleep(2)
        assert depositor.status(late["id"])["state"] == "deposited"
        # Somebody else's deposit is none of theirs; a company of its own has a limit of its own.
        assert ask(other, late).status_code == 404
        _, theirs = other.deposit()
        assert ask(other, theirs).json()["remaining"] == 1
        # One anchor is for everybody.
        depositor.wait_until("final", late["id"], 60)


def test_by_size_and_what_each_entry_costs(tmp_path: Path) -> None:
    limits = {"MIZHENG_ANCHOR_INTERVAL": "86400", "MIZHENG_ANCHOR_ENTRIES": "6"}
    with NotaryServer(tmp_path / "notary", **limits) as server:
        depositor, _ = anchor_first(server)
        made = [depositor.deposit()[1] for _ in range(6)]
        depositor.wait_until("final", made[-1]["id"], 60)
        (anchor,) = depositor.status(made[-1]["id"])["anchors"]
    cost = anchor["cost"]
    assert cost["entries"] == 6
    assert 50_000 < cost["gas_used"] < 100_000
    assert int(cost["wei"]) % cost["gas_used"] == 0
    assert int(cost["wei_per_entry"]) == int(cost["wei"]) // 6
    assert float(cost["amount"]) == pytest.approx(int(cost["wei"]) / 10**18)
    assert cost["unit"] == "ETH"


def item(**changes: Any) -> Item:
    values = {"tree_size": 100, "prepared_at": 1000, **changes}
    return Item(**{name: values.get(name) for name in Item.__dataclass_fields__})


@pytest.mark.parametrize(
    ("newest", "size", "urgent", "now", "is_due"),
    [
        (None, 1, 0, 0, True),
        (item(), 101, 0, 1599, False),
        (item(), 101, 0, 1600, True),
        (item(), 149, 0, 1001, False),
        (item(), 150, 0, 1001, True),
        (item(), 101, 100, 1001, False),
        (item(), 101, 101, 1001, True),
        # A clock that was set back does not make anybody wait.
        (item(prepared_at=9000), 101, 0, 1001, True),
    ],
)
def test_time_size_and_request(newest: Item | None, size: int, urgent: int, now: float, is_due: bool) -> None:
    assert AnchorPolicy(600, 50).is_due(newest, size, urgent, now) is is_due


def test_what_is_said_of_the_account(tmp_path: Path, anvil: Anvil) -> None:
    """Low balance, a spent budget: in /readyz, the metrics, the operator's status and the depositor's."""
    server = NotaryServer(tmp_path / "notary", MIZHENG_ANCHOR_INTERVAL="1")
    del anvil
    with Anvil(chain_id=31338, block_time=1) as node:
        fund(node, server)
        server.run("chain", "deploy", "--rpc", node.url, "--name", "court", "--finality", "instant")
        config = server.data_dir / "notary.toml"
        text = config.read_text()
        assert "[chain]" in text
        # A fee history of a fresh anvil asks for some 4 gwei: an anchor may cost 0.0004, so one is paid for.
        lines = '[chain]\nlow_balance = "5"\nbudget_per_day = "0.0006"\nunit = "TST"'
        config.write_text(text.replace("[chain]", lines, 1))
        with server:
            depositor = join(server)
            _, first = depositor.deposit()
            depositor.wait_until("final", first["id"], 60)
            deadline = time.monotonic() + 60
            while True:
                _, made = depositor.deposit()
                status = depositor.status(made["id"])
                if status["waiting_for"] == "budget-spent":
                    break
                assert time.monotonic() < deadline, status
                time.sleep(1)
            ready = httpx.get(server.url + "/readyz", trust_env=False, verify=NO_TLS).json()
            metrics = httpx.get(server.url + "/metrics", trust_env=False, verify=NO_TLS).text
        operator = server.run("status").stdout
    (chain,) = status["chains"]
    assert (chain["waiting_for"], chain["warnings"]) == ("budget-spent", ["balance-low"])
    check = ready["checks"]["chain.court"]
    assert (ready["state"], check["state"]) == ("degraded", "budget-spent")
    assert re.fullmatch(r"balance-low; balance 0\.99\d+ TST", check["detail"])
    for state in ("budget-spent", "balance-low"):
        assert f'mizheng_anchoring_state{{chain="court",state="{state}"}} 1.0' in metrics
    assert re.search(r'mizheng_anchoring_balance\{chain="court"\} 0\.99', metrics)
    spent = re.search(r'mizheng_anchoring_spent\{chain="court"\} (\S+)', metrics)
    assert spent is not None
    assert 0 < float(spent[1]) < 0.0006
    for line in ("waits for\\s+budget-spent", "warnings\\s+balance-low", "balance\\s+0.99\\d+ TST"):
        assert re.search(line, operator), operator
    assert re.search("spent in 24 hours\\s+0.000\\d+ TST", operator)


def test_alarms_are_shown_and_acknowledged(tmp_path: Path) -> None:
    with NotaryServer(tmp_path / "notary") as server:
        depositor = join(server)
        _, made = depositor.deposit()
        depositor.wait_until("final", made["id"], 60)
    assert "no chain took back a final block" in server.run("chain", "alarms").stdout
    engine = create_engine(f"sqlite:///{server.data_dir / 'mizheng.db'}")
    with writing(engine) as connection:
        row = connection.execute(select(anchors)).first()
        assert row is not None
        connection.execute(
            insert(final_reversals).values(
                anchor_id=row.id,
                chain=row.chain,
                tree_size=row.tree_size,
                block_number=7,
                block_hash=bytes(32),
                found_hash=b"\x01" * 32,
                evidence=b"{}",
                noticed_at=0,
            )
        )
    shown = server.run("chain", "alarms").stdout
    assert f"block 7 was {bytes(32).hex()} and is {'01' * 32} (open)" in shown
    assert "acknowledged: 1" in server.run("chain", "alarms", "--acknowledge").stdout
    assert "(acknowledged)" in server.run("chain", "alarms").stdout
    with reading(engine) as connection:
        assert connection.execute(select(final_reversals.c.acknowledged_at)).scalar() is not None
    engine.dispose()
