"""Sending: check, sign, keep, encrypt. What is true if we die:

- before the transfer is kept: nothing happened
- after it: it is `prepared`; nobody has it, and sending again makes another one
- after the file has its name, or the mailbox has it whole: the record says so at once, or it is still
  `prepared` and lies there encrypted, of no use to anybody but the recipient
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from mizheng.cli.custody.chain import is_bundle
from mizheng.cli.disclosing.tracing import trace_bundle
from mizheng.cli.errors import ConfigurationFault, DataFault, InputFault, UsageFault
from mizheng.cli.files import new_file
from mizheng.cli.keys.identities import parse_recipient
from mizheng.cli.keys.signing import unlock
from mizheng.cli.session import Session
from mizheng.cli.transfer import store
from mizheng.cli.transfer.container import Measured, Papers, Tick, encrypt, measure
from mizheng.cli.transfer.documents import MAX_FILES, Transfer, Withdrawal, compute_id
from mizheng.cli.transfer.handing import Handing, make_offer
from mizheng.cli.transfer.me import load_cards
from mizheng.cli.transfer.names import check_distinct, check_name
from mizheng.cli.transfer.people import Recipient, RecipientKey, require
from mizheng.cli.transfer.store import SentTransfer
from mizheng.verifier.canonical import format_instant, from_base64
from mizheng.verifier.errors import FormatError
from mizheng.verifier.event import NONCE_BYTES, check_text
from mizheng.verifier.report import Status
from mizheng.verifier.verify import verify_bundle

_DAY = 24 * 3600
# Whoever needs longer sends again: a key may be lost meanwhile.
MAX_DAYS = 366


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be sent."""

    paths: tuple[Path, ...]
    """The bundle first."""
    recipient: str
    matter: str
    purpose: str
    days: int
    replaces: str | None = None
    handing: Handing | None = None
    """The hand-over that goes with it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transfer that is signed and kept, to be written somewhere."""

    record: SentTransfer
    papers: Papers
    files: tuple[Measured, ...]
    recipient: Recipient
    key: RecipientKey
    other_recipient: str | None
    """For whom the bundle says that it was made, where that is somebody else."""

    def write(self, target: BinaryIO, tick: Tick) -> SentTransfer:
        """Encrypt into an open file; the record with its size and digest, not yet kept."""
        made = encrypt(target, parse_recipient(self.key.age), self.papers, self.files, tick)
        return replace(self.record, size=made.size, sha256=made.sha256)


def prepare(session: Session, wanted: Wanted, now: int) -> Prepared:
    """Check everything, sign the transfer and keep it.

    PermissionFault for a recipient whose key is not confirmed or revoked; DataFault for what is no bundle, or
    one that the verifier finds broken.
    """
    recipient = require(session.home, wanted.recipient)
    key = recipient.usable_key()
    _check_texts(wanted)
    files = _measure(wanted.paths)
    document = trace_bundle(wanted.paths[0]).document
    report = verify_bundle(wanted.paths[0], None)
    if any(check.status is Status.FAIL for check in report.checks):
        raise DataFault(
            "{name} is broken: the recipient would have to refuse it",
            "mizheng verify says what is wrong with it",
            name=str(wanted.paths[0]),
        )
    from pyrage import x25519

    reply = x25519.Identity.generate()
    entry = session.active_key
    created_at = format_instant(now)
    offer, seal = None, None
    if wanted.handing:
        envelope = document.envelope_sha256
        offer = make_offer(
            session, wanted.handing, wanted.recipient, wanted.matter, files[0].sent, envelope, created_at
        )
        seal = None if is_bundle(wanted.handing.path) else str(wanted.handing.path.absolute())
    transfer = Transfer(
        public_key=entry.public,
        sender=_own_name(session),
        recipient=wanted.recipient,
        recipient_age=key.age,
        matter=wanted.matter,
        purpose=wanted.purpose,
        envelope_sha256=document.envelope_sha256,
        files=tuple(item.sent for item in files),
        created_at=created_at,
        expires_at=format_instant(now + wanted.days * _DAY),
        replaces=wanted.replaces,
        reply_to=str(reply.to_public()),
        custody_sha256=None if offer is None else hashlib.sha256(offer).hexdigest(),
        nonce=secrets.token_bytes(NONCE_BYTES),
    )
    signed = transfer.sign(unlock(session.home, entry))
    enrolment = from_base64(entry.enrolment["enrolment"]) if entry.enrolment else None
    paths = tuple(str(path.absolute()) for path in wanted.paths)
    record = SentTransfer(signed, str(reply), key.public_key, paths, custody=offer, seal=seal)
    store.save(session.home, record)
    other = document.recipient if document.recipient not in (None, wanted.recipient) else None
    return Prepared(record, Papers(signed, enrolment, offer), files, recipient, key, other)


def send_file(session: Session, prepared: Prepared, target: Path, tick: Tick, *, force: bool) -> SentTransfer:
    """Write the age file, whole or not at all."""
    with new_file(target, force=force) as (file, _temporary):
        record = prepared.write(file, tick)
    return store.change(session.home, record, file=str(target.absolute()))


def again(session: Session, prefix: str, days: int) -> Wanted:
    """What sends an earlier transfer once more, to the key of today; DataFault if a file changed."""
    before = store.find_sent(session.home, prefix)
    transfer = before.transfer
    paths = tuple(map(Path, before.paths))
    for path, item in zip(paths, transfer.files, strict=True):
        if measure(path, item.name).sent != item:
            raise DataFault(
                "{name} is not what was sent then",
                "send it as a new transfer, without --again",
                name=str(path),
            )
    return Wanted(paths, transfer.recipient, transfer.matter, transfer.purpose, days, before.id)


def sign_withdrawal(session: Session, record: SentTransfer, now: int) -> SentTransfer:
    """Take a transfer back, with the key that signed it: signed once and kept, again is the same."""
    if record.withdrawal is not None:
        return record
    from mizheng.cli.keys.signing import load_entry

    key = unlock(session.home, load_entry(session.home, record.transfer.public_key.keyid))
    withdrawal = Withdrawal(key.public, record.id, format_instant(now))
    return store.change(session.home, record, withdrawal=withdrawal.sign(key))


def default_target(document: bytes, bundle: Path, suffix: str) -> Path:
    """Name of the file where none is given: tells which transfer it is, and nothing of the matter."""
    return Path(f"{bundle.stem}-{compute_id(document)[:8]}{suffix}")


def _check_texts(wanted: Wanted) -> None:
    try:
        check_text(wanted.matter)
        check_text(wanted.purpose)
    except FormatError as error:
        raise UsageFault(str(error)) from error
    if not 1 <= wanted.days <= MAX_DAYS:
        raise UsageFault("a transfer is open for 1 to {most} days", most=MAX_DAYS)


def _measure(paths: Sequence[Path]) -> tuple[Measured, ...]:
    if len(paths) > MAX_FILES:
        raise UsageFault("a transfer holds at most {most} files", "pack them into one", most=MAX_FILES)
    try:
        check_distinct(check_name(path.name) for path in paths)
    except FormatError as error:
        raise UsageFault(str(error), "give it another name, or pack it") from error
    for path in paths:
        if path.is_dir():
            raise InputFault("{name} is a folder", "pack it into one file first", name=str(path))
    return tuple(measure(path, path.name) for path in paths)


def _own_name(session: Session) -> str:
    if session.config.organisation:
        return session.config.organisation.name
    cards = load_cards(session.home)
    if not cards:
        raise ConfigurationFault(
            "nobody could tell who sends this", "mizheng recipients me --name NAME, or mizheng init"
        )
    return cards[-1].card.name
