"""The deployed contract as tests speak to it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from eth_abi.abi import decode, encode
from mizheng.contracts.artifact import load_artifact
from mizheng.verifier.evm.keccak import keccak256

from tests.contracts.chains import Chain, Receipt, Reverted

ZERO = "0x" + "00" * 20
ANCHORED = ["bytes32", "uint64", "bytes32", "bytes32[]"]
_origins = itertools.count()


@dataclass(frozen=True, slots=True)
class Log:
    """A log and its publisher's account."""

    id: bytes
    publisher: str


class AnchorContract:
    """One deployment, and the accounts that call it."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.alice, self.bob, self.carol, *_ = chain.accounts
        receipt = chain.send(self.alice, None, load_artifact().bytecode)
        assert receipt.succeeded and receipt.contract is not None
        self.address = receipt.contract

    def send(self, sender: str, name: str, types: Sequence[str], *values: object) -> Receipt:
        """Call a function that has to succeed."""
        receipt = self.chain.send(sender, self.address, _data(name, types, values))
        assert receipt.succeeded
        assert all(event.address == self.address.lower() for event in receipt.events)
        return receipt

    def look(self, sender: str, name: str, types: Sequence[str], *values: object) -> bytes:
        """What a call would answer; Reverted if it would be refused."""
        return self.chain.call(sender, self.address, _data(name, types, values))

    def refuse(self, error: str, sender: str, name: str, types: Sequence[str], *values: object) -> None:
        """Call a function that has to be refused with this error, and leave no trace when it is mined."""
        with pytest.raises(Reverted) as caught:
            self.look(sender, name, types, *values)
        assert error_name(caught.value) == error
        receipt = self.chain.send(sender, self.address, _data(name, types, values))
        assert not receipt.succeeded
        assert receipt.events == []

    def open(self, sender: str | None = None, origin_hash: bytes | None = None) -> Log:
        """A new log; of an origin that no other test uses, unless one is given."""
        sender = sender or self.alice
        origin_hash = origin_hash or new_origin_hash()
        self.send(sender, "open", ["bytes32"], origin_hash)
        return Log(compute_log_id(sender, origin_hash), sender)

    def anchor(self, log: Log, size: int, root: bytes, proof: Sequence[bytes] = ()) -> Receipt:
        return self.send(log.publisher, "anchor", ANCHORED, log.id, size, root, list(proof))

    def refuse_anchor(
        self,
        error: str,
        log: Log,
        size: int,
        root: bytes,
        proof: Sequence[bytes] = (),
        sender: str | None = None,
    ) -> None:
        before = self.head(log.id)
        self.refuse(error, sender or log.publisher, "anchor", ANCHORED, log.id, size, root, list(proof))
        assert self.head(log.id) == before

    def head(self, log_id: bytes) -> tuple[int, bytes]:
        size, root = decode(["uint64", "bytes32"], self.look(self.alice, "head", ["bytes32"], log_id))
        return size, root

    def root_of(self, log_id: bytes, size: int) -> bytes:
        return self.look(self.alice, "rootOf", ["bytes32", "uint64"], log_id, size)

    def publisher_of(self, log_id: bytes) -> str:
        return str(decode(["address"], self.look(self.alice, "publisherOf", ["bytes32"], log_id))[0])

    def candidate_of(self, log_id: bytes) -> str:
        return str(decode(["address"], self.look(self.alice, "candidateOf", ["bytes32"], log_id))[0])


def new_origin_hash() -> bytes:
    """Hash of an origin that nothing else in this run uses."""
    return keccak256(b"example.org/log/%d" % next(_origins))


def compute_log_id(publisher: str, origin_hash: bytes) -> bytes:
    """keccak256(abi.encode(publisher, originHash))."""
    return keccak256(bytes.fromhex(publisher[2:]).rjust(32, b"\0") + origin_hash)


def error_name(error: Reverted) -> str:
    """Name of the custom error that a refusal carries."""
    names = {selector: name for name, selector in load_artifact().selectors.items()}
    return names[error.data[:4]]


def _data(name: str, types: Sequence[str], values: Sequence[object]) -> bytes:
    return load_artifact().selectors[name] + encode(types, values)
