"""Receiving, in this order:

 1. decrypt, with the keys of this person, into a private folder that has no name yet
 2. the container: one form, these members, the transfer signed by the key that it names
 3. encrypted to the key that the transfer names: not passed on by somebody else
 4. not expired, not withdrawn
 5. every file is the one that was signed for
 6. the bundle, with the verifier: an invalid one is refused; of the deposit that the transfer names
 7. whose key signed: the depositor's of the bundle, one that is known here, or one enrolled by an issuer of
    the trust file
 8. a hand-over that came with it: signed by the giver, of what was sent
 9. the acceptance, with the hand-over as the taker signed it, signed by the key of the card that was sent to,
    and kept; then the folder gets its name

Nothing of a transfer that fails is left on the disk. Dying after 9 was kept: receiving again gives the same
acceptance.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mizheng.cli.errors import DataFault, InputFault, OutputFault, PermissionFault
from mizheng.cli.files import sync_directory, write_new
from mizheng.cli.keys.signing import load_entry, unlock
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import _
from mizheng.cli.transfer import store
from mizheng.cli.transfer.container import Container, decrypt
from mizheng.cli.transfer.documents import Acceptance, Transfer, compute_id
from mizheng.cli.transfer.handing import check_offer, take_over
from mizheng.cli.transfer.me import load_cards, load_own_identities
from mizheng.cli.transfer.people import find_signer
from mizheng.cli.transfer.store import ReceivedTransfer
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.enrolment import parse_enrolment
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.event import NONCE_BYTES
from mizheng.verifier.members import STATEMENT
from mizheng.verifier.paper.reading import find_reader
from mizheng.verifier.report import Report, Verdict
from mizheng.verifier.statement import Statement, parse_envelope
from mizheng.verifier.trust import Trust
from mizheng.verifier.verify import verify_bundle

AGE_MAGIC = b"age-encryption.org/v1\n"
ACCEPTANCE_FILE, TRANSFER_FILE = "acceptance.dsse.json", "transfer.dsse.json"


@dataclass(frozen=True, slots=True)
class Received:
    """What came of it."""

    record: ReceivedTransfer
    folder: Path
    report: Report
    offer: bytes | None
    """The hand-over that came with it, as the giver signed it."""


def receive(
    session: Session,
    path: Path,
    trust: Trust | None,
    now: int,
    *,
    folder: Path | None = None,
    accept: bool = True,
    takes_over: bool = True,
    mailbox: str | None = None,
) -> Received:
    """Check a transfer, write it out and sign for it; a fault names the first thing that is wrong."""
    _require_age(path)
    identities = load_own_identities(session.home)
    parent = folder.parent if folder else Path()
    if folder:
        _require_free(folder)
    with _nameless(parent) as place:
        plain = place / ".plain"
        with path.open("rb") as source, open(plain, "xb", opener=_private) as target:
            decrypt(source, target, identities)
        with Container(plain) as container:
            transfer, document = container.transfer, container.papers.document
            check_open(session.home, transfer, document, now)
            folder = folder or Path(f"transfer-{compute_id(document)[:8]}")
            _require_free(folder)
            for number, item in enumerate(transfer.files):
                with open(place / item.name, "xb", opener=_private) as file:
                    container.extract(number, file)
                    file.flush()
                    os.fsync(file.fileno())
            papers = container.papers
        plain.unlink()
        report = _verify(place / transfer.files[0].name, transfer, trust, now)
        statement = _statement(place / transfer.files[0].name, transfer)
        sender = _identify(session, transfer, papers.enrolment, statement, report, trust)
        if papers.custody is not None:
            check_offer(papers.custody, transfer)
        write_new(place / TRANSFER_FILE, document)
        kept = store.load(session.home, ReceivedTransfer, compute_id(document))
        at = format_instant(now)
        verdict, is_trial = str(report.verdict), report.is_trial
        record = ReceivedTransfer(
            document, str(folder.absolute()), at, verdict, is_trial, sender, mailbox=mailbox
        )
        if kept and kept.acceptance is not None:
            record = replace(record, acceptance=kept.acceptance, received_at=kept.received_at)
        if accept and record.acceptance is None:
            taken = take_over(session, papers.custody if takes_over else None)
            signed = _accept(session, record, trust, taken, at)
            record = replace(record, acceptance=signed)
        if accept and record.acceptance is not None:
            write_new(place / ACCEPTANCE_FILE, record.acceptance)
        record = store.save(session.home, record)
        place.rename(folder)
    sync_directory(folder.absolute().parent)
    return Received(record, folder, report, papers.custody)


def check_open(home: Path, transfer: Transfer, document: bytes, now: int) -> None:
    """Steps 3 and 4; PermissionFault for somebody else's, or one that is over."""
    if not any(own.card.age == transfer.recipient_age for own in load_cards(home)):
        raise PermissionFault(
            "this transfer was made for somebody else, and encrypted anew to you",
            "ask the sender named in it; do not accept it",
        )
    if transfer.expires_at < format_instant(now):
        raise PermissionFault(
            "this transfer expired at {at}", "ask the sender to send it again", at=transfer.expires_at
        )
    withdrawal = store.load_withdrawal(home, document)
    if withdrawal is not None:
        raise PermissionFault(
            "the sender has withdrawn this transfer at {at}", "ask him why", at=withdrawal.withdrawn_at
        )


def _verify(bundle: Path, transfer: Transfer, trust: Trust | None, now: int) -> Report:
    report = verify_bundle(bundle, trust, now=now, pdf_reader=find_reader())
    if report.verdict is Verdict.INVALID:
        raise DataFault(
            "the bundle in this transfer is invalid: it was not written out and not accepted",
            "decrypt the file with age to examine it, and tell the sender",
        )
    return report


def _statement(bundle: Path, transfer: Transfer) -> Statement:
    with Bundle(bundle) as opened:
        envelope, statement = parse_envelope(opened.read(STATEMENT))
    if envelope.sha256 != transfer.envelope_sha256:
        raise DataFault("the bundle in this transfer is of another deposit than the transfer says")
    return statement


def _identify(
    session: Session,
    transfer: Transfer,
    enrolment: bytes | None,
    statement: Statement,
    report: Report,
    trust: Trust | None,
) -> str:
    """Who the sender is, in words; PermissionFault when nothing says whose his key is."""
    key, depositor = transfer.public_key, statement.depositor.name
    is_depositor = key == statement.public_key
    if is_depositor and report.facts.get("depositor_is_enrolled"):
        return _("{name}: the depositor of the bundle, by the same key", name=depositor)
    known = find_signer(session.home, key)
    if known:
        return _("{name}: known here by a confirmed key", name=known.name)
    if enrolment and trust:
        with contextlib.suppress(MizhengError):
            found, issuer = parse_enrolment(enrolment)
            if found.public_key == key and issuer in {one.key for one in trust.issuers}:
                return _("{name}: enrolled by an issuer of the trust file", name=found.depositor.name)
    if is_depositor:
        # One key signed both; that it is this company's, the bundle alone cannot show.
        return _("{name}, as the bundle calls its depositor: nobody who is trusted says so", name=depositor)
    raise PermissionFault(
        "nothing here says whose key signed this transfer",
        "name a trust file with --trust, or add the sender's card: mizheng recipients add NAME CARD",
    )


def _accept(
    session: Session, record: ReceivedTransfer, trust: Trust | None, custody: bytes | None, at: str
) -> bytes:
    # The key that the sender knows: that of the card he encrypted to, also where a later one signs today.
    cards = [own.card for own in load_cards(session.home) if own.card.age == record.transfer.recipient_age]
    key = unlock(session.home, load_entry(session.home, cards[-1].public_key.keyid))
    acceptance = Acceptance(
        key.public,
        record.id,
        at,
        record.verdict,
        record.is_trial,
        trust.sha256 if trust else None,
        custody,
        secrets.token_bytes(NONCE_BYTES),
    )
    return acceptance.sign(key)


def _require_free(folder: Path) -> None:
    if os.path.lexists(folder):
        raise OutputFault("{name} exists", "name a new folder: -o DIR", name=str(folder))


def _require_age(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(AGE_MAGIC))
    except OSError as error:
        raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
    if start != AGE_MAGIC:
        raise DataFault(
            "{name} is no transfer: it is not an age file", "mizheng send makes one", name=str(path)
        )


@contextlib.contextmanager
def _nameless(parent: Path) -> Iterator[Path]:
    """A private folder that is gone when the block ends, unless it was given a name."""
    place = parent / f".transfer-{secrets.token_hex(8)}.part"
    try:
        place.mkdir(mode=0o700)
    except OSError as error:
        raise OutputFault(
            "{name} cannot be created: {reason}", name=str(parent), reason=error.strerror
        ) from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
