"""Two chains behind one small interface, so that every promise of the contract is tested on both."""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass
from typing import Any, Protocol

from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed

from tests.support.anvil import Anvil, RpcError

GAS = 3_000_000  # more than any call here needs: a failure is never for want of gas


class Reverted(Exception):
    """The contract refused; `data` is what it gave as reason."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.hex())
        self.data = data


@dataclass(frozen=True, slots=True)
class Event:
    address: str
    topics: list[bytes]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    succeeded: bool
    gas_used: int
    contract: str | None
    events: list[Event]


class Chain(Protocol):
    accounts: list[str]

    def call(self, sender: str, to: str, data: bytes, value: int = 0) -> bytes:
        """What the call would answer now; Reverted if it would be refused."""

    def send(self, sender: str, to: str | None, data: bytes) -> Receipt:
        """Mine a transaction, whether it succeeds or not."""

    def storage_at(self, contract: str, slot: bytes) -> bytes:
        """32 bytes of storage at a slot."""

    def code_at(self, contract: str) -> bytes:
        """The contract's code."""


class EmbeddedChain:
    """py-evm in this process, one block a transaction."""

    def __init__(self) -> None:
        self._tester = EthereumTester(PyEVMBackend())
        self.accounts = [str(account) for account in self._tester.get_accounts()]

    def call(self, sender: str, to: str, data: bytes, value: int = 0) -> bytes:
        request = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": GAS, "value": value}
        try:
            return _bytes(self._tester.call(request))
        except TransactionFailed as failed:
            # The reason comes as the text of a bytes literal.
            raise Reverted(ast.literal_eval(str(failed))) from failed

    def send(self, sender: str, to: str | None, data: bytes) -> Receipt:
        request = {"from": sender, "data": "0x" + data.hex(), "gas": GAS}
        if to is not None:
            request["to"] = to
        receipt = self._tester.get_transaction_receipt(self._tester.send_transaction(request))
        return Receipt(
            bool(receipt["status"]),
            int(receipt["gas_used"]),
            receipt["contract_address"],
            [_event(log) for log in receipt["logs"]],
        )

    def storage_at(self, contract: str, slot: bytes) -> bytes:
        return _bytes(self._tester.get_storage_at(contract, "0x" + slot.hex())).rjust(32, b"\0")

    def code_at(self, contract: str) -> bytes:
        return _bytes(self._tester.get_code(contract))


class AnvilChain:
    """The same over JSON-RPC."""

    def __init__(self, node: Anvil) -> None:
        self._node = node
        self.accounts = node.accounts

    def call(self, sender: str, to: str, data: bytes, value: int = 0) -> bytes:
        request = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS), "value": hex(value)}
        try:
            return _bytes(self._node.rpc("eth_call", request, "latest"))
        except RpcError as error:
            if error.code != 3:  # "execution reverted"
                raise
            raise Reverted(_bytes(error.data)) from error

    def send(self, sender: str, to: str | None, data: bytes) -> Receipt:
        request = {"from": sender, "data": "0x" + data.hex(), "gas": hex(GAS)}
        if to is not None:
            request["to"] = to
        transaction = self._node.rpc("eth_sendTransaction", request)
        while (receipt := self._node.rpc("eth_getTransactionReceipt", transaction)) is None:
            time.sleep(0.001)  # null for a moment after sending
        return Receipt(
            int(receipt["status"], 16) == 1,
            int(receipt["gasUsed"], 16),
            receipt["contractAddress"],
            [_event(log) for log in receipt["logs"]],
        )

    def storage_at(self, contract: str, slot: bytes) -> bytes:
        return _bytes(self._node.rpc("eth_getStorageAt", contract, "0x" + slot.hex(), "latest"))

    def code_at(self, contract: str) -> bytes:
        return _bytes(self._node.rpc("eth_getCode", contract, "latest"))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _event(log: dict[str, Any]) -> Event:
    return Event(log["address"].lower(), [_bytes(topic) for topic in log["topics"]], _bytes(log["data"]))
