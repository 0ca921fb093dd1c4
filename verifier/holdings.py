"""The chain of custody: whether events follow one another, and who has the evidence then (formats §8).

The depositor has it first. A hand-over moves what the giver has to the taker; a hand-over of a copy leaves it
with both, and each has his own from then on. Only somebody who has it can give it or record anything of it.
What the chain cannot show: that nothing happened which nobody recorded, and that none is missing at its end.
"""

from __future__ import annotations

from collections.abc import Mapping

from .canonical import parse_instant
from .custody import Custody, CustodyDocument
from .errors import ProofError
from .signature import PublicKey


class Holdings:
    """A chain of custody, event by event."""

    def __init__(self, envelope_sha256: str, depositor: PublicKey) -> None:
        """`envelope_sha256`: the deposit's, hex. `depositor`: the statement's key, which has it first."""
        self._envelope_sha256 = envelope_sha256
        self._numbers: dict[str, int] = {}
        self._at: int | None = None
        # keyid to the digests that what he has was last found to have; none where nobody looked.
        self._held: dict[str, frozenset[str]] = {depositor.keyid: frozenset()}

    @property
    def count(self) -> int:
        """How many events were added."""
        return len(self._numbers)

    @property
    def last(self) -> str | None:
        """SHA-256 of the last event's document, hex: what the next one names."""
        return next(reversed(self._numbers), None)

    @property
    def held(self) -> Mapping[str, frozenset[str]]:
        """keyid of everybody who has it now, to what it was last found to be: digests in hex, maybe none."""
        return self._held

    def add(self, document: CustodyDocument) -> None:
        """Take the next event; ProofError where it cannot be that. Signatures are the caller's to check."""
        self.require(document.event)
        self._move(document.event)
        self._numbers[document.sha256] = self.count + 1
        self._at = parse_instant(document.event.at)

    def require(self, event: Custody) -> None:
        """ProofError unless this could be the next event."""
        if event.envelope_sha256 != self._envelope_sha256:
            raise ProofError("the custody event is of another deposit")
        self._require_link(event.previous)
        if self._at is not None and parse_instant(event.at) < self._at:
            raise ProofError("the custody event is dated before the one that it follows")
        known = self._held.get(event.by.public_key.keyid)
        if known is None:
            raise ProofError("the custody event is of somebody who did not have the evidence")
        if known and event.before is not None and event.before not in known:
            raise ProofError("the content is another one than after the last event of whoever had it")

    def _require_link(self, previous: str | None) -> None:
        if previous == self.last:
            return
        if previous is None:
            raise ProofError("the chain of custody is forked: a second event calls itself the first")
        if previous in self._numbers:
            raise ProofError(
                "the chain of custody is forked: another event follows event {number}, too",
                number=self._numbers[previous],
            )
        raise ProofError("the chain of custody is broken: the event before this one is missing")

    def _move(self, event: Custody) -> None:
        giver = event.by.public_key.keyid
        known = self._held[giver]
        # One who got a second copy back has two, and says by `before` of which the event is.
        others = known - {event.before} if event.before is not None else frozenset()
        found = frozenset(() if event.after is None else (event.after,))
        if event.what == "destruction":
            if others:
                self._held[giver] = others
            else:
                del self._held[giver]
        elif event.to is None:
            if found:
                self._held[giver] = others | found
        else:
            self._hand_over(event, giver, event.to.public_key.keyid, others)

    def _hand_over(self, event: Custody, giver: str, taker: str, others: frozenset[str]) -> None:
        # What was not looked at on the way is taken to be what it last was.
        moved = self._held[giver] if event.after is None else frozenset((event.after,))
        self._held[taker] = self._held.get(taker, frozenset()) | moved
        if event.what == "copy-handover":
            self._held[giver] = others | moved
        elif others:
            self._held[giver] = others
        else:
            del self._held[giver]
