"""What the code cannot do, whoever calls it and however."""

from __future__ import annotations

import pytest
from eth.vm.forks.prague.computation import PragueComputation
from eth_abi.abi import encode
from mizheng.contracts.artifact import load_artifact
from mizheng.verifier.merkle import Tree

from tests.contracts.anchor_contract import ANCHORED, AnchorContract, error_name
from tests.contracts.chains import EmbeddedChain, Reverted

# Operations that would let somebody change what the code does, move money, or depend on the chain.
FORBIDDEN = {
    0x31: "BALANCE",
    0x32: "ORIGIN",
    0x40: "BLOCKHASH",
    0x41: "COINBASE",
    0x42: "TIMESTAMP",
    0x43: "NUMBER",
    0x44: "PREVRANDAO",
    0x46: "CHAINID",
    0xF0: "CREATE",
    0xF1: "CALL",
    0xF2: "CALLCODE",
    0xF4: "DELEGATECALL",
    0xF5: "CREATE2",
    0xFF: "SELFDESTRUCT",
}
PUSH0, PUSH1, PUSH32 = 0x5F, 0x60, 0x7F


def operations(code: bytes) -> list[int]:
    """The code's operations, without what is pushed."""
    found, at = [], 0
    while at < len(code):
        operation = code[at]
        found.append(operation)
        at += 1 + (operation - PUSH0 if PUSH1 <= operation <= PUSH32 else 0)
    return found


def test_the_code_holds_no_forbidden_operation() -> None:
    used = set(operations(load_artifact().deployed_bytecode))
    assert {FORBIDDEN[operation] for operation in used & FORBIDDEN.keys()} == set()
    assert PUSH0 not in used  # chains before Shanghai run it


def test_money_is_refused(contract: AnchorContract) -> None:
    for data in (b"", load_artifact().selectors["open"] + bytes(32)):
        with pytest.raises(Reverted):
            contract.chain.call(contract.alice, contract.address, data, value=1)


def test_unknown_functions_are_refused(contract: AnchorContract) -> None:
    for data in (b"", b"\0", bytes(4), b"\xff" * 100):
        with pytest.raises(Reverted):
            contract.chain.call(contract.alice, contract.address, data)


def test_arguments_that_are_no_encoding_are_refused(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.anchor(log, 5, tree.root(5))
    proof = tree.consistency_proof(5, 9)
    sound = load_artifact().selectors["anchor"] + encode(ANCHORED, [log.id, 9, tree.root(9), proof])
    contract.chain.call(contract.alice, contract.address, sound)

    def word(place: int, value: int) -> bytes:
        start = 4 + 32 * place
        return sound[:start] + value.to_bytes(32, "big") + sound[start + 32 :]

    defects = {
        "size over 64 bits": word(1, 2**64 + 9),
        "proof beyond the data": word(3, 2**20),
        "proof at a place that wraps around": word(3, 2**256 - 32),
        "proof longer than the data": word(4, len(proof) + 1),
        "proof of a length that wraps around": word(4, 2**251),
        "data cut off": sound[:-1],
        "no arguments": sound[:4],
    }
    for defect, data in defects.items():
        with pytest.raises(Reverted):
            contract.chain.call(contract.alice, contract.address, data)
            pytest.fail(f"accepted: {defect}")


def test_bytes_after_a_short_proof_are_not_taken_for_proof(contract: AnchorContract, tree: Tree) -> None:
    log = contract.open()
    contract.anchor(log, 5, tree.root(5))
    proof = tree.consistency_proof(5, 9)
    sound = load_artifact().selectors["anchor"] + encode(ANCHORED, [log.id, 9, tree.root(9), proof])
    length_at = 4 + 32 * 4
    shorter = sound[:length_at] + (len(proof) - 1).to_bytes(32, "big") + sound[length_at + 32 :]
    with pytest.raises(Reverted) as caught:
        contract.chain.call(contract.alice, contract.address, shorter)
    assert error_name(caught.value) == "InvalidProof"


def test_a_chain_without_sha256_accepts_no_second_head(monkeypatch: pytest.MonkeyPatch, tree: Tree) -> None:
    contract = AnchorContract(EmbeddedChain())
    log = contract.open()
    contract.anchor(log, 5, tree.root(5))
    precompiles = dict(PragueComputation._precompiles)
    del precompiles[(2).to_bytes(20, "big")]
    monkeypatch.setattr(PragueComputation, "_precompiles", precompiles)
    contract.refuse_anchor("Sha256Unavailable", log, 9, tree.root(9), tree.consistency_proof(5, 9))
