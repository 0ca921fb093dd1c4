"""The embedded chain: an Ethereum in this process, kept in one file, for trying.

A transaction waits in memory until the clock has reached a second that no block has yet; then every
waiting one goes into the next block. So block times are the clock's: bursts never push them into the
future, and a pause never leaves them behind. Nothing runs in the background: whoever asks next builds the
block that is due.

Crash points: before the block's commit the file is at the block before, and what waited is forgotten, as
on a real node whose pool is lost: the outbox sends again. After it, the block stays.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth.abc import BlockAPI, SignedTransactionAPI
from eth.constants import ZERO_ADDRESS
from eth.exceptions import TransactionNotFound
from eth_typing import Address
from mizheng.notary.chain import evm
from mizheng.notary.chain.evidence import path_nodes
from mizheng.notary.chain.interface import (
    BlockReceipts,
    ChainError,
    Fees,
    FoundTransaction,
    Identity,
    RejectedError,
    StorageProof,
)
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.storage import SqliteStore
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.evm.block import Block
from mizheng.verifier.evm.keccak import keccak256
from trie.hexary import HexaryTrie

# Two clocks of one machine may differ by rounding; more than this behind the last block and the clock was
# set back.
_CLOCK_TOLERANCE = 2
_CALL_GAS = 10_000_000
# More waiting transactions than this are no use of ours: one log has one in flight.
_MAX_WAITING = 1_000


class EmbeddedChain:
    """`Chain` over py-evm and one SQLite file. Safe to call from several threads."""

    def __init__(
        self, path: Path, profile: ChainProfile, funded: bytes, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the chain in `path`, or make a new one that funds the 20-byte address `funded`.

        ChainInUseError if another process has it open.
        """
        self._clock = clock
        self._lock = RLock()
        self._waiting: dict[bytes, SignedTransactionAPI] = {}
        self._funded = funded
        self._store = SqliteStore(path)
        self._chain = evm.open_chain(self._store, funded, int(clock()))
        genesis = self._chain.get_canonical_block_by_number(0)  # type: ignore[arg-type]
        self.profile = replace(profile, genesis_hash=bytes(genesis.hash))

    # Blocks

    def check_identity(self, contract: bytes | None = None, code_hash: bytes = b"") -> Identity:
        with self._lock:
            self._build_if_due()
            if contract is not None:
                code = self.code(contract)
                if not code:
                    return Identity("no-code")
                if keccak256(code) != code_hash:
                    return Identity("other-code", keccak256(code).hex())
            behind = self._head().header.timestamp - int(self._clock())
            return Identity("clock-behind", str(behind)) if behind > _CLOCK_TOLERANCE else Identity("ok")

    def head(self) -> Block:
        with self._lock:
            self._build_if_due()
            return _block(self._head())

    def final(self) -> Block | None:
        # One maker and no forks: every block is final.
        return self.head()

    def block(self, number: int) -> Block | None:
        with self._lock:
            self._build_if_due()
            found = self._at(number)
            return None if found is None else _block(found)

    def holds_final(self, number: int, block_hash: bytes) -> bool:
        # Every block of its one maker is final.
        block = self.block(number)
        return block is not None and block.hash == block_hash

    def block_receipts(self, block: Block) -> BlockReceipts:
        with self._lock:
            found = self._at(block.number)
            if found is None or found.hash != block.hash:
                raise ChainError("the embedded chain has no block {hash}", hash=block.hash.hex())
            receipts = found.get_receipts(self._chain.chaindb)
            return BlockReceipts(_block(found), tuple(receipt.encode() for receipt in receipts))

    def block_time(self, number: int) -> str:
        with self._lock:
            found = self._at(number)
            if found is None:
                raise ChainError("the embedded chain has no block {hash}", hash=str(number))
            return format_instant(found.header.timestamp)

    def sealed_header(self, number: int, fits: Callable[[bytes], bool] = bool) -> bytes | None:
        found = self.block(number)
        return found.header if found is not None and fits(found.header) else None

    def prove_storage(self, address: bytes, slot: bytes, block: Block) -> StorageProof | None:
        with self._lock:
            found = self._at(block.number)
            if found is None or found.hash != block.hash:
                return None
            # Nothing is ever pruned: the state of every block is still there.
            accounts = HexaryTrie(self._store, found.header.state_root)
            account = accounts.get(keccak256(address))
            if not account:
                return None
            storage_root = rlp.decode(account)[2]
            slots = HexaryTrie(self._store, storage_root)
            return StorageProof(path_nodes(accounts, keccak256(address)), path_nodes(slots, keccak256(slot)))

    # Accounts

    def nonce(self, address: bytes, *, at_final: bool = False) -> int:
        with self._lock:
            self._build_if_due()
            return int(self._state().get_nonce(Address(address)))

    def balance(self, address: bytes) -> int:
        with self._lock:
            return int(self._state().get_balance(Address(address)))

    def code(self, address: bytes) -> bytes:
        with self._lock:
            self._build_if_due()
            return bytes(self._state().get_code(Address(address)))

    def call(self, to: bytes, data: bytes) -> bytes:
        with self._lock:
            self._build_if_due()
            machine = self._chain.get_vm(self._head().header)
            # On a copy of the state that is thrown away: nothing is persisted.
            computation = machine.execute_bytecode(
                origin=ZERO_ADDRESS,
                gas_price=0,
                gas=_CALL_GAS,
                to=Address(to),
                sender=ZERO_ADDRESS,
                value=0,
                data=data,
                code=machine.state.get_code(Address(to)),
            )
            return b"" if computation.is_error else bytes(computation.output)

    # Transactions

    def fees(self) -> Fees:
        with self._lock:
            return Fees(max_fee=2 * self._base_fee() + 1, max_priority_fee=1)

    def send_raw(self, transaction: bytes) -> None:
        with self._lock:
            self._build_if_due()
            try:
                decoded = evm.decode_transaction(self._chain, transaction)
            except ValueError:
                raise RejectedError("rejected", "these bytes are not a signed transaction") from None
            digest = bytes(decoded.hash)
            if digest in self._waiting or self._find(digest) is not None:
                return
            self._check(decoded)
            self._waiting[digest] = decoded
            self._build_if_due()

    def find(self, transaction_hash: bytes) -> FoundTransaction | None:
        with self._lock:
            self._build_if_due()
            if transaction_hash in self._waiting:
                return FoundTransaction()
            return self._find(transaction_hash)

    def close(self) -> None:
        with self._lock:
            self._store.close()

    # Below: the lock is held

    def _check(self, transaction: SignedTransactionAPI) -> None:
        # py-evm takes a transaction signed for any chain; so does no real node.
        if transaction.chain_id != self.profile.chain_id:
            raise RejectedError("rejected", "the transaction is signed for another chain id")
        state = self._state()
        sender = transaction.sender
        if transaction.nonce < state.get_nonce(sender):
            raise RejectedError("nonce-too-low", "the nonce of the transaction has been used")
        if any(
            other.sender == sender and other.nonce == transaction.nonce for other in self._waiting.values()
        ):
            raise RejectedError("rejected", "another transaction with this nonce is waiting")
        if state.get_balance(sender) < transaction.gas * transaction.max_fee_per_gas + transaction.value:
            raise RejectedError(
                "insufficient-funds",
                "the publisher's account cannot pay for the transaction",
                hint="the embedded chain funds the key it was made with: put the old publisher.key back",
            )
        if transaction.max_fee_per_gas < self._base_fee():
            raise RejectedError("fee-too-low", "the transaction offers less than the base fee")
        if len(self._waiting) >= _MAX_WAITING:
            raise RejectedError("rejected", "too many transactions are waiting")

    def _base_fee(self) -> int:
        """Of the next block."""
        return self._chain.header.base_fee_per_gas or 0

    def _build_if_due(self) -> None:
        """Build the next block if something waits and the clock has left the last block's second."""
        now = int(self._clock())
        if not self._waiting or now <= self._head().header.timestamp:
            return
        ready = self._ready()
        if not ready:
            return
        try:
            block, refused = evm.build_block(self._chain, ready, now)
            self._store.commit()
        except Exception as error:
            # Whatever it was, memory is ahead of the file now: go on from what the file has.
            self._store.rollback()
            self._chain = evm.open_chain(self._store, self._funded, now)
            if isinstance(error, sqlite3.Error):
                raise ChainError(
                    "the embedded chain cannot be written: {reason}", reason=str(error)
                ) from error
            raise
        for digest in refused:
            del self._waiting[digest]
        if block is not None:
            for transaction in block.transactions:
                self._waiting.pop(bytes(transaction.hash), None)

    def _ready(self) -> list[SignedTransactionAPI]:
        """What can go into the next block: each sender's next nonces, and no more than fits."""
        state = self._state()
        ready: list[SignedTransactionAPI] = []
        expected: dict[Any, int] = {}
        gas_left = self._head().header.gas_limit
        for transaction in sorted(self._waiting.values(), key=lambda each: each.nonce):
            nonce = expected.setdefault(transaction.sender, state.get_nonce(transaction.sender))
            if transaction.nonce < nonce:
                del self._waiting[bytes(transaction.hash)]
            elif transaction.nonce == nonce and transaction.gas <= gas_left:
                ready.append(transaction)
                expected[transaction.sender] = nonce + 1
                gas_left -= transaction.gas
        return ready

    def _find(self, digest: bytes) -> FoundTransaction | None:
        try:
            number, index = self._chain.get_canonical_transaction_index(digest)  # type: ignore[arg-type]
        except TransactionNotFound:
            return None
        block = self._chain.get_canonical_block_by_number(number)
        receipts = block.get_receipts(self._chain.chaindb)
        receipt, transaction = receipts[index], block.transactions[index]
        base = block.header.base_fee_per_gas or 0
        return FoundTransaction(
            number,
            bytes(block.hash),
            index,
            receipt.state_root == b"\x01",
            receipt.gas_used - (receipts[index - 1].gas_used if index else 0),
            min(transaction.max_fee_per_gas, base + transaction.max_priority_fee_per_gas),
        )

    def _head(self) -> BlockAPI:
        return self._chain.get_canonical_block_by_number(self._chain.get_canonical_head().block_number)

    def _at(self, number: int) -> BlockAPI | None:
        if not 0 <= number <= self._chain.get_canonical_head().block_number:
            return None
        return self._chain.get_canonical_block_by_number(number)  # type: ignore[arg-type]

    def _state(self) -> Any:
        return self._chain.get_vm(self._head().header).state


def _block(block: BlockAPI) -> Block:
    return Block(block.number, bytes(block.hash), rlp.encode(block.header))
