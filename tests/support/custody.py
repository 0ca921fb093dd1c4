"""Custody chains: who takes part in them, and events that follow one another."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.custody import HANDOVERS, Custody, Party, countersign
from mizheng.verifier.event import Event
from mizheng.verifier.members import custody_members
from mizheng.verifier.signature import PrivateKey

from tests.support.world import World

# One minute an event.
BEGAN = parse_instant("2026-11-24T01:00:00Z")


def party(key: PrivateKey, name: str, organisation: str | None = None, role: str | None = None) -> Party:
    """Somebody with a key."""
    return Party(name, organisation, role, key.public)


@dataclass
class Chain:
    """Documents of one deposit's custody, each naming the one before it."""

    envelope_sha256: str
    documents: list[bytes] = field(default_factory=list)

    def event(self, what: str, by: Party, to: Party | None = None, **changes: Any) -> Custody:
        """The event that would come next."""
        fields = {
            "envelope_sha256": self.envelope_sha256,
            "previous": hashlib.sha256(self.documents[-1]).hexdigest() if self.documents else None,
            "what": what,
            "by": by,
            "to": to,
            "at": format_instant(BEGAN + 60 * len(self.documents)),
            "where": "示例市档案室",
            "why": "(2026)示01民初1号",
            "note": "示例" if what == "other" else None,
            "before": None,
            "after": None,
            "seal_number": "FT-0001" if what == "seal-number" else None,
        }
        # Drawn only where it is used: examples with a nonce of their own leave what is drawn elsewhere alone.
        nonce = changes.pop("nonce", None) or secrets.token_bytes(32)
        return Custody(**fields | changes, nonce=nonce)

    def add(self, event: Custody, key: PrivateKey, taker: PrivateKey | None = None) -> bytes:
        """Sign it by everybody who has to, and let it be the last one."""
        document = event.sign(key)
        if event.what in HANDOVERS:
            assert taker is not None
            document = countersign(document, taker)
        self.documents.append(document)
        return document


def put_on_record(world: World, documents: list[bytes], key: PrivateKey) -> dict[str, bytes]:
    """The members of a bundle: each document, its event signed by `key`, and its place at the log's end."""
    members = {}
    for number, document in enumerate(documents, 1):
        event = Event(key.public, hashlib.sha256(document).digest()).sign(key)
        index = world.append(event)
        members |= dict(
            zip(custody_members(number), (document, event, world.proof(index, index + 1)), strict=True)
        )
    return members
