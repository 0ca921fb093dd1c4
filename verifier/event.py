"""Events: how a document that nobody else may read gets its place in the log (formats §4).

The document (a disclosure, a custody event, later one of access) is signed by whoever it concerns and stays
where it was made. A company's enrolled key signs an event that names the document's SHA-256, and only the
event is deposited; the log's entry is the event's digest. The document holds a nonce of 32 random bytes, so
its digest says nothing of what is in it, not even to one who guesses everything else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import dsse
from .ahead import Signed
from .canonical import dump, from_hex, parse_typed
from .checkpoint import TlogProof, parse_tlog_proof
from .entry import entry_leaf_of
from .errors import FormatError, LimitError, ProofError
from .plain import Plain
from .signature import PrivateKey, PublicKey

EVENT_PAYLOAD_TYPE = "application/vnd.mizheng.event.v1+json"
EVENT_TYPE = "mizheng/event/v1"
# What makes a document's digest say nothing of it: as many random bytes as the digest has.
NONCE_BYTES = 32
# A court's name with its case number and the chamber is below 100 characters; a purpose may be a sentence.
MAX_TEXT = 1000

_PLAIN = Plain(type=EVENT_TYPE, public_key=str, document_sha256=str)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Event:
    """That its signer wants a document on record, of which nothing is told but this digest."""

    public_key: PublicKey
    document_sha256: bytes
    """Of the document's bytes as they are kept: 32 bytes."""

    def sign(self, key: PrivateKey) -> bytes:
        """The envelope's bytes, signed by the key the event names: what is sent to the notary."""
        if key.public != self.public_key:
            raise ValueError("an event is signed by the key it names")
        payload = dump(
            {
                "type": EVENT_TYPE,
                "public_key": self.public_key.to_base64(),
                "document_sha256": self.document_sha256.hex(),
            }
        )
        return dsse.sign(payload, EVENT_PAYLOAD_TYPE, key)


def parse_event(payload: bytes) -> Event:
    """Read an event's payload; VersionError for a later version, FormatError when malformed."""
    value = _PLAIN.read(payload) or parse_typed(
        payload, EVENT_TYPE, {"public_key": str, "document_sha256": str}
    )
    return Event(PublicKey.from_base64(value["public_key"]), from_hex(value["document_sha256"], 32))


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """An event as it was read, nothing checked yet: `verify_recorded` in its parts."""

    event: Event
    envelope: dsse.Envelope

    def verify_signature(self) -> None:
        """SignatureError unless the key that it names signed it."""
        self.envelope.verify(self.event.public_key)

    def signed(self) -> Iterator[Signed]:
        """The signature that `verify_signature` checks."""
        return self.envelope.signed(self.event.public_key)

    def verify_place(self, document_sha256: str, proof: bytes) -> TlogProof:
        """The proof; ProofError, FormatError unless the event is of that document, and the log has it."""
        if self.event.document_sha256.hex() != document_sha256:
            raise ProofError("the event is of another document")
        logged = parse_tlog_proof(proof)
        logged.verify(entry_leaf_of(bytes.fromhex(self.envelope.sha256)))
        return logged


def read_event(data: bytes) -> SignedEvent:
    """Read an event in its envelope; FormatError, VersionError."""
    envelope = dsse.parse(data, EVENT_PAYLOAD_TYPE)
    return SignedEvent(parse_event(envelope.payload), envelope)


def verify_recorded(document: bytes, event: bytes, proof: bytes) -> TlogProof:
    """The proof that `document` is on record: the event names it, its signature holds, and the log has it.

    ProofError, SignatureError or FormatError otherwise. Who signed the log's checkpoint, and whose key the
    event's is, is not judged here: a document says by its own signature whose word it is.
    """
    found = read_event(event)
    found.verify_signature()
    return found.verify_place(hashlib.sha256(document).hexdigest(), proof)


def check_text(text: str) -> str:
    """What a person wrote, as it may stand in a document that goes on record; FormatError for any other."""
    # What can be printed holds no control characters; to ask that is quicker.
    if not text.strip() or (not text.isprintable() and _CONTROL.search(text)):
        raise FormatError("a text that is empty or holds control characters")
    if len(text) > MAX_TEXT:
        raise LimitError("a text of {size} characters", size=len(text))
    return text
