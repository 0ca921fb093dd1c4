"""What web3 would do by itself, and does not here: send again, and go where a contract's answer points."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eth_abi.abi import encode
from mizheng.notary.chain.interface import ChainError
from mizheng.notary.chain.node import NodeChain, discover_profile
from mizheng.notary.chain.profiles import parse_finality

from tests.support.anvil import Anvil
from tests.support.rpcproxy import RpcProxy


@pytest.fixture(scope="module")
def proxy() -> Iterator[RpcProxy]:
    with Anvil() as node, RpcProxy(node.url) as found:
        yield found


@pytest.fixture
def chain(proxy: RpcProxy) -> NodeChain:
    return NodeChain(discover_profile((proxy.url,), parse_finality("instant")))


@pytest.mark.parametrize("fault", ["lost", "unanswered", "cut", "429", "503"])
@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_getTransactionByHash"])
def test_a_request_goes_out_once(chain: NodeChain, proxy: RpcProxy, fault: str, method: str) -> None:
    before = proxy.counts[method]
    proxy.plan(method, fault)
    with pytest.raises(ChainError):
        if method == "eth_sendRawTransaction":
            chain.send_raw(b"\x02" * 100)
        else:
            chain.find(bytes(32))
    assert proxy.counts[method] == before + 1


def test_a_contract_that_points_elsewhere_is_not_followed(chain: NodeChain, proxy: RpcProxy) -> None:
    """EIP-3668: a call reverts with OffchainLookup and names a server to ask instead."""
    with RpcProxy(proxy.target) as elsewhere:
        told = encode(
            ["address", "string[]", "bytes", "bytes4", "bytes"],
            ["0x" + "07" * 20, [elsewhere.url], b"what", bytes(4), b""],
        )
        proxy.plan(
            "eth_call",
            {"code": 3, "message": "execution reverted", "data": "0x556f1830" + told.hex()},
        )
        before = proxy.counts["eth_call"]
        assert chain.call(b"\x07" * 20, b"ask") == b""
        assert proxy.counts["eth_call"] == before + 1
        assert not elsewhere.counts
