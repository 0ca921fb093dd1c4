"""Custody events: who had the evidence of a deposit, and what was done with it (formats §8).

Each names the digest of the one before it, so that events form a chain. Two sign what changes hands, giver
and taker; one signs all else. Each is on record in the log through an event (`event`), which tells nobody
what it says. Here are single events; whether some of them make one unbroken chain, `holdings` says.

The two signatures of a hand-over come one after the other, from two machines:

    offer = Custody(...).sign(giver)        the giver's alone
    countersign(offer, taker)               the document, signed by both
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType
from typing import Any

from . import dsse
from .ahead import Signed
from .canonical import dump, from_hex, parse_instant, parse_object, parse_typed, require_fields, to_base64
from .dsse import Envelope
from .errors import FormatError, ProofError, SignatureError
from .event import NONCE_BYTES, check_text
from .plain import Plain
from .signature import PrivateKey, PublicKey

CUSTODY_PAYLOAD_TYPE = "application/vnd.mizheng.custody.v1+json"
CUSTODY_TYPE = "mizheng/custody/v1"

HANDOVERS = ("handover", "copy-handover")
"""Signed by giver and taker. After the first the giver has nothing left; after the second both have it."""
WHAT = (
    *HANDOVERS,
    "opening",
    "copy",
    "medium-change",
    "seal-number",
    "inspection",
    "storage",
    "destruction",
    "other",
)
"""All that an event can be of. The last one says in `note` what it was."""
# What these do to the content is what they are about; all others leave it as it was.
_CHANGING = ("opening", "medium-change", "other")

_TEXT = (str, NoneType)
_PARTY: dict[str, Any] = {"name": str, "organisation": _TEXT, "role": _TEXT, "public_key": str}
_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("envelope_sha256", "what", "at", "where", "why", "nonce"), str),
    **dict.fromkeys(("previous", "note", "before", "after", "seal_number"), _TEXT),
}
_PLAIN_PARTY = Plain(**_PARTY)
_PLAIN = Plain(type=CUSTODY_TYPE, **_FIELDS, by=_PLAIN_PARTY, to=(_PLAIN_PARTY, NoneType))


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who has, gives or takes."""

    name: str
    """As it is to stand in the record: a pseudonym will do, the key says who it is."""
    organisation: str | None
    role: str | None
    public_key: PublicKey

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "organisation": self.organisation,
            "role": self.role,
            "public_key": self.public_key.to_base64(),
        }


@dataclass(frozen=True, slots=True)
class Custody:
    """One custody event. The texts have 1 to 1,000 characters each; all of them are the signers' word."""

    envelope_sha256: str
    """The deposit whose evidence it is about, hex."""
    previous: str | None
    """SHA-256 of the document of the event before this one, hex; None for the first."""
    what: str
    """One of `WHAT`."""
    by: Party
    """Who did it; in a hand-over the giver."""
    to: Party | None
    """In a hand-over the taker, else None."""
    at: str
    """RFC 3339, UTC."""
    where: str
    why: str
    note: str | None
    """What exactly; None where `what` says it all."""
    before: str | None
    """SHA-256 of what it is about before it, hex; None where nobody looked."""
    after: str | None
    """The same after it."""
    seal_number: str | None
    """Of the physical seal that is on it after the event."""
    nonce: bytes
    """32 random bytes: the digest of the signed document tells nothing of it."""

    def __post_init__(self) -> None:
        """FormatError, or ProofError where the event contradicts itself."""
        _check(self)

    @property
    def parties(self) -> tuple[Party, ...]:
        """All who sign the finished document, in their order."""
        return (self.by,) if self.to is None else (self.by, self.to)

    def sign(self, key: PrivateKey) -> bytes:
        """The document of an event with one signature; of a hand-over, the giver's offer to the taker."""
        if key.public != self.by.public_key:
            raise ValueError("a custody event is signed by the key of who did it")
        return dsse.sign(self._payload(), CUSTODY_PAYLOAD_TYPE, key)

    def _payload(self) -> bytes:
        return dump(
            {
                "type": CUSTODY_TYPE,
                "envelope_sha256": self.envelope_sha256,
                "previous": self.previous,
                "what": self.what,
                "by": self.by.to_json(),
                "to": None if self.to is None else self.to.to_json(),
                "at": self.at,
                "where": self.where,
                "why": self.why,
                "note": self.note,
                "before": self.before,
                "after": self.after,
                "seal_number": self.seal_number,
                "nonce": self.nonce.hex(),
            }
        )


@dataclass(frozen=True, slots=True)
class CustodyDocument:
    """A custody event as it was read, its signatures not yet checked."""

    event: Custody
    sha256: str
    """Of the document's bytes, hex: what the next event names."""
    envelope: Envelope

    def verify(self) -> Custody:
        """The event, if everybody signed it who has to; SignatureError otherwise."""
        self.envelope.verify(*(party.public_key for party in self.event.parties))
        return self.event

    def signed(self) -> Iterator[Signed]:
        """The signatures that `verify` checks."""
        return self.envelope.signed(*(party.public_key for party in self.event.parties))


def read_custody(data: bytes) -> CustodyDocument:
    """Read a document, or an offer, whoever signed it; FormatError, ProofError, VersionError."""
    envelope = dsse.parse(data, CUSTODY_PAYLOAD_TYPE, signatures=(1, 2))
    return CustodyDocument(_parse_event(envelope.payload), envelope.sha256, envelope)


def parse_custody(data: bytes) -> Custody:
    """Read a finished document, its signatures checked."""
    return read_custody(data).verify()


def parse_offer(data: bytes) -> Custody:
    """Read a hand-over that its giver signed and its taker did not, the giver's signature checked."""
    found = read_custody(data)
    if found.event.to is None:
        raise FormatError("an event that nobody else has to sign")
    found.envelope.verify(found.event.by.public_key)
    return found.event


def countersign(offer: bytes, taker: PrivateKey) -> bytes:
    """The finished document of a hand-over: the giver's offer with the taker's signature added.

    SignatureError unless the giver signed the offer, and unless it is `taker` that it names.
    """
    event = parse_offer(offer)
    assert event.to is not None  # noqa: S101 - an offer has a taker
    if event.to.public_key != taker.public:
        raise SignatureError("the hand-over names another key for its taker")
    fields = parse_object(offer, {"payload": str, "payloadType": str, "signatures": list})
    envelope = dsse.parse(offer, CUSTODY_PAYLOAD_TYPE)
    message = dsse.pre_authentication_encoding(CUSTODY_PAYLOAD_TYPE, envelope.payload)
    mine = {"keyid": taker.public.keyid, "sig": to_base64(taker.sign(message))}
    return dump({**fields, "signatures": [*fields["signatures"], mine]})


def _parse_event(payload: bytes) -> Custody:
    value: dict[str, Any] = _PLAIN.read(payload) or parse_typed(
        payload, CUSTODY_TYPE, {**_FIELDS, "by": dict, "to": (dict, NoneType)}
    )
    return Custody(
        envelope_sha256=value["envelope_sha256"],
        previous=value["previous"],
        what=value["what"],
        by=_parse_party(value["by"]),
        to=None if value["to"] is None else _parse_party(value["to"]),
        at=value["at"],
        where=value["where"],
        why=value["why"],
        note=value["note"],
        before=value["before"],
        after=value["after"],
        seal_number=value["seal_number"],
        nonce=from_hex(value["nonce"], NONCE_BYTES),
    )


def _parse_party(value: object) -> Party:
    """From what stands in an event: an object, or the text of a plain one."""
    plain = _PLAIN_PARTY.read(value) if isinstance(value, str) else None
    fields: dict[str, Any] = plain or require_fields(value, _PARTY)
    key = PublicKey.from_base64(fields["public_key"])
    return Party(fields["name"], fields["organisation"], fields["role"], key)


def _check(event: Custody) -> None:
    if event.what not in WHAT:
        raise FormatError("a custody event of an unknown sort")
    if (event.what in HANDOVERS) != (event.to is not None):
        raise FormatError("a hand-over has a taker, and no other custody event has one")
    if event.to is not None and event.to.public_key == event.by.public_key:
        raise FormatError("a hand-over whose giver and taker are one key")
    for digest in (event.envelope_sha256, event.previous, event.before, event.after):
        if digest is not None:
            from_hex(digest, 32)
    parse_instant(event.at)
    texts = [event.where, event.why, event.note, event.seal_number]
    texts += [text for party in event.parties for text in (party.name, party.organisation, party.role)]
    for text in texts:
        if text is not None:
            check_text(text)
    if event.what == "other" and event.note is None:
        raise FormatError("a custody event of another sort that does not say what it was")
    if event.what == "seal-number" and event.seal_number is None:
        raise FormatError("a new seal number that is not said")
    _check_digests(event)


def _check_digests(event: Custody) -> None:
    if event.what == "destruction":
        if event.after is not None:
            raise FormatError("a digest of what was destroyed, after it was")
    elif event.before is not None and event.after is None:
        raise FormatError("a digest before the event and none after it")
    elif event.what not in _CHANGING and event.before != event.after:
        raise ProofError("the content is another one after an event that changes nothing in it")
