"""A real chain, seen through one node that speaks Ethereum's JSON-RPC; several of them: `nodes`.

Nothing a node says is taken for granted where it can be checked: headers are put together again and hashed,
receipts are compared with the header's receipts root, proofs are walked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mizheng.notary.chain.encoding import block_of, header_of, parse_data, parse_quantity, receipt_of
from mizheng.notary.chain.fees import suggest
from mizheng.notary.chain.interface import (
    BlockReceipts,
    ChainError,
    DisagreementError,
    EvidenceError,
    Fees,
    FoundTransaction,
    Identity,
    RejectedError,
    StorageProof,
    UnreachableError,
)
from mizheng.notary.chain.profiles import ChainProfile, Finality
from mizheng.notary.chain.refusals import classify
from mizheng.notary.chain.rpc import Rpc, RpcError
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.evm.block import Block, verify_block
from mizheng.verifier.evm.keccak import keccak256


class NodeChain:
    """`Chain` over JSON-RPC. Safe to call from several threads: it keeps no state."""

    def __init__(self, profile: ChainProfile, rpc: Rpc | None = None) -> None:
        """`rpc`: the node; without it the first one of the profile."""
        self.profile = profile
        self._rpc = rpc or Rpc(profile.rpc[0])

    @property
    def name(self) -> str:
        """Host and port, nothing secret."""
        return self._rpc.name

    # Blocks

    def check_identity(self, contract: bytes | None = None, code_hash: bytes = b"") -> Identity:
        try:
            return self.identify(contract, code_hash)
        except ChainError as error:
            return Identity.unknown(error)

    def identify(self, contract: bytes | None = None, code_hash: bytes = b"") -> Identity:
        """As `check_identity`, but ChainError if the node does not say."""
        with reading("eth_chainId"):
            chain_id = parse_quantity(self._call("eth_chainId"))
        if chain_id != self.profile.chain_id:
            return Identity("wrong-chain-id", str(chain_id))
        with reading("eth_getBlockByNumber"):
            genesis_hash = parse_data(self._call("eth_getBlockByNumber", "0x0", False)["hash"], 32)
        if genesis_hash != self.profile.genesis_hash:
            return Identity("wrong-genesis", genesis_hash.hex())
        if contract is None:
            return Identity("ok")
        code = self.code(contract)
        if not code:
            return Identity("no-code")
        if keccak256(code) != code_hash:
            return Identity("other-code", keccak256(code).hex())
        return Identity("ok")

    def head(self) -> Block:
        found = self._block("latest")
        if found is None:
            raise EvidenceError("the node has no newest block")
        return found

    def final(self) -> Block | None:
        confirmations = self.profile.finality.confirmations
        if confirmations is None:
            try:
                return self._block("finalized")
            except NodeError:
                # Before the first finalized block some nodes answer with an error rather than with null.
                return None
        if confirmations == 0:
            return self.head()
        number = self.head().number - confirmations
        return self.block(number) if number >= 0 else None

    def holds_final(self, number: int, block_hash: bytes) -> bool:
        # The final height first: a block that is read after it and lies at or below it is final.
        final = self.final()
        if final is None or final.number < number:
            return False
        block = self.block(number)
        return block is not None and block.hash == block_hash

    def block(self, number: int) -> Block | None:
        found = self._block(hex(number))
        if found is not None and found.number != number:
            raise EvidenceError(
                "the node answers with block {found} for {number}", found=found.number, number=number
            )
        return found

    def block_time(self, number: int) -> str:
        block = self.block(number)
        if block is None:
            raise EvidenceError("the node has no block {number}", number=number)
        return format_instant(verify_block(block).timestamp)

    def sealed_header(self, number: int, fits: Callable[[bytes], bool] = bool) -> bytes | None:
        with reading("eth_getBlockByNumber"):
            answer = self._call("eth_getBlockByNumber", hex(number), False)
            header = None if answer is None else header_of(answer)
        return header if header is not None and fits(header) else None

    def block_receipts(self, block: Block) -> BlockReceipts:
        try:
            answers = self._call("eth_getBlockReceipts", hex(block.number))
        except NodeError:
            answers = self._receipts_one_by_one(block)
        with reading("eth_getBlockReceipts"):
            if answers is None or any(parse_data(each["blockHash"]) != block.hash for each in answers):
                raise EvidenceError("the node has another block at height {number} now", number=block.number)
            return BlockReceipts(block, tuple(receipt_of(each) for each in answers))

    def prove_storage(self, address: bytes, slot: bytes, block: Block) -> StorageProof | None:
        try:
            answer = self._call("eth_getProof", _hex(address), [_hex(slot)], hex(block.number))
        except NodeError:
            return None
        with reading("eth_getProof"):
            return StorageProof(
                tuple(parse_data(node) for node in answer["accountProof"]),
                tuple(parse_data(node) for node in answer["storageProof"][0]["proof"]),
            )

    # Accounts

    def nonce(self, address: bytes, *, at_final: bool = False) -> int:
        if at_final:
            final = self.final()
            if final is None:
                return 0
            try:
                return self._nonce(address, hex(final.number))
            except NodeError:
                # A node that has forgotten the state of then. The newest count may be taken back by a
                # reorganisation; who gives a transaction up because of it finds it again if it comes in.
                pass
        return self._nonce(address, "latest")

    def _nonce(self, address: bytes, at: str) -> int:
        with reading("eth_getTransactionCount"):
            return parse_quantity(self._call("eth_getTransactionCount", _hex(address), at))

    def balance(self, address: bytes) -> int:
        with reading("eth_getBalance"):
            return parse_quantity(self._call("eth_getBalance", _hex(address), "latest"))

    def code(self, address: bytes) -> bytes:
        with reading("eth_getCode"):
            return parse_data(self._call("eth_getCode", _hex(address), "latest"))

    def call(self, to: bytes, data: bytes) -> bytes:
        try:
            answer = self._call("eth_call", {"to": _hex(to), "data": _hex(data)}, "latest")
        except NodeError:
            return b""
        with reading("eth_call"):
            return parse_data(answer)

    # Transactions

    def fees(self) -> Fees:
        with reading("eth_feeHistory"):
            return suggest(self._call, self.profile.fee_rule)

    def send_raw(self, transaction: bytes) -> None:
        digest = keccak256(transaction)
        try:
            answer = self._call("eth_sendRawTransaction", _hex(transaction))
        except NodeError as error:
            self._judge_refusal(digest, error)
            return
        with reading("eth_sendRawTransaction"):
            if parse_data(answer) != digest:
                raise EvidenceError("the node answers with another transaction's hash")

    def find(self, transaction_hash: bytes) -> FoundTransaction | None:
        receipt = self._call("eth_getTransactionReceipt", _hex(transaction_hash))
        transaction = None
        # In a block, the receipt says all of it where it says what gas cost.
        if receipt is None or not receipt.get("effectiveGasPrice"):
            transaction = self._call("eth_getTransactionByHash", _hex(transaction_hash))
            if receipt is None:
                return None if transaction is None else FoundTransaction()
        with reading("eth_getTransactionReceipt"):
            return FoundTransaction(
                parse_quantity(receipt["blockNumber"]),
                parse_data(receipt["blockHash"], 32),
                parse_quantity(receipt["transactionIndex"]),
                parse_quantity(receipt["status"]) == 1,
                parse_quantity(receipt["gasUsed"]),
                _price(transaction, receipt),
                parse_data(receipt["contractAddress"], 20) if receipt.get("contractAddress") else None,
            )

    def close(self) -> None:
        pass

    # Below: how nodes answer

    def _judge_refusal(self, digest: bytes, error: NodeError) -> None:
        """Return if the refusal means that the node has the transaction; else raise why it has not."""
        refusal = classify(error.number, error.said)
        if refusal == "known":
            return
        # Also the answer to one that is mined already: its hash decides.
        if refusal == "nonce-too-low" and self.find(digest) is not None:
            return
        raise RejectedError(
            refusal,
            "the node refuses the transaction ({refusal}): {said}",
            refusal=refusal,
            said=error.said[:200],
        )

    def _block(self, at: str) -> Block | None:
        with reading("eth_getBlockByNumber"):
            answer = self._call("eth_getBlockByNumber", at, False)
            return None if answer is None else block_of(answer)

    def _receipts_one_by_one(self, block: Block) -> list[Any]:
        with reading("eth_getBlockByHash"):
            answer = self._call("eth_getBlockByHash", _hex(block.hash), False)
            return [self._call("eth_getTransactionReceipt", each) for each in answer["transactions"]]

    def _call(self, method: str, *params: Any) -> Any:
        try:
            return self._rpc.call(method, *params)
        except RpcError as error:
            raise NodeError(method, error.code, error.message) from error


class NodeError(ChainError):
    """The node's own error, for methods that not every node has or at an age it has forgotten."""

    code = "node-error"

    def __init__(self, method: str, number: int, said: str) -> None:
        super().__init__(
            "the chain node refuses {method}: {number} {said}", method=method, number=number, said=said[:200]
        )
        self.number = number
        self.said = said.lower()


def discover_profile(urls: tuple[str, ...], finality: Finality, kind: str = "ethereum") -> ChainProfile:
    """The profile of whatever chain these nodes are on, for an observer that states what it sees.

    ChainError if none of them answers, or if they are on different chains.
    """
    found: set[tuple[int, bytes]] = set()
    silent: ChainError | None = None
    for url in urls:
        try:
            found.add(_discover(Rpc(url)))
        except ChainError as error:
            silent = error
    if not found and silent is not None:
        raise silent
    if len(found) > 1:
        raise DisagreementError(
            "the nodes are on different chains", hint="name nodes of one chain with --rpc"
        )
    ((chain_id, genesis_hash),) = found
    return ChainProfile("observed", kind, chain_id, genesis_hash, finality, urls)


def _discover(rpc: Rpc) -> tuple[int, bytes]:
    try:
        with reading("eth_chainId"):
            chain_id = parse_quantity(rpc.call("eth_chainId"))
        with reading("eth_getBlockByNumber"):
            return chain_id, parse_data(rpc.call("eth_getBlockByNumber", "0x0", False)["hash"], 32)
    except RpcError as error:
        raise UnreachableError(
            "the node does not say which chain it is on: {reason}", reason=str(error)
        ) from error


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _price(transaction: Any, receipt: Any) -> int:
    """What a unit of gas cost in the end; a rollup's fee for its data on Ethereum spread over them."""
    # Chains without EIP-1559 leave it out: what was offered is what was paid.
    offered = transaction.get("gasPrice") if transaction else None
    price = parse_quantity(receipt.get("effectiveGasPrice") or offered or "0x0")
    data_fee = parse_quantity(receipt.get("l1Fee") or "0x0")
    return price + -(-data_fee // max(parse_quantity(receipt["gasUsed"]), 1))


@contextmanager
def reading(method: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise EvidenceError("the chain node's answer to {method} cannot be read", method=method) from error
