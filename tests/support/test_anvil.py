"""The helper itself: what other tests rely on when they stop, kill or wind back a node."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.anvil import Anvil, RpcError


def test_the_shared_node_answers(anvil: Anvil) -> None:
    assert int(anvil.rpc("eth_chainId"), 16) == anvil.chain_id
    assert len(anvil.accounts) == len(anvil.keys) == 10


def test_an_error_of_the_node_is_an_exception(anvil: Anvil) -> None:
    with pytest.raises(RpcError) as caught:
        anvil.rpc("eth_noSuchMethod")
    assert caught.value.code == -32601


def test_final_lags_behind_the_head() -> None:
    with Anvil(chain_id=4711, slots_in_an_epoch=2) as node:
        node.mine(9)
        assert node.block_number() == 9
        assert node.block_number("safe") == 7
        assert node.block_number("finalized") == 5


def test_the_chain_survives_stop_and_kill_at_the_same_address(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Anvil(state=state) as node:
        url = node.url
        node.mine(3)
        head = node.rpc("eth_getBlockByNumber", "latest", False)["hash"]
        node.restart()
        assert node.url == url
        assert node.rpc("eth_getBlockByNumber", "latest", False)["hash"] == head

        node.mine(2)
        written = state.stat().st_mtime_ns
        while state.stat().st_mtime_ns == written:  # until the periodic dump has seen the new blocks
            time.sleep(0.05)
        node.kill()
        assert not node.running
        node.start()
        assert node.url == url
        assert node.block_number() == 5
