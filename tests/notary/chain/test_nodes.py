"""Several nodes of one chain: what a quorum says counts, and whoever else says something has a name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.notary.chain.interface import ChainError, DisagreementError, TooFewNodesError
from mizheng.notary.chain.node import NodeChain, discover_profile
from mizheng.notary.chain.nodes import NodesChain
from mizheng.notary.chain.profiles import parse_finality
from mizheng.notary.chain.rpc import Rpc
from mizheng.notary.chain.votes import agreed, majority, reached
from mizheng.verifier.evm.storage import root_slot

from tests.notary.chain.support import Clock, anchor_all, make_node_place
from tests.support.anvil import Anvil
from tests.support.badnodes import BAD, Lagging, always, forge_block, other_blocks, three_nodes
from tests.support.rpcproxy import RpcProxy


@pytest.fixture
def node(anvil: Anvil) -> Iterator[Anvil]:
    del anvil
    with Anvil(chain_id=31341, slots_in_an_epoch=1) as running:
        running.mine(6)
        yield running


@pytest.fixture
def proxies(node: Anvil) -> Iterator[list[RpcProxy]]:
    with three_nodes(node.url) as running:
        yield running


def open_all(
    proxies: list[RpcProxy], *, quorum: int | None = None, clock: Callable[[], float] | None = None
) -> NodesChain:
    urls = tuple(proxy.url for proxy in proxies)
    found = discover_profile((proxies[0].target,), parse_finality("finalized"))
    profile = replace(found, rpc=urls, asked_quorum=quorum)
    nodes = [NodeChain(profile, Rpc(url, timeout=3)) for url in urls]
    return NodesChain(profile, nodes, elapsed=clock or Clock())


def state(chain: NodesChain, place: int) -> str:
    return list(chain.node_states.values())[place]


def test_votes() -> None:
    assert [majority(count) for count in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]
    assert agreed("aab", 2) == "a"
    assert agreed("ab", 2) is None
    # A quorum below half: two that contradict each other move nothing.
    assert agreed("ab", 1) is None
    assert agreed("a", 1) == "a"
    assert agreed([], 1) is None
    assert reached([9, 5, 5], 2) == 5
    assert reached([9, 5, 1], 3) == 1
    assert reached([9], 2) is None


def test_three_honest_nodes(proxies: list[RpcProxy], node: Anvil) -> None:
    chain = open_all(proxies)
    assert chain.check_identity().state == "ok"
    final = chain.final()
    assert final is not None
    assert final.number == node.block_number("finalized")
    assert chain.holds_final(final.number, final.hash)
    assert not chain.holds_final(final.number, bytes(32))
    assert not chain.holds_final(final.number + 1, final.hash)
    assert chain.head().number == node.block_number()
    assert chain.block(10**6) is None
    assert set(chain.node_states.values()) == {"ok"}


def test_a_node_that_tells_of_other_blocks_is_named_and_outvoted(proxies: list[RpcProxy]) -> None:
    chain = open_all(proxies)
    honest = chain.final()
    proxies[2].rule = other_blocks
    assert chain.final() == honest
    assert state(chain, 2) == "contradicts"
    assert honest is not None
    assert chain.holds_final(honest.number, honest.hash)
    # Two of three: nobody knows who is right, and nothing is final.
    proxies[1].rule = lambda method, params: (
        (lambda block: forge_block({**block, "gasLimit": "0x1"}))
        if method == "eth_getBlockByNumber"
        else None
    )
    with pytest.raises(DisagreementError):
        chain.final()
    with pytest.raises(DisagreementError):
        chain.holds_final(honest.number, honest.hash)
    proxies[1].rule = proxies[2].rule = lambda _method, _params: None
    assert chain.final() == honest
    assert set(chain.node_states.values()) == {"ok"}


def test_with_two_nodes_that_contradict_each_other_nothing_is_final(proxies: list[RpcProxy]) -> None:
    for quorum in (None, 1):
        chain = open_all(proxies[:2], quorum=quorum)
        proxies[1].rule = other_blocks
        with pytest.raises(DisagreementError):
            chain.final()
        assert list(chain.node_states.values()) == ["contradicts", "contradicts"]


def test_a_quorum_of_one_is_a_node_in_reserve(proxies: list[RpcProxy]) -> None:
    chain = open_all(proxies[:2], quorum=1)
    proxies[0].rule = always("lost")
    assert chain.final() is not None
    assert state(chain, 0) == "unreachable"
    assert chain.check_identity().state == "ok"


def test_a_node_that_lags_is_said_to_after_a_while(proxies: list[RpcProxy], node: Anvil) -> None:
    clock = Clock()
    chain = open_all(proxies, clock=clock)
    proxies[1].rule = Lagging(node.block_number("finalized"))
    assert chain.final() is not None
    node.mine(20)
    final = chain.final()
    assert final is not None
    assert final.number == node.block_number("finalized")
    assert state(chain, 1) == "ok"
    clock.tick(61)
    chain.final()
    assert state(chain, 1) == "lags"
    proxies[1].rule = lambda _method, _params: None
    chain.final()
    assert state(chain, 1) == "ok"


@pytest.mark.parametrize(
    ("fault", "named"),
    [("429", "rate-limited"), ("cut", "unreadable"), ("lost", "unreachable"), ("503", "unreachable")],
)
def test_a_node_that_does_not_answer_is_named_and_not_waited_for(
    proxies: list[RpcProxy], fault: str, named: str
) -> None:
    chain = open_all(proxies)
    proxies[0].rule = always(fault)
    assert chain.final() is not None
    assert state(chain, 0) == named
    # Two of them: the quorum is not met, and that is said rather than guessed.
    proxies[1].rule = always(fault)
    with pytest.raises(TooFewNodesError):
        chain.final()
    assert chain.check_identity().state == "too-few-nodes"
    if named == "rate-limited":
        asked = proxies[0].counts.total()
        with pytest.raises(ChainError):
            chain.head()
        assert proxies[0].counts.total() == asked


def test_a_slow_node_holds_nobody_up(proxies: list[RpcProxy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mizheng.notary.chain.panel._GRACE_SECONDS", 0.1)
    monkeypatch.setattr("tests.support.rpcproxy.SLOW_SECONDS", 5.0)
    chain = open_all(proxies, clock=time.monotonic)
    proxies[2].rule = always("slow")
    assert chain.final() is not None
    assert state(chain, 2) == "slow"


def test_nodes_on_other_chains(proxies: list[RpcProxy], node: Anvil) -> None:
    chain = open_all(proxies)
    with Anvil(chain_id=5) as other, Anvil(chain_id=31341, extra=("--timestamp", "7")) as restarted:
        proxies[0].target, proxies[1].target = other.url, restarted.url
        assert chain.check_identity().state == "nodes-disagree"
        assert list(chain.node_states.values()) == ["wrong-chain-id", "wrong-genesis", "ok"]
        proxies[1].target = node.url
        assert chain.check_identity().state == "ok"
        proxies[1].target = proxies[0].target
        assert chain.check_identity().state == "wrong-chain-id"


def test_two_nodes_of_one_host_have_two_names(node: Anvil) -> None:
    found = discover_profile((node.url, node.url + "/?key=secret"), parse_finality("finalized"))
    chain = NodesChain(found, [NodeChain(found, Rpc(url)) for url in found.rpc])
    assert list(chain.node_states) == [f"127.0.0.1:{node.port}#1", f"127.0.0.1:{node.port}#2"]


@pytest.mark.parametrize("how", [name for name in BAD if name not in ("slow", "gone", "cut", "rate-limited")])
def test_one_liar_moves_nothing(tmp_path: Path, proxies: list[RpcProxy], node: Anvil, how: str) -> None:
    """Every question that an anchorer asks: the same with a liar as without."""
    place = make_node_place(tmp_path, node)
    anchor_all(place)
    publisher, deployment = place.publisher, place.deployment
    slot = root_slot(deployment.log_id, place.log.head()[0])
    proxies[0].rule = BAD[how]
    lied = open_all(proxies)
    plain = NodeChain(replace(lied.profile, rpc=(node.url,)))
    assert lied.check_identity(deployment.contract, deployment.code_hash).state == "ok"
    assert lied.final() == plain.final()
    assert lied.head() == plain.head()
    assert lied.nonce(publisher.address) == plain.nonce(publisher.address)
    assert lied.nonce(publisher.address, at_final=True) == plain.nonce(publisher.address, at_final=True)
    assert lied.balance(publisher.address) == plain.balance(publisher.address)
    assert lied.code(deployment.contract) == plain.code(deployment.contract)
    assert lied.fees() == plain.fees()
    sent = bytes.fromhex(node.rpc("eth_getBlockByNumber", hex(7), False)["transactions"][0][2:])
    assert lied.find(sent) == plain.find(sent)
    block = plain.block(7)
    assert block is not None
    assert lied.block(7) == block
    assert lied.block_receipts(block) == plain.block_receipts(block)
    newest = plain.head()
    assert lied.prove_storage(deployment.contract, slot, newest) == plain.prove_storage(
        deployment.contract, slot, newest
    )
    assert plain.prove_storage(deployment.contract, slot, newest) is not None


def test_a_rollups_fee_for_its_data_is_counted_and_its_gas_has_room(
    tmp_path: Path, proxies: list[RpcProxy], node: Anvil
) -> None:
    """OP Stack: `l1Fee` in the receipt. Arbitrum: gas on top, which `extra_gas` makes room for."""
    place = make_node_place(tmp_path, node)
    rollup = replace(place.chain.profile, extra_gas=300_000)
    place.chain.profile = rollup
    anchor_all(place)
    (row,) = place.rows()
    sent = node.rpc("eth_getTransactionByHash", "0x" + row.transaction_hash.hex())
    assert 390_000 <= int(sent["gas"], 16) < 400_000
    plain = NodeChain(rollup, Rpc(proxies[0].url))
    before = plain.find(row.transaction_hash)
    proxies[0].rule = lambda method, _params: (
        (lambda receipt: {**receipt, "l1Fee": hex(10**15)}) if method == "eth_getTransactionReceipt" else None
    )
    after = plain.find(row.transaction_hash)
    assert before is not None
    assert after is not None
    assert 10**15 <= after.cost - before.cost < 10**15 + after.gas_used
