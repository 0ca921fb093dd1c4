"""NAME.custody, beside NAME.seal: every custody event of the deposit's evidence, and what put it on record.

What is true if we die:
- before an event is kept: nothing was sent
- after it is kept: it is `waiting`, and is sent, in its turn, by the next command that records anything
- after the notary's answer is kept: it is on record
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mizheng.cli.sealfile.beside import Beside
from mizheng.cli.sealfile.keeping import Keeping
from mizheng.verifier.canonical import from_base64, require_fields, to_base64
from mizheng.verifier.members import custody_members


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One custody event as its company keeps it."""

    document: bytes
    """custody/NNNN.dsse.json, signed by all who have to."""
    event: bytes | None = None
    """What was, or is about to be, sent."""
    answer: dict[str, Any] | None = None
    """{leaf_index, received_at, tlog_proof}, checked; None until then."""


class CustodyRegister(Keeping[KeptEvent]):
    """The chain of custody of one seal, oldest event first."""

    FILE = Beside(".custody", b"mizheng-custody/v1\n", b"mizheng/custody/v1\n")
    TYPE = "mizheng/custody-register/v1"
    # Ten thousand events take some sixty million bytes.
    MAX_BYTES = 1 << 30

    @classmethod
    def dump_item(cls, item: KeptEvent) -> dict[str, Any]:
        return {
            "document": to_base64(item.document),
            "event": None if item.event is None else to_base64(item.event),
            "answer": item.answer,
        }

    @classmethod
    def parse_item(cls, value: Any) -> KeptEvent:
        null = type(None)
        fields = require_fields(value, {"document": str, "event": (str, null), "answer": (dict, null)})
        event = None if fields["event"] is None else from_base64(fields["event"])
        return KeptEvent(from_base64(fields["document"]), event, fields["answer"])

    def members(self) -> dict[str, bytes]:
        """What a bundle carries of them; of one that waits, the document alone."""
        found = {}
        for number, kept in enumerate(self.kept, 1):
            document, event, proof = custody_members(number)
            found[document] = kept.document
            if kept.answer is not None:
                assert kept.event is not None  # noqa: S101 - there is an answer to it
                found[event] = kept.event
                found[proof] = str(kept.answer["tlog_proof"]).encode()
        return found
