"""The anchorer: brings the log's head onto the chain, step by step, through an outbox.

    decide → build the proof → sign → write down → send → ask → in a block: evidence → final: evidence again

What is to be sent is written down, signed and hashed, before it is sent; sending again is harmless; a lost
answer is found by the hash; a block that disappears puts the item back. Any process may die on any line: what
is true then stands in a comment beside it. The contract, not our memory, says which head is the last one.

How one item gets into a block is the sender's part: mizheng.notary.chain.sending.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from itertools import takewhile

from mizheng.notary.anchoring.policy import AnchorPolicy, load_urgent_size
from mizheng.notary.chain import contract as calls
from mizheng.notary.chain.beacon import BeaconKeeper
from mizheng.notary.chain.deploy import Deployment
from mizheng.notary.chain.evidence import capture_final
from mizheng.notary.chain.finding import Finder, Log, Outcome, Tools
from mizheng.notary.chain.interface import Chain, ChainError
from mizheng.notary.chain.lull import Lull
from mizheng.notary.chain.outbox import Item, Outbox
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.pulse import Pulse
from mizheng.notary.chain.sending import ForkedError, Sender
from mizheng.notary.chain.standing import Standing
from mizheng.notary.chain.status import StatusBoard
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

logger = logging.getLogger(__name__)

# The chain behind a URL does not change often; but a node restored from elsewhere must be noticed before
# we send.
_IDENTITY_SECONDS = 30
# An account empties in days; and a final block is taken back never, or once.
_ACCOUNT_SECONDS = 60
_WATCH_SECONDS = 60
# An alarm that another process raised, or somebody has looked at; before anything becomes final it is asked
# for each time.
_ALARM_SECONDS = 5
# Without a limit of the operator's own: when the account pays for no more than this many anchors.
_ANCHORS_LEFT = 10


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
        entries: int | None = None,
        clock: Callable[[], float] = time.time,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`interval` and `entries` as in AnchorPolicy. `clock` tells the time of day, `elapsed` seconds that
        nobody can set.
        """
        self._engine = engine
        self._chain = chain
        self._publisher = publisher
        self._deployment = deployment
        self._log = log
        self._policy = AnchorPolicy(interval, entries)
        self._clock = clock
        self._elapsed = elapsed
        self._outbox = Outbox(engine, chain.profile, deployment, publisher.address)
        self._beacons = BeaconKeeper(engine, chain)
        self._standing: Standing[Item] = Standing()
        # What is under way, and what is in a block: each looked at once a head.
        works = ("advance", "settle", "stay")
        self._lulls: dict[str, Lull[Outcome]] = {work: Lull(elapsed) for work in works}
        self._head_hash: bytes | None = None
        """Of the chain, as of this step; None: not asked yet."""
        self._pulse = Pulse(chain.profile.fee_rule.stalled_after, elapsed)
        tools = Tools(chain, publisher, deployment, log, self._outbox, self._now)
        self._finder = Finder(tools)
        self._sender = Sender(tools, self._finder, self._pulse)
        self._status = StatusBoard(engine, chain.profile.name)
        self._identified_at = float("-inf")
        self._counted_at = float("-inf")
        self._watched_at = float("-inf")
        self._alarmed_at = float("-inf")
        self._has_alarm = False

    @property
    def waiting_for(self) -> str | None:
        """What holds anchoring up, as a code; None if nothing does but time."""
        return self._status.waiting_for

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes of what will hold anchoring up if nobody does anything."""
        return self._status.warnings

    @property
    def balance(self) -> int | None:
        """Wei, as of a minute ago at most; None while nobody has looked, or where gas is free."""
        return self._status.balance

    def step(self) -> bool:
        """Do one bounded piece of work; whether there may be more to do at once.

        What goes wrong with the chain becomes `waiting_for`; errors of the database are raised.
        """
        done = False
        held_up = None
        self._head_hash = None
        # All of one moment. Another process may go on meanwhile: each change names the state it starts from.
        self._standing = self._outbox.standing()
        try:
            held_up = self._identify()
            if held_up is None:
                self._count()
                works = (self._beacon, self._watch, self._advance, self._settle, self._prepare)
                for work in works:
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

    # Each of these returns (something was done, code of what holds it up).

    def _identify(self) -> str | None:
        if self._elapsed() - self._identified_at < _IDENTITY_SECONDS:
            return None
        identity = self._chain.check_identity(self._deployment.contract, self._deployment.code_hash)
        if identity.state != "ok":
            return identity.state
        self._identified_at = self._elapsed()
        return None

    def _count(self) -> None:
        """Look into the account now and then: what it has, and whether that will do."""
        if self._elapsed() - self._counted_at < _ACCOUNT_SECONDS:
            return
        rule = self._chain.profile.fee_rule
        if rule.kind != "free":
            balance = self._chain.balance(self._publisher.address)
            low = rule.low_balance
            if low is None:
                low = _ANCHORS_LEFT * self._outbox.book.newest_worst_cost()
            self._status.show_account(balance, ("balance-low",) if balance < low else (), self._now())
        self._counted_at = self._elapsed()

    def _beacon(self) -> Outcome:
        return self._beacons.step(self._now()), None

    def _watch(self) -> Outcome:
        """See whether the newest final anchor is still in its block: then all older ones are, too.

        No chain takes a final block back. Where one did, its rule was wrong, or its node lies: nothing of it
        becomes final any more until the operator has looked.
        """
        if self._elapsed() - self._watched_at < _WATCH_SECONDS:
            return False, self._known_alarm()
        item = self._outbox.newest_final()
        if item is None or item.block_number is None:
            self._watched_at = self._elapsed()
            return False, self._known_alarm()
        block = self._chain.block(item.block_number)
        # No block at that height: a node that lags behind, or has been restored. It says nothing about ours.
        if block is None or block.hash == item.block_hash:
            self._watched_at = self._elapsed()
            return False, self._known_alarm()
        logger.critical(
            "chain %s took a final block back: %d was %s and is %s; the anchor of %d entries is not final",
            self._chain.profile.name,
            item.block_number,
            (item.block_hash or b"").hex(),
            block.hash.hex(),
            item.tree_size,
        )
        # Dying here: it is found out again. The next older one is looked at in the next step.
        self._outbox.take_back(item, block.hash, self._now())
        self._alarmed_at = float("-inf")
        return True, "final-reversed"

    def _known_alarm(self) -> str | None:
        """The code to show; it may be some seconds old."""
        if self._elapsed() - self._alarmed_at >= _ALARM_SECONDS:
            self._has_alarm = self._outbox.has_alarm()
            self._alarmed_at = self._elapsed()
        return "final-reversed" if self._has_alarm else None

    def _advance(self) -> Outcome:
        """Bring what is in flight into a block."""
        item = self._standing.in_flight
        if item is None:
            self._pulse.rest()
            return False, None
        # Not while it has to be sent: that waits for nothing.
        if item.state == "prepared":
            return self._sender.advance(item)
        return self._once_a_head("advance", item, self._sender.advance)

    def _once_a_head(self, work: str, item: Item, look: Callable[[Item], Outcome]) -> Outcome:
        """Look at it, unless nothing was to be done for it at this very head of the chain a moment ago."""
        # Read before it is looked at: a block that comes in between is another head at the next step.
        if self._head_hash is None:
            self._head_hash = self._chain.head().hash
        question = item, self._head_hash
        lull = self._lulls[work]
        known = lull.answer(question)
        if known is not None:
            return known
        outcome = look(item)
        if not outcome[0]:
            lull.note(question, outcome)
        return outcome

    def _settle(self) -> Outcome:
        """See whether all that is in a block stays there, and the oldest of it become final."""
        oldest, newest = self._standing.oldest_mined, self._standing.newest_mined
        if oldest is None or newest is None:
            return False, None
        if newest.id != oldest.id:
            outcome = self._once_a_head("stay", newest, self._stay)
            if outcome[0]:
                return outcome
        return self._once_a_head("settle", oldest, self._settle_one)

    def _stay(self, newest: Item) -> Outcome:
        """See whether the newest is still in its block: then so are all before it.

        Blocks may be replaced long before older anchors are final; what was in them is sent again at once.
        """
        if not self._is_gone(newest):
            return False, None
        gone = list(takewhile(self._is_gone, self._outbox.mined()))
        # Dying in here: the newest is the last one to go back, so that it is found gone again.
        for item in reversed(gone):
            self._outbox.put_back(item, self._now())
        return True, None

    def _is_gone(self, item: Item) -> bool:
        block = None if item.block_number is None else self._chain.block(item.block_number)
        # No block at that height: as in `_watch`.
        return block is not None and block.hash != item.block_hash

    def _settle_one(self, item: Item) -> Outcome:
        if item.block_number is None:
            return False, None
        found = self._chain.find(item.transaction_hash)
        if found is None or found.block_hash != item.block_hash:
            # Dying here: it is still not in that block at the next start.
            self._outbox.put_back(item, self._now())
            return True, None
        if not self._chain.holds_final(item.block_number, found.block_hash or b""):
            return False, None
        if self._outbox.has_alarm():
            return False, None
        # Taken again: from here on it is what courts get, and the node may have been of two minds before.
        earlier = self._outbox.evidence_of(item)
        evidence = capture_final(self._chain, found, self._finder.anchored(item), earlier)
        self._outbox.book.note_outcome(item.transaction_hash, found)
        # Dying here: it is still mined, and final again at the next step.
        self._outbox.mark_final(item, evidence, self._now())
        return True, None

    def _prepare(self) -> Outcome:
        """Write down the next transaction, if the log has grown and it is time."""
        size, root, note = self._log.head()
        newest = self._standing.newest
        if size == 0 or (newest is not None and newest.tree_size >= size):
            return False, None
        if self._standing.in_flight is not None:
            return False, None
        if not self._policy.is_due(newest, size, load_urgent_size(self._engine), self._clock()):
            return False, None
        contract, log_id = self._deployment.contract, self._deployment.log_id
        holder = calls.read_publisher(self._chain, contract, log_id)
        if holder != self._publisher.address:
            return False, "log-not-open" if holder is None else "not-publisher"
        # Asked every time: a head of ours may have come in or gone, and a thief of the key may have been
        # here.
        contract_head = calls.read_head(self._chain, contract, log_id)
        if contract_head[0] >= size:
            return self._adopt(contract_head[0], size)
        # The chain's count is the least; what is live here goes before it: the node may lag behind, or an
        # item of ours be out of its block at the moment.
        nonce = self._outbox.next_nonce(self._chain.nonce(self._publisher.address))
        try:
            signed = self._sender.sign(size, root, contract_head, nonce, self._chain.fees())
        except ForkedError:
            return False, "log-forked"
        code = self._sender.refuses(signed.transaction)
        if code is not None:
            return False, code
        for given_up in self._outbox.failed_at(size):
            if given_up.transaction_hash == signed.transaction.hash:
                # Signed again to the same bytes: the chain asks for no more than it did.
                self._outbox.revive(given_up, self._now())
                return False, given_up.last_error
        # Dying here: one more signed checkpoint is kept, for a size that is perhaps never anchored.
        self._log.keep_checkpoint(size)
        try:
            # Dying before this commits: nothing was sent and nobody knows of it. After: it is sent at the
            # next step.
            self._outbox.prepare(size, root, note, signed.transaction, self._now(), old_size=signed.old_size)
        except IntegrityError:
            # Another process prepared at the same moment, or an item that a reorganisation put back has this
            # nonce. Look again a little later.
            return False, None
        return True, None

    def _adopt(self, anchored_size: int, size: int) -> Outcome:
        """The contract has our head, but no item of ours is live: one that was given up came in after all?"""
        for item in self._outbox.failed_at(anchored_size):
            _, found = self._finder.look(self._outbox.book.of_anchor(item.id))
            # no-event: it succeeded, but another one had anchored the head before it.
            if found is not None and found.succeeded and item.last_error != "no-event":
                self._outbox.revive(item, self._now())
                return True, None
        # The database is older than the chain: restored from a backup. The log must catch up before it
        # goes on.
        return False, "log-behind-contract" if anchored_size > size else "anchor-unknown"

    def _now(self) -> int:
        return int(self._clock())
