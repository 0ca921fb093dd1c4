"""FISCO BCOS 3.x over its Ethereum RPC: a local RPC that behaves as documented; no real node was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.deploy import bring_up
from mizheng.notary.chain.feerule import FeeRule
from mizheng.notary.chain.fisco import FiscoNode
from mizheng.notary.chain.interface import ChainError
from mizheng.notary.chain.node import discover_profile
from mizheng.notary.chain.nodes import NodesChain, open_nodes
from mizheng.notary.chain.observer import Observer, create_observer_app
from mizheng.notary.chain.profiles import parse_finality, parse_profile
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.notary.errors import ConfigurationError
from mizheng.verifier.errors import ChainProofError, MizhengError, SignatureError
from mizheng.verifier.foreign import dump_foreign, parse_foreign, verify_foreign_observation
from mizheng.verifier.signature import PrivateKey

from tests.notary.chain.support import ORIGIN, Clock, MemoryLog, Place, anchor_all, make_engine
from tests.support.anvil import Anvil
from tests.support.badnodes import forge_receipt
from tests.support.fiscorpc import FiscoRpc, ask, fisco_chain


@pytest.fixture
def fisco(anvil: Anvil) -> Iterator[tuple[Anvil, list[FiscoRpc]]]:
    del anvil
    with fisco_chain(3) as running:
        yield running


def connect(proxies: list[FiscoRpc]) -> NodesChain:
    urls = tuple(proxy.url for proxy in proxies)
    found = discover_profile(urls, parse_finality("instant"), "fisco-bcos")
    return open_nodes(replace(found, fee_rule=FeeRule("free")))


def make_place(folder: Path, node: Anvil, proxies: list[FiscoRpc]) -> Place:
    # An account without any money: gas is free here.
    publisher = Publisher(KeyFileSigner(bytes([7]) * 32))
    node.rpc("anvil_setBalance", "0x" + publisher.address.hex(), "0x0")
    chain = connect(proxies)
    deployment = bring_up(chain, publisher, ORIGIN)
    return Place(make_engine(folder), chain, publisher, deployment, Clock(), MemoryLog(5))


def test_the_local_rpc_behaves_as_documented(fisco: tuple[Anvil, list[FiscoRpc]]) -> None:
    node, (proxy, *_) = fisco
    node.mine(9)
    blocks = [
        ask(proxy.url, "eth_getBlockByNumber", tag, False)["result"]
        for tag in ("finalized", "safe", "earliest")
    ]
    assert {int(block["number"], 16) for block in blocks} == {9}
    assert all(block["baseFeePerGas"] == "0x0" and int(block["timestamp"], 16) > 1 << 40 for block in blocks)
    assert blocks[0]["hash"] != node.rpc("eth_getBlockByNumber", "0x9", False)["hash"]
    for method in ("eth_getProof", "eth_feeHistory", "eth_maxPriorityFeePerGas"):
        assert ask(proxy.url, method)["error"]["code"] == -32601
    assert "legacy" in ask(proxy.url, "eth_sendRawTransaction", "0x02f8")["error"]["message"]


def test_anchored_with_evidence_of_its_own(
    tmp_path: Path, fisco: tuple[Anvil, list[FiscoRpc]], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, proxies = fisco

    def derive(*_: Any) -> bytes:
        raise AssertionError("a contract's address is known from the receipt alone")

    monkeypatch.setattr(calls, "compute_contract_address", derive)
    monkeypatch.setattr("mizheng.notary.chain.deploy.find_contract", lambda *_: None)
    place = make_place(tmp_path, node, proxies)
    place.log.grow(3)
    anchor_all(place)
    (row,) = (row for row in place.rows() if row.state == "final")
    found = parse_foreign(row.evidence_final)
    assert (found.tree_size, found.root_hash) == (8, place.log.root(8))
    assert (found.chain.kind, found.number, found.hash) == ("fisco-bcos", row.block_number, row.block_hash)
    assert found.code_hash == place.deployment.code_hash
    assert found.observations == ()
    # The time is a date of these years: milliseconds were not taken for seconds.
    assert found.block_time.startswith("20")
    with pytest.raises(MizhengError):
        place.check(row.evidence_final)
    # Legacy, with gas and gas price 0 written into it.
    sent = node.rpc("eth_getTransactionByHash", "0x" + row.transaction_hash.hex())
    assert (sent["type"], sent["gasPrice"]) == ("0x0", "0x0")
    # And again, without a new contract.
    profile = replace(place.chain.profile, contract=place.deployment.contract)
    assert bring_up(open_nodes(profile), place.publisher, ORIGIN).contract == place.deployment.contract


def test_observers_stand_for_it_and_for_nothing_else(
    tmp_path: Path, fisco: tuple[Anvil, list[FiscoRpc]]
) -> None:
    node, proxies = fisco
    place = make_place(tmp_path, node, proxies)
    anchor_all(place)
    evidence = parse_foreign(place.rows()[0].evidence_final)
    key = PrivateKey.generate()
    observer = Observer(connect(proxies[:1]), key)
    client = TestClient(create_observer_app(observer))
    envelope = client.post("/v1/foreign-observations", content=dump_foreign(evidence)).content
    seen = verify_foreign_observation(evidence, envelope)
    assert (seen.signer, seen.rule) == (key.public, "instant")
    complete = parse_foreign(dump_foreign(evidence.with_observations((envelope,))))
    assert complete.observations == (envelope,)
    for change in (
        {"tree_size": evidence.tree_size + 1},
        {"root_hash": bytes(32)},
        {"contract": bytes(20)},
        {"log_id": bytes(32)},
        {"code_hash": bytes(32)},
        {"hash": bytes(32)},
        {"number": evidence.number + 1},
        {"block_time": "2020-01-01T00:00:00Z"},
    ):
        other = replace(evidence, **change)
        assert client.post("/v1/foreign-observations", content=dump_foreign(other)).status_code == 409
        with pytest.raises(ChainProofError):
            verify_foreign_observation(other, envelope)
    assert client.post("/v1/foreign-observations", content=b"{}").status_code == 422
    with pytest.raises(SignatureError):
        verify_foreign_observation(evidence, _break_signature(envelope))


def test_one_lying_node_of_three_makes_nothing_final(
    tmp_path: Path, fisco: tuple[Anvil, list[FiscoRpc]]
) -> None:
    node, proxies = fisco
    place = make_place(tmp_path, node, proxies)

    def lie(method: str, params: list[Any]) -> Any:
        if method == "eth_getTransactionReceipt":
            return forge_receipt
        if method == "eth_getBlockByNumber" and params[0] != "0x0":
            return lambda block: block and {**block, "hash": "0x" + "66" * 32}
        return (lambda _: "0x" + "66" * 32) if method == "eth_call" else None

    proxies[0].rule = lie
    anchor_all(place)
    (row,) = (row for row in place.rows() if row.state == "final")
    assert parse_foreign(row.evidence_final).root_hash == place.log.root(5)
    assert row.block_hash != b"\x66" * 32
    proxies[1].rule = lambda method, params: (lambda _: "0x" + "77" * 32) if method == "eth_call" else None
    with pytest.raises(ChainError):
        calls.read_head(place.chain, place.deployment.contract, place.deployment.log_id)


def test_a_profile_cannot_promise_what_the_chain_does_not_keep() -> None:
    table = {
        "kind": "fisco-bcos",
        "chain_id": 20200,
        "genesis_hash": "ab" * 32,
        "rpc": ["http://127.0.0.1:8545"],
        "finality": "instant",
        "fees": "free",
    }
    assert parse_profile(table).is_foreign
    for change in ({"finality": "finalized"}, {"fees": "dynamic"}):
        with pytest.raises(ConfigurationError):
            parse_profile({**table, **change})


def test_no_proof_is_ever_asked_for(fisco: tuple[Anvil, list[FiscoRpc]]) -> None:
    _node, proxies = fisco
    chain = connect(proxies)
    block = chain.head()
    assert block.header == b""
    assert chain.prove_storage(bytes(20), bytes(32), block) is None
    assert chain.sealed_header(block.number) is None
    assert isinstance(FiscoNode(chain.profile).nonce(bytes(20), at_final=True), int)


def _break_signature(envelope: bytes) -> bytes:
    at = envelope.index(b'"sig":"') + 10
    other = b"A" if envelope[at : at + 1] != b"A" else b"B"
    return envelope[:at] + other + envelope[at + 1 :]
