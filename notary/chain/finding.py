"""Finding what was sent: which of an item's transactions the chain has, and what came of it in its block.

In a block and with its event: mined. In a block and anchored nothing, or overtaken by another transaction
with the same nonce: only a final block says so for good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mizheng.notary.chain.deploy import Deployment
from mizheng.notary.chain.evidence import AnchoredHead, NoEventError, capture_evidence
from mizheng.notary.chain.interface import Chain, FoundTransaction
from mizheng.notary.chain.outbox import Item, Outbox
from mizheng.notary.chain.publisher import Publisher
from mizheng.notary.chain.transactions import Attempt

# (something was done, code of what holds it up)
Outcome = tuple[bool, str | None]


class Log(Protocol):
    """What anchoring needs of the log."""

    def head(self) -> tuple[int, bytes, bytes]:
        """Size, root and signed checkpoint (note bytes) of the committed head."""

    def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        """RFC 6962 §2.1.2."""

    def keep_checkpoint(self, size: int) -> object:
        """Keep the signed checkpoint of this size for good."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What sender and anchorer share."""

    chain: Chain
    publisher: Publisher
    deployment: Deployment
    log: Log
    outbox: Outbox
    now: Callable[[], int]


class Finder:
    """Looks on one chain for what one account sent."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._chain = tools.chain
        self._outbox = tools.outbox

    def look(self, attempts: list[Attempt]) -> tuple[Attempt, FoundTransaction | None]:
        """The one that is in a block; else the newest that the chain knows; else the newest and None."""
        known: tuple[Attempt, FoundTransaction | None] | None = None
        for attempt in attempts:
            found = self._chain.find(attempt.transaction_hash)
            if found is not None and found.block_number is not None:
                return attempt, found
            if found is not None and known is None:
                known = attempt, found
        return known or (attempts[0], None)

    def in_block(self, item: Item, attempt: Attempt, found: FoundTransaction) -> Outcome:
        self._outbox.book.note_outcome(attempt.transaction_hash, found)
        if not found.succeeded:
            return self._refused(item, found, "reverted")
        try:
            evidence = capture_evidence(self._chain, found, self.anchored(item))
        except NoEventError:
            # The head was there already: the contract takes it again and says nothing.
            return self._refused(item, found, "no-event")
        # Dying here: it is found in its block again, and the evidence is taken again.
        self._outbox.mark_mined(item, attempt, found, evidence, self._tools.now())
        return True, None

    def anchored(self, item: Item) -> AnchoredHead:
        where = self._tools.deployment
        return AnchoredHead(where.contract, where.code_hash, where.log_id, item.tree_size, item.root_hash)

    def _refused(self, item: Item, found: FoundTransaction, reason: str) -> Outcome:
        """It is in a block and anchored nothing. Only a final block says so for good."""
        final = self._chain.final()
        if final is None or found.block_number is None or final.number < found.block_number:
            self._outbox.note_error(item, reason, self._tools.now())
            return False, None
        self._outbox.give_up(item, reason, self._tools.now())
        return True, None

    def overtaken(self, item: Item, attempts: list[Attempt]) -> Outcome:
        """A block has another transaction with our nonce: whose, only a final block says for good."""
        is_final = self._chain.nonce(self._tools.publisher.address, at_final=True) > item.nonce
        if self.is_in_block(attempts):
            # Ours: it has come in since we asked.
            return True, None
        if not is_final:
            return False, "nonce-taken"
        # Dying here: the same is found out again.
        self._outbox.give_up(item, "nonce-used", self._tools.now())
        return True, None

    def is_in_block(self, attempts: list[Attempt]) -> bool:
        found = self.look(attempts)[1]
        return found is not None and found.block_number is not None
