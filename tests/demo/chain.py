"""The other chain of the demo: anvil, an Ethereum node, and an observer, a process with a key of its own.

In earnest the node is one of Ethereum's, and the observer is run by a court or a notary office on a node that
is not the notary's. Here both look at the same anvil, for there is no other.
"""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from tests.demo.stage import Stage
from tests.support.tools import anvil_path

# A block a second, final two epochs of two slots later: as on Ethereum, but in seconds.
ANVIL = ("anvil", "--port", "0", "--block-time", "1", "--slots-in-an-epoch", "2")
COINS = 10 * 10**18
OBSERVER = "法院/见证节点.toml"
_ANVIL_LISTENS = re.compile(r"127\.0\.0\.1:[0-9]+")
_OBSERVER_TABLE = re.compile(r'\[observers\.NAME\]\nurl = ".+"\npublic_key = ".+"\n')


@contextmanager
def open_chain(stage: Stage) -> Iterator[None]:
    """Start node and observer, deploy the contract, and write both into the notary's configuration."""
    stage.environment["PATH"] += f"{os.pathsep}{anvil_path().parent}"
    with ExitStack() as servers:
        stage.step(
            "启动一个以太坊节点（anvil，本机）：每秒一个区块，约四秒后终局。",
            "An Ethereum node starts on this machine: a block a second, final some four seconds later.",
        )
        node = "http://" + servers.enter_context(
            stage.server(*ANVIL, output="节点.log", ready=_ANVIL_LISTENS, is_shown=False)
        )
        stage.step(
            "法院作为独立的见证节点，以自己的密钥签署“我的节点认定哪些区块已终局”。",
            "The court observes for itself: it signs, with its own key, which blocks its node holds final.",
        )
        observe = ("mizheng-notary", "observe", "--rpc", node, "--listen", "127.0.0.1:0")
        table = servers.enter_context(
            stage.server(
                *observe, "--key", "法院/见证节点.pem", output="法院/见证节点.log", ready=_OBSERVER_TABLE
            )
        )
        (stage.folder / OBSERVER).write_text(table.replace("NAME", "court"), "utf-8")
        deploy(stage, node)
        yield


def deploy(stage: Stage, node: str) -> None:
    stage.step(
        "存证服务在链上部署合约，并配置见证节点。",
        "The notary brings its contract onto the chain and is told whom to ask for observations.",
    )
    account = stage.run("mizheng-notary", "chain", "address").strip()
    send_coins(node, account)
    stage.say("已向该账户转入 10 枚测试币。", "10 test coins were sent to it.")
    stage.run("mizheng-notary", "chain", "deploy", "--rpc", node, "--name", "anvil")
    stage.run("cat", OBSERVER, then=">> 存证服务/notary.toml")
    stage.export("MIZHENG_ANCHOR_INTERVAL", "1")


def send_coins(node: str, account: str) -> None:
    """What a faucet does: anvil's first account, whose key it holds, pays."""

    def call(method: str, *parameters: object) -> object:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        answer: dict[str, object] = httpx.post(node, json=request, trust_env=False).raise_for_status().json()
        return answer["result"]

    accounts = call("eth_accounts")
    assert isinstance(accounts, list)
    call("eth_sendTransaction", {"from": accounts[0], "to": account, "value": hex(COINS)})
