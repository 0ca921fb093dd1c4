"""A real node: what it shows is checked, what it lacks is done without, what it refuses gets a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.deploy import NotMinedError, bring_up
from mizheng.notary.chain.encoding import block_of
from mizheng.notary.chain.evidence import AnchoredHead, capture_evidence
from mizheng.notary.chain.feerule import FeeRule
from mizheng.notary.chain.interface import (
    ChainError,
    EvidenceError,
    FoundTransaction,
    RejectedError,
    UnreachableError,
)
from mizheng.notary.chain.node import NodeChain, discover_profile
from mizheng.notary.chain.profiles import parse_finality
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.rpc import RpcError
from mizheng.notary.chain.signers.keyfile import KeyFileSigner
from mizheng.verifier.evm.block import verify_block
from mizheng.verifier.evm.keccak import keccak256

from tests.notary.chain.support import ORIGIN, Place, anchor_all, make_node_place
from tests.support.anvil import Anvil
from tests.support.ports import take_port


@pytest.fixture
def node() -> Iterator[Anvil]:
    with Anvil() as found:
        yield found


@pytest.fixture
def place(tmp_path: Path, node: Anvil) -> Iterator[Place]:
    found = make_node_place(tmp_path, node)
    yield found
    found.engine.dispose()


def connect(node: Anvil, rule: str = "finalized") -> NodeChain:
    return NodeChain(discover_profile((node.url,), parse_finality(rule)))


def head_of(place: Place, size: int) -> AnchoredHead:
    where = place.deployment
    return AnchoredHead(where.contract, where.code_hash, where.log_id, size, place.log.root(size))


def replace_answers(chain: Any, monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
    """Let methods of the node answer otherwise; a callable gets the true answer."""
    real = chain._rpc.call

    def call(method: str, *params: Any) -> Any:
        if method not in answers:
            return real(method, *params)
        answer = answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer(real(method, *params)) if callable(answer) else answer

    monkeypatch.setattr(chain._rpc, "call", call)


@pytest.mark.parametrize("fork", ["london", "shanghai", "cancun", "prague"])
def test_headers_of_every_fork_are_put_together_again(fork: str) -> None:
    with Anvil(hardfork=fork) as node:
        node.mine(3)
        chain = connect(node)
        # From 1: anvil's own block 0 has blob fields in every fork, without those that come before them.
        for number in range(1, 4):
            block = chain.block(number)
            assert block is not None
            assert verify_block(block).number == number


def test_a_header_that_was_changed_is_noticed(node: Anvil) -> None:
    node.mine()
    header = node.rpc("eth_getBlockByNumber", "0x1", False)
    block_of(header)
    for name, value in (
        ("timestamp", "0x5"),
        ("receiptsRoot", "0x" + "11" * 32),
        ("hash", "0x" + "22" * 32),
        ("extraData", "0x00"),
    ):
        with pytest.raises(EvidenceError):
            block_of({**header, name: value})
    del header["requestsHash"]
    with pytest.raises(EvidenceError):
        block_of(header)


def test_identity(node: Anvil, place: Place) -> None:
    chain, where = place.chain, place.deployment
    assert chain.check_identity(where.contract, where.code_hash).state == "ok"
    assert chain.check_identity(where.contract, bytes(32)).state == "other-code"
    assert chain.check_identity(bytes(20), where.code_hash).state == "no-code"
    other = NodeChain(replace(chain.profile, genesis_hash=bytes(32)))
    assert other.check_identity().state == "wrong-genesis"
    other = NodeChain(replace(chain.profile, chain_id=5))
    assert other.check_identity().state == "wrong-chain-id"
    assert other.check_identity().seen == str(node.chain_id)
    node.stop()
    assert chain.check_identity().state == "unreachable"
    with pytest.raises(UnreachableError):
        chain.head()


def test_the_next_node_is_asked_when_the_first_is_down(node: Anvil) -> None:
    dead = f"http://127.0.0.1:{take_port()}/customer-key"
    assert discover_profile((dead, node.url), parse_finality("instant")).chain_id == node.chain_id
    with pytest.raises(UnreachableError) as caught:
        discover_profile((dead,), parse_finality("instant"))
    assert "customer-key" not in str(caught.value)


@pytest.mark.parametrize(("rule", "final"), [("finalized", 12), ("confirmations:3", 17), ("instant", 20)])
def test_finality_is_by_the_rule(node: Anvil, rule: str, final: int) -> None:
    chain = connect(node, rule)
    node.mine(20)
    block = chain.final()
    assert block is not None
    assert block.number == final


def test_nothing_is_final_at_the_beginning(node: Anvil, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connect(node, "confirmations:3").final() is None
    chain = connect(node)
    real = chain._rpc.call

    def refuse(method: str, *params: Any) -> Any:
        if "finalized" in params:
            raise RpcError(method, -39001, "finalized block not found")
        return real(method, *params)

    monkeypatch.setattr(chain._rpc, "call", refuse)
    assert chain.final() is None


def test_evidence_of_the_newest_block_has_storage_and_of_an_old_one_may_not(
    node: Anvil, place: Place
) -> None:
    anchor_all(place)
    (row,) = place.rows()
    assert place.check(row.evidence).storage is not None
    node.mine(300)
    found = place.chain.find(row.transaction_hash)
    assert found is not None
    again = place.check(capture_evidence(place.chain, found, head_of(place, 5)))
    assert again.receipt is not None


def test_storage_of_another_state_is_left_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that answers about the newest state whatever block it is asked about."""
    anchor_all(place)
    node_answer = place.chain._rpc.call  # type: ignore[attr-defined]
    where = place.deployment
    latest = node_answer("eth_getProof", "0x" + where.contract.hex(), ["0x" + "00" * 32], "latest")
    replace_answers(place.chain, monkeypatch, eth_getProof=latest)
    found = place.chain.find(place.rows()[0].transaction_hash)
    assert found is not None
    evidence = place.check(capture_evidence(place.chain, found, head_of(place, 5)))
    assert evidence.storage is None
    assert evidence.receipt is not None


def test_receipts_one_by_one_where_the_node_cannot_give_a_block_of_them(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor_all(place)
    (row,) = place.rows()
    error = RpcError("eth_getBlockReceipts", -32601, "the method does not exist")
    replace_answers(place.chain, monkeypatch, eth_getBlockReceipts=error)
    found = place.chain.find(row.transaction_hash)
    assert found is not None
    assert capture_evidence(place.chain, found, head_of(place, 5)) == row.evidence_final


def test_receipts_of_a_full_block(node: Anvil, place: Place) -> None:
    """Twenty transactions in one block: the trie has branches, the key 0x80 and keys of two kinds."""
    node.rpc("evm_setAutomine", False)
    for nonce in range(20):
        transaction = {"from": node.accounts[1], "to": node.accounts[2], "nonce": hex(nonce)}
        node.rpc("eth_sendTransaction", transaction)
    anchorer = place.anchorer()
    while not place.rows() or place.rows()[0].state != "sent":
        anchorer.step()
    node.rpc("evm_setAutomine", True)
    node.mine()
    anchor_all(place)
    evidence = place.check(place.rows()[0].evidence_final)
    assert evidence.receipt is not None
    assert len(evidence.receipt.proof) > 1


@pytest.mark.parametrize(
    "change",
    [
        {"cumulativeGasUsed": "0x1"},
        {"status": "0x0"},
        {"logs": []},
        {"type": "0x0"},
    ],
)
def test_receipts_that_were_changed_are_noticed(
    place: Place, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    anchor_all(place)
    found = place.chain.find(place.rows()[0].transaction_hash)
    assert found is not None
    replace_answers(
        place.chain, monkeypatch, eth_getBlockReceipts=lambda true: [{**each, **change} for each in true]
    )
    with pytest.raises(EvidenceError):
        capture_evidence(place.chain, found, head_of(place, 5))


@pytest.mark.parametrize("answer", [None, [], 7, "0x", [{}], {"number": "0x1"}])
def test_nonsense_is_an_error_with_a_code(place: Place, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    anchor_all(place)
    (row,) = place.rows()
    found = FoundTransaction(row.block_number, row.block_hash, 0, True)
    for method in ("eth_getBlockByNumber", "eth_getBlockReceipts"):
        with monkeypatch.context() as context:
            replace_answers(place.chain, context, **{method: answer})
            with pytest.raises(ChainError):
                capture_evidence(place.chain, found, head_of(place, 5))


def test_sending_again_and_what_is_refused(node: Anvil, place: Place) -> None:
    chain, publisher = place.chain, place.publisher

    def sign(nonce: int, gas: int = 30_000, key: Publisher = publisher) -> Any:
        return key.sign(
            to=bytes(19) + b"\x07",
            data=b"",
            gas=gas,
            nonce=nonce,
            chain_id=node.chain_id,
            fees=chain.fees(),
        )

    node.rpc("evm_setAutomine", False)
    nonce = chain.nonce(publisher.address)
    first = sign(nonce)
    chain.send_raw(first.raw)
    assert chain.find(first.hash) == FoundTransaction()
    chain.send_raw(first.raw)
    node.rpc("evm_setAutomine", True)
    node.mine()
    chain.send_raw(first.raw)
    found = chain.find(first.hash)
    assert found is not None
    assert found.succeeded
    for raw, code in (
        (sign(nonce, gas=31_000).raw, "nonce-too-low"),
        (sign(0, key=Publisher(KeyFileSigner(b"\x01" * 32))).raw, "insufficient-funds"),
        (b"\x02nonsense", "rejected"),
    ):
        with pytest.raises(RejectedError) as caught:
            chain.send_raw(raw)
        assert caught.value.code == code
    assert chain.find(keccak256(b"nothing")) is None


def test_a_limit_on_fees_is_kept(node: Anvil) -> None:
    chain = connect(node)
    fees = chain.fees()
    assert fees.max_fee > fees.max_priority_fee
    below = replace(chain.profile, fee_rule=FeeRule(max_fee=fees.max_fee - 1))
    assert NodeChain(below).fees().max_fee == fees.max_fee - 1
    with pytest.raises(RejectedError) as caught:
        NodeChain(replace(chain.profile, fee_rule=FeeRule(max_fee=1))).fees()
    assert caught.value.code == "cap-reached"


def test_bringing_up_twice_does_nothing_twice(node: Anvil, place: Place) -> None:
    count = place.chain.nonce(place.publisher.address)
    again = bring_up(place.chain, place.publisher, ORIGIN)
    assert again.contract == place.deployment.contract
    assert place.chain.nonce(place.publisher.address) == count
    other = bring_up(place.chain, place.publisher, "another/log")
    assert other.contract == again.contract
    assert other.log_id != again.log_id
    assert place.chain.nonce(place.publisher.address) == count + 1


def test_bringing_up_goes_on_where_it_stopped(node: Anvil) -> None:
    chain = connect(node)
    publisher = Publisher(KeyFileSigner(bytes.fromhex(node.keys[5][2:])))
    node.rpc("evm_setAutomine", False)
    with pytest.raises(NotMinedError):
        bring_up(chain, publisher, ORIGIN, wait_seconds=0)
    node.rpc("evm_setAutomine", True)
    node.mine()
    where = bring_up(chain, publisher, ORIGIN)
    assert chain.nonce(publisher.address) == 2
    assert calls.read_publisher(chain, where.contract, where.log_id) == publisher.address


def test_a_contract_of_somebody_else_is_refused(node: Anvil, place: Place) -> None:
    chain = NodeChain(replace(place.chain.profile, contract=bytes(19) + b"\x09"))
    with pytest.raises(ChainError, match="no anchor contract"):
        bring_up(chain, place.publisher, ORIGIN)
    with pytest.raises(ChainError, match="no log"):
        bring_up(
            NodeChain(replace(place.chain.profile, contract=place.deployment.contract, log_id=b"\x01" * 32)),
            place.publisher,
            ORIGIN,
        )
