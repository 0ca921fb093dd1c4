"""The sender: brings one item of the outbox into a block, whatever the chain does to it.

    look for every transaction that was signed for it → in a block: mined
        none known → send the newest one (again); filling a gap in the nonces first, if there is one
        waits too long, or offers too little → sign a dearer one with the same nonce, write it down, send it

At most one transaction with a nonce ever counts, and all with the item's nonce anchor the same head: so
whatever is sent twice or replaced too early has no second effect. Any process may die on any line: what is
true then stands in a comment beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.fees import bump
from mizheng.notary.chain.finding import Finder, Outcome, Tools
from mizheng.notary.chain.interface import Fees, RejectedError
from mizheng.notary.chain.outbox import Item
from mizheng.notary.chain.publisher import SignedTransaction
from mizheng.notary.chain.pulse import Pulse
from mizheng.notary.chain.signers.interface import SignerError
from mizheng.notary.chain.transactions import Attempt
from mizheng.verifier.errors import ConsistencyError
from mizheng.verifier.merkle import verify_consistency
from sqlalchemy.exc import IntegrityError

# Measured on a log of 65,535 leaves: 76,000 with a proof of 17 nodes.
_ANCHOR_GAS = 90_000
# Calldata 512, at most 1,280 under EIP-7623, and two hashes.
_GAS_PER_PROOF_NODE = 2_500
# A transfer of nothing to oneself (Yellow Paper, appendix G), where a nonce has to be used up.
_FILLER_GAS = 21_000
# A transaction that the node does not know is sent again after this long; a block of Ethereum takes twelve
# seconds.
_RESEND_SECONDS = 15

# Refusals after which a dearer one may go in.
_TOO_CHEAP = ("fee-too-low", "replacement-underpriced")


class ForkedError(Exception):
    """The contract's head is not one of our log's."""


class Sender:
    """Sends for one account on one chain."""

    def __init__(self, tools: Tools, finder: Finder, pulse: Pulse) -> None:
        self._tools = tools
        self._chain = tools.chain
        self._finder = finder
        self._outbox = tools.outbox
        self._rule = tools.chain.profile.fee_rule
        self._pulse = pulse

    def sign(
        self, size: int, root: bytes, contract_head: tuple[int, bytes], nonce: int, fees: Fees
    ) -> Signed:
        """The transaction that anchors this head, from the head that the contract has; ForkedError if the one
        is no later state of the other.
        """
        old_size, old_root = contract_head
        log, where = self._tools.log, self._tools.deployment
        proof = log.consistency_proof(old_size, size) if old_size else []
        try:
            if old_size:
                verify_consistency(old_size, old_root, size, root, proof)
        except ConsistencyError:
            # The contract would refuse it. Somebody anchored another log under our name, or ours was
            # rewritten.
            raise ForkedError from None
        transaction = self._tools.publisher.sign(
            to=where.contract,
            data=calls.anchor_data(where.log_id, size, root, proof),
            gas=_ANCHOR_GAS + _GAS_PER_PROOF_NODE * len(proof) + self._chain.profile.extra_gas,
            nonce=nonce,
            chain_id=self._chain.profile.chain_id,
            fees=fees,
        )
        return Signed(transaction, old_size)

    def refuses(self, transaction: SignedTransaction) -> str | None:
        """The code of why it is not to be paid for: the account, or the day's budget."""
        worst = transaction.worst_cost
        budget = self._rule.budget_per_day
        now = self._tools.now()
        if budget is not None and self._outbox.book.spent(now, but_nonce=transaction.nonce) + worst > budget:
            return "budget-spent"
        if self._chain.balance(self._tools.publisher.address) < worst:
            return "insufficient-funds"
        return None

    def advance(self, item: Item) -> Outcome:
        """Bring the item nearer to a block."""
        attempts = self._outbox.book.of_anchor(item.id)
        # Asked first, always: whoever died after sending and before writing so, finds it here. And the one
        # that a block took need not be the newest.
        attempt, found = self._finder.look(attempts)
        if found is not None and found.block_number is not None:
            return self._finder.in_block(item, attempt, found)
        has_arrived = found is not None and attempt is attempts[0]
        used = self._chain.nonce(self._tools.publisher.address)
        if used > item.nonce:
            return self._finder.overtaken(item, attempts)
        beats = self._pulse.beats(self._chain.head().number)
        stuck = None if beats else "chain-stalled"
        if used < item.nonce:
            return self._fill(item, used) if beats else (False, stuck)
        if has_arrived and item.state == "prepared":
            # It arrived, and its answer was lost.
            self._outbox.mark_sent(item, self._tools.now())
            return True, None
        if beats and self._is_due(attempts[0].signed_at, self._rule.replace_after):
            done, stuck = self._replace(item, attempts, is_pending=found is not None)
            if done:
                return True, stuck
        if has_arrived:
            return False, stuck
        done, code = self._send(item, attempts)
        return done, code or stuck

    # Sending

    def _send(self, item: Item, attempts: list[Attempt]) -> Outcome:
        newest = attempts[0]
        if item.sent_at is not None and not self._is_due(item.sent_at, _RESEND_SECONDS):
            return False, item.last_error
        anchored_size, _ = self._contract_head()
        if anchored_size >= item.tree_size:
            if not self._finder.is_in_block(attempts):
                # By another transaction of this account: this one would cost something and anchor nothing.
                self._outbox.give_up(item, "head-anchored", self._tools.now())
            return True, None
        if anchored_size != newest.old_size:
            # What it was built on is gone, or something else came in: the contract would refuse its proof.
            done, held = self._replace(item, attempts, is_pending=False)
            if done or held:
                return done, held
            # Signed anew to the same bytes: before the schema kept what a proof begins with.
        code = self._hand_in(newest)
        if code in _TOO_CHEAP:
            # Signed when gas was cheaper, or the node holds an earlier one: a dearer one, the same nonce.
            if not self._is_due(newest.signed_at, _RESEND_SECONDS):
                self._outbox.note_error(item, code, self._tools.now())
                return False, code
            done, held = self._replace(item, attempts, is_pending=True)
            return done, held or code
        if code is not None:
            self._outbox.note_error(item, code, self._tools.now())
            return False, code
        self._outbox.mark_sent(item, self._tools.now())
        return True, None

    def _hand_in(self, attempt: Attempt) -> str | None:
        """Send one; the code of the refusal. A node that is not reached raises: perhaps it got it."""
        try:
            # Dying before, in or after this line: the row says prepared, the hash says whether it arrived.
            self._chain.send_raw(attempt.raw_transaction)
        except RejectedError as error:
            return error.code
        return None

    def _replace(self, item: Item, attempts: list[Attempt], *, is_pending: bool) -> Outcome:
        """Sign another one for the same head and nonce, and write it down; it is sent at the next step."""
        newest = attempts[0]
        if self._rule.kind == "free" and is_pending:
            # There is nothing to offer more of.
            return False, None
        contract_head = self._contract_head()
        if contract_head[0] >= item.tree_size:
            # It came in just now: nothing is gained by paying more.
            return False, None
        if self._tools.log.head()[0] < item.tree_size:
            # The log was put back to an earlier state under a database that knows a later one.
            return False, "log-behind-contract"
        try:
            fees = self._fees(newest)
            if fees == newest.fees and contract_head[0] == newest.old_size:
                return False, None
            signed = self.sign(item.tree_size, item.root_hash, contract_head, item.nonce, fees)
        except ForkedError:
            return False, "log-forked"
        except (RejectedError, SignerError) as error:
            # The cap, or the key: what is signed already is sent all the same.
            return False, error.code
        code = self.refuses(signed.transaction)
        if code is not None:
            return False, code
        try:
            # Dying before this commits: nothing was sent and nobody knows of it. After: it is sent at the
            # next step, and both are looked for.
            done = self._outbox.replace(
                item, newest, signed.transaction, self._tools.now(), old_size=signed.old_size
            )
        except IntegrityError:
            # Another process was first.
            return False, None
        return done, None

    def _fees(self, newest: Attempt) -> Fees:
        now = self._chain.fees()
        return now if self._rule.kind == "free" else bump(newest.fees, now, self._rule)

    def _fill(self, item: Item, gap: int) -> Outcome:
        """Nonces before ours have not been used: nothing of ours gets in until they are."""
        if self._outbox.has_mined_between(gap, item.nonce):
            # Ours, in a block that is gone: it goes back and is sent again.
            return False, None
        # Who has sent it perhaps sends it again; and ours waits in the pool meanwhile.
        if not self._is_due(item.prepared_at, _RESEND_SECONDS):
            return False, "nonce-gap"
        fillers = self._outbox.book.fillers(gap)
        if fillers:
            if self._chain.find(fillers[0].transaction_hash) is None:
                refused = self._hand_in(fillers[0])
                if refused not in _TOO_CHEAP:
                    return False, refused or "nonce-gap"
            if self._rule.kind == "free" or not self._is_due(fillers[0].signed_at, self._rule.replace_after):
                return False, "nonce-gap"
        fees = self._fees(fillers[0]) if fillers else self._chain.fees()
        transaction = self._tools.publisher.sign(
            to=self._tools.publisher.address,
            data=b"",
            gas=_FILLER_GAS + self._chain.profile.extra_gas,
            nonce=gap,
            chain_id=self._chain.profile.chain_id,
            fees=fees,
        )
        code = self.refuses(transaction)
        if code is not None:
            return False, code
        try:
            # Dying after this: it is found by its nonce and sent at the next step.
            self._outbox.book.add_filler(transaction, len(fillers) + 1, self._tools.now())
        except IntegrityError:
            return False, None
        return True, "nonce-gap"

    def _contract_head(self) -> tuple[int, bytes]:
        where = self._tools.deployment
        return calls.read_head(self._chain, where.contract, where.log_id)

    def _is_due(self, since: int, seconds: float) -> bool:
        # What lies in the future is over: a clock that was set back must not hold anchoring up for as long as
        # it was wrong.
        return not 0 <= self._tools.now() - since < seconds


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction, and the contract's head that its proof begins with."""

    transaction: SignedTransaction
    old_size: int
