"""Nodes forget, and chains end: what was captured of an anchor stays complete and valid.

A node keeps the state of some 128 blocks, and may drop receipts (EIP-4444); here it forgets at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.chain.evidence import capture_evidence, capture_final
from mizheng.notary.chain.interface import ChainError
from mizheng.notary.chain.node import NodeChain
from mizheng.notary.chain.rpc import Rpc
from mizheng.verifier.anchor import parse_anchor

from tests.notary.chain.support import Place, make_node_place, run
from tests.support.anvil import Anvil
from tests.support.rpcproxy import Fault, RpcProxy

_PRUNED: dict[str, Any] = {"code": -32000, "message": "missing trie node (path ) state is not available"}


@pytest.fixture
def node(anvil: Anvil) -> Iterator[Anvil]:
    del anvil
    with Anvil(chain_id=31343, slots_in_an_epoch=2) as running:
        yield running


def no_state(method: str, _params: list[Any]) -> Fault | None:
    return _PRUNED if method == "eth_getProof" else None


def no_receipts(method: str, _params: list[Any]) -> Fault | None:
    """Nothing of a block's receipts; of the transaction itself it still knows where it is."""
    if method == "eth_getBlockReceipts":
        return lambda _: []
    return no_state(method, _params)


def state(place: Place) -> str:
    return str(place.rows()[-1].state)


@pytest.mark.parametrize("forgets", [no_state, no_receipts])
def test_what_was_captured_when_mined_stays_whole(tmp_path: Path, node: Anvil, forgets: Any) -> None:
    place = make_node_place(tmp_path, node, rule="finalized")
    with RpcProxy(node.url) as proxy:
        chain = NodeChain(replace(place.chain.profile, rpc=(proxy.url,)), Rpc(proxy.url))
        anchorer = place.anchorer(chain)
        run(anchorer, place.clock, lambda: bool(place.rows()) and state(place) == "mined")
        mined = parse_anchor(place.rows()[-1].evidence)
        assert mined.receipt is not None
        assert mined.storage is not None
        proxy.rule = forgets
        node.mine(8)
        run(anchorer, place.clock, lambda: state(place) == "final")
        assert proxy.faults.total() > 0
    # The chain ends, and is gone for good.
    node.kill()
    row = place.rows()[-1]
    final = place.check(row.evidence_final)
    assert final == mined
    assert place.check(row.evidence) == mined


def test_what_was_captured_of_another_block_is_not_kept(tmp_path: Path, node: Anvil) -> None:
    """A reorganisation between mined and final: the new block's evidence, or none."""
    place = make_node_place(tmp_path, node, rule="finalized")
    anchorer = place.anchorer()
    run(anchorer, place.clock, lambda: bool(place.rows()) and state(place) == "mined")
    row = place.rows()[-1]
    found = place.chain.find(row.transaction_hash)
    assert found is not None
    head = anchorer._finder.anchored(anchorer._outbox.standing().newest)  # type: ignore[arg-type]
    other = replace(parse_anchor(row.evidence).block, hash=b"\x11" * 32)
    moved = replace(found, block_hash=other.hash)
    with pytest.raises(ChainError):
        capture_final(place.chain, moved, head, row.evidence)
    for altered in (row.evidence[:-9] + b"0" + row.evidence[-8:], b"{}", None):
        assert capture_final(place.chain, found, head, altered) == capture_evidence(place.chain, found, head)
    # Of another head, with proofs that check.
    another = replace(head, tree_size=head.tree_size + 1)
    with pytest.raises(ChainError):
        capture_final(place.chain, found, another, row.evidence)


def test_an_empty_answer_is_never_nothing(tmp_path: Path, node: Anvil) -> None:
    """Without anything captured before, a node that lists no receipts makes nothing mined."""
    place = make_node_place(tmp_path, node, rule="finalized")
    with RpcProxy(node.url) as proxy:
        chain = NodeChain(replace(place.chain.profile, rpc=(proxy.url,)), Rpc(proxy.url))
        proxy.rule = no_receipts
        anchorer = place.anchorer(chain)
        for _ in range(12):
            anchorer.step()
            place.clock.tick(20)
            node.mine()
        assert state(place) in ("prepared", "sent")
        assert anchorer.waiting_for == "evidence-broken"
        proxy.rule = no_state
        run(anchorer, place.clock, lambda: state(place) in ("mined", "final"))
        assert parse_anchor(place.rows()[-1].evidence).storage is None
