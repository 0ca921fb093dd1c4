"""Fault 10: a node that lags, lies, truncates, is slow or answers 429, among three; and two of them at once.

Nothing that a minority of the nodes says becomes final, and nothing is lost by it: the log is anchored all
the same, with evidence that checks. Where a majority is bad, anchoring waits and says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.notary.chain.node import NodeChain, discover_profile
from mizheng.notary.chain.nodes import NodesChain
from mizheng.notary.chain.profiles import parse_finality
from mizheng.notary.chain.rpc import Rpc

from tests.faults.seeds import chooser
from tests.notary.chain.support import Clock, Place, make_node_place
from tests.support.anvil import Anvil
from tests.support.badnodes import BAD, Lagging, three_nodes
from tests.support.rpcproxy import RpcProxy
from tests.support.scale import scaled

SEEDS = scaled(2, 60)
ANCHORS = scaled(3, 12)
STEPS = 400


@pytest.fixture
def node(anvil: Anvil) -> Iterator[Anvil]:
    del anvil
    with Anvil(chain_id=31342, slots_in_an_epoch=1) as running:
        yield running


def open_all(proxies: list[RpcProxy], clock: Clock) -> NodesChain:
    found = discover_profile((proxies[0].target,), parse_finality("finalized"))
    profile = replace(found, rpc=tuple(proxy.url for proxy in proxies))
    return NodesChain(
        profile, [NodeChain(profile, Rpc(url, timeout=2)) for url in profile.rpc], elapsed=clock
    )


def false_finals(place: Place, node: Anvil) -> int:
    """Rows that read final while the honest chain has another block there, or none that is final."""
    final = node.block_number("finalized")
    wrong = 0
    for row in place.rows():
        if row.state == "final":
            block = node.rpc("eth_getBlockByNumber", hex(row.block_number), False)
            is_there = block is not None and block["hash"] == "0x" + row.block_hash.hex()
            wrong += not is_there or row.block_number > final
            place.check(row.evidence_final)
    return wrong


def play(place: Place, node: Anvil, chain: NodesChain, until_final: int) -> Counter[str | None]:
    """Anchor until so many heads are final, mining as it goes; what anchoring waited for meanwhile."""
    anchorer = place.anchorer(chain)
    waits: Counter[str | None] = Counter()
    for _ in range(STEPS):
        if sum(row.state == "final" for row in place.rows()) >= until_final:
            return waits
        if not anchorer.step():
            waits[anchorer.waiting_for] += 1
            node.mine()
            place.clock.tick(20)
            if not any(row.state in ("prepared", "sent", "mined") for row in place.rows()):
                place.log.grow()
        assert false_finals(place, node) == 0
    raise AssertionError(f"{place.rows()[-1].state} after {STEPS} steps; waited for {waits}")


@pytest.mark.parametrize("how", [name for name in BAD if name != "slow"])
def test_one_bad_node_makes_nothing_final_and_loses_nothing(tmp_path: Path, node: Anvil, how: str) -> None:
    place = make_node_place(tmp_path, node, rule="finalized")
    with three_nodes(node.url) as proxies:
        chain = open_all(proxies, place.clock)
        proxies[0].rule = BAD[how]
        play(place, node, chain, 1)
        assert proxies[0].faults.total() > 0
        # And a node that lags behind, for the rest.
        proxies[0].rule = Lagging(node.block_number())
        place.log.grow()
        play(place, node, chain, 2)
        place.clock.tick(70)
        chain.final()
        # One that lied before, and has not been caught up with since, is still known for that.
        assert next(iter(chain.node_states.values())) in ("lags", "contradicts")
        chain.close()
    _count_once(place, node)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_bad_nodes_that_come_and_go(tmp_path: Path, node: Anvil, seed: int) -> None:
    """Any one of the three, bad in any way, changing all the time; then two: nothing is final meanwhile."""
    draw = chooser("bad nodes", seed)
    place = make_node_place(tmp_path, node, rule="finalized")
    with three_nodes(node.url) as proxies:
        chain = open_all(proxies, place.clock)
        for round_ in range(ANCHORS):
            for proxy in proxies:
                proxy.rule = lambda _method, _params: None
            place.clock.tick(70)
            bad = draw.sample(proxies, 1)[0]
            bad.rule = draw.choice([*BAD.values(), Lagging(node.block_number())])
            play(place, node, chain, round_ + 1)
            place.log.grow()
        # Two that tell the same lie are a quorum, and no rule helps; two that are bad each in its own way
        # are none. The third is honest, whatever it was in the last round.
        for proxy in proxies:
            proxy.rule = lambda _method, _params: None
        first, second = draw.sample(proxies, 2)
        first.rule, second.rule = BAD["other-blocks"], BAD["gone"]
        before = len([row for row in place.rows() if row.state == "final"])
        anchorer = place.anchorer(chain)
        seen = set()
        for _ in range(12):
            anchorer.step()
            seen.add(anchorer.waiting_for)
            node.mine()
            place.clock.tick(70)
        assert sum(row.state == "final" for row in place.rows()) == before
        assert seen & {"nodes-disagree", "too-few-nodes"}
        for proxy in proxies:
            proxy.rule = lambda _method, _params: None
        place.clock.tick(70)
        play(place, node, chain, before + 1)
        chain.close()
    _count_once(place, node)


def _count_once(place: Place, node: Anvil) -> None:
    """Each head once in the chain, and every head that was anchored is final."""
    logs = node.rpc(
        "eth_getLogs",
        {"address": "0x" + place.deployment.contract.hex(), "fromBlock": "0x0", "toBlock": "latest"},
    )
    sizes = Counter(int(log["topics"][2], 16) for log in logs if len(log["topics"]) == 3)
    finals = {row.tree_size for row in place.rows() if row.state == "final"}
    assert finals
    assert all(sizes[size] == 1 for size in finals)
    assert all(count == 1 for count in sizes.values())
    assert false_finals(place, node) == 0
