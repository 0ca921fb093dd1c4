"""A real chain seen through several nodes, none of which is believed alone.

Every question goes to all of them. What they merely say (which block is final, where a transaction is, what
the contract holds) counts when a quorum says the same; what proves itself against a block's header (receipts,
state) may come from any one of them. A transaction is handed to all.

Who lags, contradicts the others, answers nonsense or does not answer has a state with a name, and never makes
anything final.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from mizheng.notary.chain.interface import (
    BlockReceipts,
    ChainError,
    DisagreementError,
    Fees,
    FoundTransaction,
    Identity,
    RejectedError,
    StorageProof,
)
from mizheng.notary.chain.node import NodeChain
from mizheng.notary.chain.panel import Answer, Panel
from mizheng.notary.chain.profiles import ChainProfile
from mizheng.notary.chain.receipts import build_receipts_trie
from mizheng.notary.chain.votes import agreed, reached
from mizheng.verifier.errors import FormatError, ProofError
from mizheng.verifier.evm.block import Block, verify_block
from mizheng.verifier.evm.storage import verify_account, verify_slot

# Nodes of one network hear of a block seconds apart; of a finalized one within an epoch's boundary.
_LAG_SECONDS = 60.0

_HINT = "/readyz and mizheng-notary status say how each of them is"

V = TypeVar("V", bound=Hashable)


class NodesChain:
    """`Chain` over all nodes of a profile. Safe to call from several threads."""

    def __init__(
        self,
        profile: ChainProfile,
        nodes: Sequence[NodeChain],
        *,
        lag_seconds: float = _LAG_SECONDS,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lag_seconds`: a node that is behind the others for longer is said to lag."""
        self.profile = profile
        self._panel = Panel(nodes, profile.quorum, elapsed=elapsed)
        self._lag_seconds = lag_seconds
        self._elapsed = elapsed
        self._behind_since: dict[NodeChain, float] = {}

    @property
    def node_states(self) -> Mapping[str, str]:
        """By host and port: ok, or the code of what is wrong with the node."""
        return self._panel.states

    # Blocks

    def check_identity(self, contract: bytes | None = None, code_hash: bytes = b"") -> Identity:
        try:
            answers = self._panel.ask(lambda node: node.identify(contract, code_hash))
        except ChainError as error:
            return Identity.unknown(error)
        for answer in answers:
            state = answer.value.state
            self._panel.note(answer.node, "identity", None if state == "ok" else state)
        states = [answer.value.state for answer in answers]
        winner = agreed(states, self._panel.quorum)
        if winner is None:
            return Identity("nodes-disagree", ", ".join(sorted(set(states))))
        return next(answer.value for answer in answers if answer.value.state == winner)

    def head(self) -> Block:
        answers = self._panel.ask(NodeChain.head)
        number = reached([answer.value.number for answer in answers], self._panel.quorum)
        heads = [answer.value for answer in answers if answer.value.number == number]
        # Nodes may be of different minds about a head: what most have is good enough, for it proves nothing.
        return max(heads, key=heads.count)

    def final(self) -> Block | None:
        """The newest block that a quorum of nodes hold final with the same hash."""
        answers = self._final_blocks()
        disagreement = None
        for height in sorted({final.number for _, final in answers}, reverse=True):
            # A liar's height is no quorum's: the next lower one is tried.
            if sum(final.number >= height for _, final in answers) < self._panel.quorum:
                continue
            try:
                return self._agree_at(height, answers)
            except DisagreementError as error:
                disagreement = error
        if disagreement is not None:
            raise disagreement
        return None

    def holds_final(self, number: int, block_hash: bytes) -> bool:
        answers = self._final_blocks()
        if sum(final.number >= number for _, final in answers) < self._panel.quorum:
            return False
        return self._agree_at(number, answers).hash == block_hash

    def block(self, number: int) -> Block | None:
        answers = self._panel.ask(lambda node: node.block(number))
        found = [Answer(answer.node, answer.value) for answer in answers if answer.value is not None]
        if len(found) < self._panel.quorum and len({answer.value for answer in found}) < 2:
            # Not there yet, on too many of them.
            return None
        return self._agree(found, f"block {number}")

    def block_receipts(self, block: Block) -> BlockReceipts:
        def ask(node: NodeChain) -> BlockReceipts:
            found = node.block_receipts(block)
            # Checked here, so that a node that leaves some out does not stand in for one that has them.
            build_receipts_trie(found)
            return found

        return self._panel.first(ask)

    def block_time(self, number: int) -> str:
        return self._agree(
            self._panel.ask(lambda node: node.block_time(number)), f"the time of block {number}"
        )

    def sealed_header(self, number: int, fits: Callable[[bytes], bool] = bool) -> bytes | None:
        def ask(node: NodeChain) -> bytes:
            # Its hash does not bind the seals: another node may show good ones where this one does not.
            header = node.sealed_header(number, fits)
            if header is None:
                raise ChainError("the node has no block {number}", number=number)
            return header

        try:
            return self._panel.first(ask)
        except ChainError:
            return None

    def prove_storage(self, address: bytes, slot: bytes, block: Block) -> StorageProof | None:
        def ask(node: NodeChain) -> StorageProof:
            proof = node.prove_storage(address, slot, block)
            if proof is None:
                raise ChainError("the node no longer has the state of the block")
            try:
                account = verify_account(verify_block(block).state_root, address, proof.account_proof)
                verify_slot(account.storage_root, slot, proof.slot_proof)
            except (ProofError, FormatError) as error:
                raise ChainError("the node's proof is of another block's state") from error
            return proof

        try:
            return self._panel.first(ask)
        except ChainError:
            return None

    # Accounts: what a quorum say that there is at least

    def nonce(self, address: bytes, *, at_final: bool = False) -> int:
        answers = self._panel.ask(lambda node: node.nonce(address, at_final=at_final))
        return self._reached([answer.value for answer in answers])

    def balance(self, address: bytes) -> int:
        answers = self._panel.ask(lambda node: node.balance(address))
        return self._reached([answer.value for answer in answers])

    def code(self, address: bytes) -> bytes:
        return self._agree(self._panel.ask(lambda node: node.code(address)), "an account's code")

    def call(self, to: bytes, data: bytes) -> bytes:
        return self._agree(self._panel.ask(lambda node: node.call(to, data)), "the contract's answer")

    # Transactions

    def fees(self) -> Fees:
        def ask(node: NodeChain) -> Fees | RejectedError:
            try:
                return node.fees()
            except RejectedError as error:
                return error

        answers = [answer.value for answer in self._panel.ask(ask)]
        # Dearest first; one that is above the cap is dearer than all. What a liar asks for moves nothing.
        answers.sort(key=lambda fees: (isinstance(fees, RejectedError), getattr(fees, "max_fee", 0)))
        chosen = answers[-self._panel.quorum]
        if isinstance(chosen, RejectedError):
            raise chosen
        return chosen

    def send_raw(self, transaction: bytes) -> None:
        """Handed to all; taken if one takes it. Else the refusal of the first that refuses."""

        def ask(node: NodeChain) -> RejectedError | None:
            try:
                node.send_raw(transaction)
            except RejectedError as error:
                return error
            return None

        refusals = [answer.value for answer in self._panel.ask(ask)]
        if None not in refusals and refusals[0] is not None:
            raise refusals[0]

    def find(self, transaction_hash: bytes) -> FoundTransaction | None:
        """In a block when a quorum have it in the same one; None when a quorum do not know it."""
        answers = [answer.value for answer in self._panel.ask(lambda node: node.find(transaction_hash))]
        places = [found and (found.block_number, found.block_hash, found.succeeded) for found in answers]
        if not any(places):
            return None
        place = agreed(places, self._panel.quorum)
        if place is None:
            # Known somewhere, or None is what a quorum say of it.
            is_unknown = places.count(None) >= self._panel.quorum
            return None if is_unknown else FoundTransaction()
        return next(found for found in answers if found and _place(found) == place)

    def close(self) -> None:
        self._panel.close()

    # Below: how answers are counted

    def _final_blocks(self) -> list[tuple[NodeChain, Block]]:
        """What each node holds final; who is behind the others for long is written down."""
        answers = self._panel.ask(NodeChain.final)
        found = [(answer.node, answer.value) for answer in answers if answer.value is not None]
        top = reached([final.number for _, final in found], self._panel.quorum)
        now = self._elapsed()
        for answer in answers:
            is_behind = top is not None and (answer.value is None or answer.value.number < top)
            if not is_behind:
                self._behind_since.pop(answer.node, None)
            since = self._behind_since.setdefault(answer.node, now) if is_behind else now
            self._panel.note(answer.node, "height", "lags" if now - since > self._lag_seconds else None)
        return found

    def _agree_at(self, number: int, finals: Sequence[tuple[NodeChain, Block]]) -> Block:
        """The block at this height on a quorum of those nodes that hold it final; DisagreementError if they
        have several.
        """
        holders = {node: final for node, final in finals if final.number >= number}
        answers = [Answer(node, final) for node, final in holders.items() if final.number == number]
        if len(answers) < len(holders):
            others = self._panel.ask(lambda node: node.block(number))
            answers = [
                Answer(answer.node, answer.value)
                for answer in others
                if answer.node in holders and answer.value is not None
            ]
        winner = agreed([answer.value for answer in answers], self._panel.quorum)
        for answer in answers:
            # Without a winner nobody knows who lies: all of them are to be looked at.
            self._panel.note(answer.node, "blocks", None if answer.value == winner else "contradicts")
        if winner is None:
            raise DisagreementError(
                "the chain's nodes have different final blocks {number}", hint=_HINT, number=number
            )
        return winner

    def _agree(self, answers: Sequence[Answer[V]], what: str) -> V:
        winner = agreed([answer.value for answer in answers], self._panel.quorum)
        if winner is None:
            raise DisagreementError("the chain's nodes do not agree on {what}", hint=_HINT, what=what)
        return winner

    def _reached(self, numbers: Sequence[int]) -> int:
        found = reached(numbers, self._panel.quorum)
        assert found is not None  # noqa: S101 - at least a quorum answered
        return found


def _place(found: FoundTransaction) -> tuple[object, ...]:
    return found.block_number, found.block_hash, found.succeeded


def open_nodes(profile: ChainProfile) -> NodesChain:
    """The chain of a profile through all its nodes; none of them is asked anything yet."""
    from mizheng.notary.chain.fisco import FiscoNode
    from mizheng.notary.chain.rpc import Rpc

    kind = FiscoNode if profile.is_foreign else NodeChain
    return NodesChain(profile, [kind(replace(profile, rpc=(url,)), Rpc(url)) for url in profile.rpc])
