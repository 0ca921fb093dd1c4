"""Random histories of calls, on the contract and on a model of it: same answers, same state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mizheng.verifier.errors import ConsistencyError
from mizheng.verifier.evm.keccak import keccak256
from mizheng.verifier.merkle import Tree, leaf_hash, verify_consistency

from tests.contracts.anchor_contract import (
    ANCHORED,
    ZERO,
    AnchorContract,
    compute_log_id,
    error_name,
    new_origin_hash,
)
from tests.contracts.chains import Reverted
from tests.support.scale import scaled

LEAVES = 150
# Histories of leaves that agree up to some index: an honest one, and rewritings of it.
TREES = [
    Tree(leaf_hash(b"leaf %d %s" % (i, b"" if i < agree else b"rewritten")) for i in range(LEAVES))
    for agree in (LEAVES, 0, 1, 16, 33)
]
ACTORS = 3
T = TypeVar("T")


@dataclass(slots=True)
class ModelLog:
    publisher: str
    candidate: str = ZERO
    roots: dict[int, bytes] = field(default_factory=dict)
    size: int = 0


class Refused(Exception):
    """The model refuses, with the contract's error."""


class Model:
    """What the contract promises, in Python."""

    def __init__(self) -> None:
        self.logs: dict[bytes, ModelLog] = {}

    def open(self, sender: str, origin_hash: bytes) -> bool:
        log_id = compute_log_id(sender, origin_hash)
        if log_id in self.logs:
            raise Refused("LogExists")
        self.logs[log_id] = ModelLog(sender)
        return True

    def anchor(self, sender: str, log_id: bytes, size: int, root: bytes, proof: list[bytes]) -> bool:
        log = self._log_of(sender, log_id)
        if size == 0 or root == bytes(32):
            raise Refused("EmptyHead")
        if size < log.size:
            raise Refused("SizeShrinks")
        if size == log.size:
            if root != log.roots[size]:
                raise Refused("RootDiffers")
            return False
        if log.size == 0:
            if proof:
                raise Refused("InvalidProof")
        else:
            try:
                verify_consistency(log.size, log.roots[log.size], size, root, proof)
            except ConsistencyError:
                raise Refused("InvalidProof") from None
        log.size, log.roots[size] = size, root
        return True

    def offerPublisher(self, sender: str, log_id: bytes, candidate: str) -> bool:
        log = self._log_of(sender, log_id)
        if candidate == ZERO:
            raise Refused("ZeroCandidate")
        log.candidate = candidate
        return True

    def acceptPublisher(self, sender: str, log_id: bytes) -> bool:
        log = self.logs.get(log_id)
        if log is None or log.candidate != sender:
            raise Refused("NotCandidate")
        log.publisher, log.candidate = sender, ZERO
        return True

    def _log_of(self, sender: str, log_id: bytes) -> ModelLog:
        log = self.logs.get(log_id)
        if log is None:
            raise Refused("LogUnknown")
        if log.publisher != sender:
            raise Refused("NotPublisher")
        return log


class History:
    """Draws calls, makes each on both sides, compares."""

    def __init__(self, contract: AnchorContract, draw: st.DataObject) -> None:
        self._contract, self._draw = contract, draw
        self._actors = contract.chain.accounts[:ACTORS]
        # New ones for each run, also when hypothesis repeats a history: a chain does not forget.
        self._origins = [new_origin_hash(), new_origin_hash()]
        self._model = Model()

    def run(self, length: int) -> None:
        self._both("open", ["bytes32"], self._actors[0], self._origins[0])
        for _ in range(length):
            step = self._mostly(self._step_anchor, self._step_offer, self._step_accept, self._step_open)
            step()
            self._compare_states()

    def _step_anchor(self) -> None:
        log_id = self._any_log()
        log = self._model.logs.get(log_id, ModelLog(self._actors[0]))
        sender = self._mostly(log.publisher, *self._actors)
        tree = self._mostly(TREES[0], *TREES)
        size = self._mostly(
            min(log.size + self._draw.draw(st.integers(1, 24), label="growth"), LEAVES),
            log.size,
            self._draw.draw(st.integers(0, LEAVES), label="size"),
        )
        root = self._mostly(tree.root(size) if size else bytes(32), tree.root(LEAVES), bytes(32))
        old = self._mostly(log.size, self._draw.draw(st.integers(0, LEAVES), label="old"))
        proof = tree.consistency_proof(old, size) if old <= size else []
        self._both("anchor", ANCHORED, sender, log_id, size, root, self._spoil(proof))

    def _step_offer(self) -> None:
        log_id = self._any_log()
        log = self._model.logs.get(log_id, ModelLog(self._actors[0]))
        sender, candidate = self._mostly(log.publisher, *self._actors), self._one_of(*self._actors, ZERO)
        self._both("offerPublisher", ["bytes32", "address"], sender, log_id, candidate)

    def _step_accept(self) -> None:
        log_id = self._any_log()
        log = self._model.logs.get(log_id, ModelLog(self._actors[0]))
        willing = log.candidate if log.candidate != ZERO else self._actors[0]
        self._both("acceptPublisher", ["bytes32"], self._mostly(willing, *self._actors), log_id)

    def _step_open(self) -> None:
        self._both("open", ["bytes32"], self._one_of(*self._actors), self._one_of(*self._origins))

    def _spoil(self, proof: list[bytes]) -> list[bytes]:
        """The proof, mostly; sometimes a wrong one made from it."""
        nodes = list(proof)
        defect = self._mostly("none", "missing", "added", "changed", "swapped")
        place = self._draw.draw(st.integers(0, max(len(nodes) - 1, 0)), label="place")
        if defect == "added":
            nodes.insert(place, TREES[1].root(3))
        elif nodes and defect == "missing":
            del nodes[place]
        elif nodes and defect == "changed":
            nodes[place] = bytes([nodes[place][0] ^ 1]) + nodes[place][1:]
        elif nodes and defect == "swapped":
            nodes[0], nodes[place] = nodes[place], nodes[0]
        return nodes

    def _both(self, name: str, types: list[str], sender: str, *values: object) -> None:
        expected: str | None = None
        changes = False
        try:
            changes = getattr(self._model, name)(sender, *values)
        except Refused as refused:
            expected = str(refused)
        if expected is None:
            receipt = self._contract.send(sender, name, types, *values)
            assert len(receipt.events) == (1 if changes else 0)
        else:
            try:
                self._contract.look(sender, name, types, *values)
            except Reverted as reverted:
                assert error_name(reverted) == expected
            else:
                raise AssertionError(f"{name} was accepted, {expected} expected")

    def _compare_states(self) -> None:
        for log_id, log in self._model.logs.items():
            assert self._contract.head(log_id) == (log.size, log.roots.get(log.size, bytes(32)))
            assert self._contract.publisher_of(log_id) == log.publisher.lower()
            assert self._contract.candidate_of(log_id) == log.candidate.lower()
            for size, root in log.roots.items():
                assert self._contract.root_of(log_id, size) == root

    def _any_log(self) -> bytes:
        return self._mostly(self._one_of(*self._model.logs), keccak256(b"no such log"))

    def _mostly(self, usual: T, *others: T) -> T:
        """The usual choice three times in four: else nearly every call would be refused at once."""
        return self._one_of(*[usual] * 3 * len(others), *others)

    def _one_of(self, *choices: T) -> T:
        return self._draw.draw(st.sampled_from(choices))


@settings(
    max_examples=scaled(20, 150),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(draw=st.data())
def test_random_histories_agree_with_the_model(contract: AnchorContract, draw: st.DataObject) -> None:
    History(contract, draw).run(length=scaled(12, 30))
