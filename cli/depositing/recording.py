"""Putting documents on record: an event signed, kept, sent, the answer checked and kept.

Only the event is sent: a digest, signed. What the document says stays here.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mizheng.cli.depositing.client import NotaryClient
from mizheng.cli.depositing.logkeys import believing
from mizheng.cli.depositing.one import OUTDATED, check_answer
from mizheng.cli.errors import RefusedFault
from mizheng.cli.keys.signing import unlock
from mizheng.cli.sealfile.keeping import Keeping
from mizheng.cli.session import Session
from mizheng.verifier.event import Event

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey


class Recordable(Protocol):
    """What is kept of a document that goes on record."""

    @property
    def document(self) -> bytes: ...

    @property
    def event(self) -> bytes | None:
        """What was, or is about to be, sent."""

    @property
    def answer(self) -> dict[str, Any] | None:
        """{leaf_index, received_at, tlog_proof}, checked; None until then."""


K = TypeVar("K", bound=Recordable)


class Recorder:
    """Sends what waits, with one client; the signing key is unlocked when it is first needed."""

    def __init__(self, session: Session, client: NotaryClient, known: PrivateKey | None = None) -> None:
        """`known`: a key that is unlocked already."""
        self._session = session
        self._client = client
        self._known = known

    def send(self, register: Keeping[K], place: int) -> K:
        """Put one on record. UnavailableFault, RefusedFault: it stays waiting."""
        kept = register.kept[place]
        if kept.event is not None:
            try:
                return self._send(register, place, kept.event)
            except RefusedFault as error:
                # Signed in an earlier run, with a key that was replaced since.
                if error.problem not in OUTDATED:
                    raise
        event = Event(self._key.public, hashlib.sha256(kept.document).digest()).sign(self._key)
        # Kept before anybody else sees it: sent again, it is the same entry.
        register.change(place, event=event)
        return self._send(register, place, event)

    def _send(self, register: Keeping[K], place: int, event: bytes) -> K:
        answer = self._client.record_event(event)
        checked = believing(
            self._session, self._client, lambda organisation: check_answer(organisation, event, answer)
        )
        return register.change(place, answer=checked)

    @cached_property
    def _key(self) -> PrivateKey:
        entry = self._session.active_key
        if self._known is not None and self._known.public == entry.public:
            return self._known
        return unlock(self._session.home, entry)
