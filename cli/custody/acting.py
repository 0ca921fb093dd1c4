"""Making a custody event: what a person says of it, by which key, and the taker's signature.

Nothing is sent here. The key that signs is one of this machine that has the evidence by the chain: who does
not have it cannot record anything of it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.custody.chain import CustodyChain
from mizheng.cli.errors import DataFault, InputFault, PermissionFault, UsageFault
from mizheng.cli.keys.signing import list_entries, unlock
from mizheng.cli.session import Session
from mizheng.verifier.custody import Custody, Party, countersign, parse_offer, read_custody
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.event import NONCE_BYTES
from mizheng.verifier.timeline import make_line

if TYPE_CHECKING:
    from mizheng.cli.keys.signing import KeyEntry
    from mizheng.verifier.report import CustodyLine
    from mizheng.verifier.signature import PublicKey

_SHA256 = re.compile(r"[0-9a-f]{64}")
# What they do to the content is what they are about: for these both digests are said.
_CHANGING = ("opening", "medium-change", "other")


@dataclass(frozen=True, slots=True)
class Told:
    """What a person says of an event."""

    what: str
    """One of `verifier.custody.WHAT`."""
    where: str
    why: str
    at: str
    """RFC 3339, UTC."""
    by: str | None = None
    """Name of who does it; None: the operator of the settings, else the organisation."""
    role: str | None = None
    note: str | None = None
    before: str | None = None
    """A file, or its SHA-256 in hex; None: nobody looked."""
    after: str | None = None
    """The same; None: as before, where the event changes nothing."""
    seal_number: str | None = None


def make_event(session: Session, chain: CustodyChain, told: Told, to: Party | None = None) -> bytes:
    """The document of an event, or of a hand-over the offer to `to`, signed and held against the chain.

    PermissionFault when no key of this machine has the evidence; UsageFault for an event that cannot be.
    """
    entry = _holding_key(session, chain)
    before = _digest(told.before)
    after = _digest(told.after)
    if told.after is None and told.what not in (*_CHANGING, "destruction"):
        after = before
    try:
        event = Custody(
            envelope_sha256=chain.envelope_sha256,
            previous=chain.holdings.last,
            what=told.what,
            by=own_party(session, entry.public, told.by, told.role),
            to=to,
            at=told.at,
            where=told.where,
            why=told.why,
            note=told.note,
            before=before,
            after=after,
            seal_number=told.seal_number,
            nonce=secrets.token_bytes(NONCE_BYTES),
        )
        chain.holdings.require(event)
    except MizhengError as error:
        raise UsageFault("the event cannot be recorded: {reason}", reason=str(error)) from error
    return event.sign(unlock(session.home, entry))


def read_offer(offer: bytes, got: str | None = None) -> CustodyLine:
    """What an offer says, as a line of the report; DataFault unless the giver signed it.

    `got`: a file, or its SHA-256 in hex, that has to be what the offer says is handed over.
    """
    event = _parse_offer(offer)
    if got is not None and _digest(got) != event.after:
        raise DataFault(
            "{name} is not what the hand-over says: another digest, or none is said",
            "do not sign; ask the giver",
            name=got,
        )
    line = make_line(0, read_custody(offer), lambda _key: None)
    line.holds = True
    return line


def accept_offer(session: Session, offer: bytes) -> bytes:
    """Sign an offer as its taker; PermissionFault unless the key that it names is on this machine."""
    event = _parse_offer(offer)
    assert event.to is not None  # noqa: S101 - an offer has a taker
    taker = event.to.public_key
    entry = next((entry for entry in list_entries(session.home) if entry.public == taker), None)
    if entry is None:
        raise PermissionFault(
            "this hand-over is to a key that is not on this machine",
            "the giver has to name the key of your card: mizheng recipients me",
        )
    return countersign(offer, unlock(session.home, entry))


def taking_party(session: Session, recipient: str, name: str | None, role: str | None) -> Party:
    """A recipient whose card was confirmed, as the taker of a hand-over."""
    from mizheng.cli.transfer import people
    from mizheng.verifier.signature import PublicKey

    public_key = people.require(session.home, recipient).usable_key().public_key
    if public_key is None:
        raise UsageFault(
            "{name} has given no key that could sign a hand-over",
            "he makes a card: mizheng recipients me; then: mizheng recipients add {name} CARD",
            name=recipient,
        )
    return Party(name or recipient, recipient if name else None, role, PublicKey.from_base64(public_key))


def own_party(session: Session, key: PublicKey, name: str | None, role: str | None) -> Party:
    """The person at this machine."""
    from mizheng.cli.transfer.me import load_cards

    organisation = session.config.organisation.name if session.config.organisation else None
    if organisation is None and (cards := load_cards(session.home)):
        organisation = cards[-1].card.name
    called = name or session.config.operator or organisation
    if called is None:
        raise UsageFault("say who does it: --by NAME")
    return Party(called, organisation if organisation != called else None, role, key)


def _parse_offer(offer: bytes) -> Custody:
    try:
        return parse_offer(offer)
    except MizhengError as error:
        raise DataFault(
            "this is no hand-over that waits for its taker: {reason}", reason=str(error)
        ) from error


def _holding_key(session: Session, chain: CustodyChain) -> KeyEntry:
    held = [entry for entry in list_entries(session.home) if entry.public.keyid in chain.holdings.held]
    if not held:
        raise PermissionFault(
            "no key of this machine has the evidence, by the chain of custody",
            "mizheng custody show tells who has it; a hand-over recorded since is in a newer bundle: mizheng "
            "custody update",
        )
    active = session.config.active_key
    return next((entry for entry in held if entry.public.keyid == active), held[0])


def _digest(given: str | None) -> str | None:
    if given is None or _SHA256.fullmatch(given):
        return given
    try:
        with Path(given).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputFault("{name}: {reason}", name=given, reason=error.strerror) from error
