"""The anchorer: brings the log's head onto the chain, step by step, through an outbox.

    decide → build the proof → sign → write down → send → ask → in a block: evidence → final: evidence again

What is to be sent is written down, signed and hashed, before it is sent; sending again is harmless; a lost
answer is found by the hash; a block that disappears puts the item back. Any process may die on any line: what
is true then stands in a comment beside it. The contract, not our memory, says which head is the last one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.beacon import keep_beacon
from mizheng.notary.chain.deploy import Deployment
from mizheng.notary.chain.evidence import AnchoredHead, NoEventError, capture_evidence
from mizheng.notary.chain.interface import Chain, ChainError, FoundTransaction, RejectedError
from mizheng.notary.chain.outbox import IN_FLIGHT, Item, Outbox
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.status import StatusBoard
from mizheng.verifier.errors import ConsistencyError
from mizheng.verifier.merkle import verify_consistency
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

# Measured on a log of 65,535 leaves: 76,000 with a proof of 17 nodes.
_ANCHOR_GAS = 90_000
# Calldata 512, at most 1,280 under EIP-7623, and two hashes.
_GAS_PER_PROOF_NODE = 2_500
# A transaction that the node does not know is sent again after this long; a block of Ethereum takes twelve
# seconds.
_RESEND_SECONDS = 15
# The chain behind a URL does not change often; but a node restored from elsewhere must be noticed before
# we send.
_IDENTITY_SECONDS = 30


class Log(Protocol):
    """What the anchorer needs of the log."""

    def head(self) -> tuple[int, bytes, bytes]:
        """Size, root and signed checkpoint (note bytes) of the committed head."""

    def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        """RFC 6962 §2.1.2."""

    def keep_checkpoint(self, size: int) -> object:
        """Keep the signed checkpoint of this size for good."""


class Anchorer:
    """Anchors one log on one chain. `step` from one thread at a time."""

    def __init__(
        self,
        engine: Engine,
        chain: Chain,
        publisher: Publisher,
        deployment: Deployment,
        log: Log,
        *,
        interval: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`interval`: seconds from one anchoring to the next when there is something to anchor."""
        self._engine = engine
        self._chain = chain
        self._publisher = publisher
        self._deployment = deployment
        self._log = log
        self._interval = interval
        self._clock = clock
        self._outbox = Outbox(engine, chain.profile, deployment, publisher.address)
        self._status = StatusBoard(engine, chain.profile.name)
        self._identified_at = float("-inf")

    @property
    def waiting_for(self) -> str | None:
        """What holds anchoring up, as a code; None if nothing does but time."""
        return self._status.waiting_for

    def step(self) -> bool:
        """Do one bounded piece of work; whether there may be more to do at once.

        What goes wrong with the chain becomes `waiting_for`; errors of the database are raised.
        """
        done = False
        held_up = None
        try:
            held_up = self._identify()
            if held_up is None:
                for work in (self._beacon, self._advance, self._settle, self._prepare):
                    done, code = work()
                    held_up = held_up or code
                    if done:
                        break
        except ChainError as error:
            # Ask which chain this is before anything else is done with it.
            self._identified_at = float("-inf")
            done, held_up = False, error.code
        # Only a whole round shows that nothing is in the way.
        if held_up or not done:
            self._status.show(held_up, self._now())
        return done

    # Each of these returns (something was done, code of what holds it up). What lies in the future is over:
    # a clock that was set back must not hold anchoring up for as long as it was wrong.

    def _identify(self) -> str | None:
        if 0 <= self._clock() - self._identified_at < _IDENTITY_SECONDS:
            return None
        identity = self._chain.check_identity(self._deployment.contract, self._deployment.code_hash)
        if identity.state != "ok":
            return identity.state
        self._identified_at = self._clock()
        return None

    def _beacon(self) -> tuple[bool, str | None]:
        return keep_beacon(self._engine, self._chain, self._now()), None

    def _advance(self) -> tuple[bool, str | None]:
        """Bring what is in flight into a block."""
        item = self._outbox.oldest(IN_FLIGHT)
        if item is None:
            return False, None
        # Asked first, always: whoever died after sending and before writing so, finds it here.
        found = self._chain.find(item.transaction_hash)
        if found is None:
            return self._send(item)
        if found.block_number is None:
            if item.state == "prepared":
                self._outbox.mark_sent(item, self._now())
            return False, None
        if not found.succeeded:
            return self._refused(item, found, "reverted")
        try:
            evidence = capture_evidence(self._chain, found, self._anchored(item))
        except NoEventError:
            # The head was there already: the contract takes it again and says nothing.
            return self._refused(item, found, "no-event")
        # Dying here: it is found in its block again, and the evidence is taken again.
        self._outbox.mark_mined(item, found, evidence, self._now())
        return True, None

    def _send(self, item: Item) -> tuple[bool, str | None]:
        if self._chain.nonce(self._publisher.address, at_final=True) > item.nonce:
            # A final block holds a transaction with this nonce. Ours? It may have come in since we asked.
            if self._chain.find(item.transaction_hash) is None:
                # Dying here: the same is found out again.
                self._outbox.give_up(item, "nonce-used", self._now())
            return True, None
        if item.sent_at is not None and 0 <= self._now() - item.sent_at < _RESEND_SECONDS:
            return False, item.last_error
        try:
            # Dying before, in or after this line: the row says prepared, the hash says whether it arrived.
            self._chain.send_raw(item.raw_transaction)
        except RejectedError as error:
            if error.code == "fee-too-low":
                # Signed when gas was cheaper. A new one with the same nonce: at most one of the two can
                # ever count, and if it is this one, `_adopt` finds it.
                self._outbox.give_up(item, error.code, self._now())
                return False, error.code
            self._outbox.note_error(item, error.code, self._now())
            return False, error.code
        self._outbox.mark_sent(item, self._now())
        return True, None

    def _refused(self, item: Item, found: FoundTransaction, reason: str) -> tuple[bool, str | None]:
        """It is in a block and anchored nothing. Only a final block says so for good."""
        final = self._chain.final()
        if final is None or found.block_number is None or final.number < found.block_number:
            self._outbox.note_error(item, reason, self._now())
            return False, None
        self._outbox.give_up(item, reason, self._now())
        return True, None

    def _settle(self) -> tuple[bool, str | None]:
        """See the oldest item that is in a block become final, or go back."""
        item = self._outbox.oldest(("mined",))
        if item is None or item.block_number is None:
            return False, None
        found = self._chain.find(item.transaction_hash)
        if found is None or found.block_hash != item.block_hash:
            # Dying here: it is still not in that block at the next start.
            self._outbox.put_back(item, self._now())
            return True, None
        final = self._chain.final()
        if final is None or final.number < item.block_number:
            return False, None
        # Taken again: from here on it is what courts get, and the node may have been of two minds before.
        evidence = capture_evidence(self._chain, found, self._anchored(item))
        # Dying here: it is still mined, and final again at the next step.
        self._outbox.mark_final(item, evidence, self._now())
        return True, None

    def _prepare(self) -> tuple[bool, str | None]:
        """Write down the next transaction, if the log has grown and it is time."""
        size, root, note = self._log.head()
        newest = self._outbox.newest()
        if size == 0 or (newest is not None and newest.tree_size >= size):
            return False, None
        if self._outbox.oldest(IN_FLIGHT) is not None:
            return False, None
        if newest is not None and 0 <= self._clock() - newest.prepared_at < self._interval:
            return False, None
        contract, log_id = self._deployment.contract, self._deployment.log_id
        holder = calls.read_publisher(self._chain, contract, log_id)
        if holder != self._publisher.address:
            return False, "log-not-open" if holder is None else "not-publisher"
        # Asked every time: a head of ours may have come in or gone, and a thief of the key may have been
        # here.
        old_size, old_root = calls.read_head(self._chain, contract, log_id)
        if old_size >= size:
            return self._adopt(old_size, size)
        proof = self._log.consistency_proof(old_size, size) if old_size else []
        try:
            if old_size:
                verify_consistency(old_size, old_root, size, root, proof)
        except ConsistencyError:
            # The contract would refuse it. Somebody anchored another log under our name, or ours was
            # rewritten.
            return False, "log-forked"
        fees = self._chain.fees()
        gas = _ANCHOR_GAS + _GAS_PER_PROOF_NODE * len(proof)
        if self._chain.balance(self._publisher.address) < gas * fees.max_fee:
            return False, "insufficient-funds"
        transaction = self._publisher.sign(
            to=contract,
            data=calls.anchor_data(log_id, size, root, proof),
            gas=gas,
            nonce=self._chain.nonce(self._publisher.address),
            chain_id=self._chain.profile.chain_id,
            fees=fees,
        )
        for given_up in self._outbox.failed_at(size):
            if given_up.transaction_hash == transaction.hash:
                # Signed again to the same bytes: the chain asks for no more than it did.
                self._outbox.revive(given_up, self._now())
                return False, given_up.last_error
        # Dying here: one more signed checkpoint is kept, for a size that is perhaps never anchored.
        self._log.keep_checkpoint(size)
        try:
            # Dying before this commits: nothing was sent and nobody knows of it. After: it is sent at the
            # next step.
            self._outbox.prepare(size, root, note, transaction, self._now())
        except IntegrityError:
            # Another process prepared at the same moment, or an item that a reorganisation put back has this
            # nonce. Look again a little later.
            return False, None
        return True, None

    def _adopt(self, anchored_size: int, size: int) -> tuple[bool, str | None]:
        """The contract has our head, but no item of ours is live: one that was given up came in after all?"""
        for item in self._outbox.failed_at(anchored_size):
            found = self._chain.find(item.transaction_hash)
            # no-event: it succeeded, but another one had anchored the head before it.
            if found is not None and found.succeeded and item.last_error != "no-event":
                self._outbox.revive(item, self._now())
                return True, None
        # The database is older than the chain: restored from a backup. The log must catch up before it
        # goes on.
        return False, "log-behind-contract" if anchored_size > size else "anchor-unknown"

    def _anchored(self, item: Item) -> AnchoredHead:
        where = self._deployment
        return AnchoredHead(where.contract, where.code_hash, where.log_id, item.tree_size, item.root_hash)

    def _now(self) -> int:
        return int(self._clock())
