"""Custody chains: who takes part in them, and events that follow one another."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.custody import HANDOVERS, Custody, Party, countersign
from mizheng.verifier.signature import PrivateKey

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
            "nonce": secrets.token_bytes(32),
        }
        return Custody(**fields | changes)

    def add(self, event: Custody, key: PrivateKey, taker: PrivateKey | None = None) -> bytes:
        """Sign it by everybody who has to, and let it be the last one."""
        document = event.sign(key)
        if event.what in HANDOVERS:
            assert taker is not None
            document = countersign(document, taker)
        self.documents.append(document)
        return document
