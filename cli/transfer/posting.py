"""A transfer by way of the notary's mailbox: left, fetched, answered, withdrawn.

What is true if we die while it is left: the age file lies in home/transfers/outbox/ and the record says under
which item; `mizheng send --resume` goes on with the part that comes next. While it is fetched: what came lies
in home/transfers/inbox/, still encrypted, and the same command goes on with the rest; it stays there while it
is refused, so that a missing trust file or card costs no second fetching.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pyrage
from mizheng.cli.config import notary_address
from mizheng.cli.errors import (
    CommandError,
    DataFault,
    InputFault,
    PermissionFault,
    RefusedFault,
    UnavailableFault,
)
from mizheng.cli.files import make_private, new_file
from mizheng.cli.keys.identities import parse_recipient
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import N_
from mizheng.cli.transfer import store
from mizheng.cli.transfer.answers import import_acceptance
from mizheng.cli.transfer.handing import finished_handover, record_finished, waiting_handovers
from mizheng.cli.transfer.mailbox import Mailbox, Tick, Ticket, new_token
from mizheng.cli.transfer.receiving import Received, receive
from mizheng.cli.transfer.sending import Prepared
from mizheng.cli.transfer.store import SentTransfer
from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.trust import Trust
from pyrage import x25519

_DAY = 24 * 3600
_GONE = frozenset({"mailbox-unknown", "mailbox-expired"})
# No answer will come from there any more.
_OVER = _GONE | {"mailbox-withdrawn"}


def post(session: Session, prepared: Prepared, tick: Tick) -> SentTransfer:
    """Encrypt it, keep it, and leave it in the mailbox."""
    path = _outbox(session.home, prepared.record.id)
    make_private(path.parent)
    with new_file(path, force=True) as (file, _temporary):
        record = prepared.write(file, lambda _size: None)
    key, organisation = prepared.key, session.config.organisation
    is_here = organisation is not None and key.origin == organisation.origin
    record = store.save(session.home, replace(record, token=new_token()))
    return _leave(session, record, key.company if is_here else None, tick)


def resume(session: Session, prefix: str, tick: Tick) -> SentTransfer:
    """Go on leaving what was cut off; InputFault when there is nothing to go on with.

    PermissionFault for one that was withdrawn or has expired since: nobody is to get it.
    """
    record = store.find_sent(session.home, prefix)
    hint = N_("send it anew: mizheng send --again {id}")
    if record.withdrawal is not None:
        raise PermissionFault("this transfer was withdrawn", hint, id=prefix)
    if record.is_left:
        return record
    if record.transfer.expires_at < format_instant(int(time.time())):
        raise PermissionFault("this transfer expired at {at}", hint, at=record.transfer.expires_at, id=prefix)
    if record.token is None or not _outbox(session.home, record.id).exists():
        raise InputFault("nothing of this transfer waits to be left", hint, id=prefix)
    return _leave(session, record, None, tick)


def make_ticket(session: Session, record: SentTransfer) -> Ticket:
    """What the recipient needs to fetch it."""
    if record.mailbox is None or record.token is None:
        raise DataFault("this transfer was written to a file, and lies in no mailbox")
    address = notary_address(None, session.config)
    return Ticket(address, record.mailbox, record.token, record.size, record.sha256)


def write_ticket(session: Session, record: SentTransfer, target: Path, *, force: bool) -> None:
    """The ticket as a private file."""
    with new_file(target, force=force) as (file, _temporary):
        file.write(make_ticket(session, record).dump())


def withdraw_left(session: Session, record: SentTransfer) -> None:
    """Have the mailbox delete it and keep the withdrawal; harmless where the item is over.

    What was not left yet is not kept for it either.
    """
    _outbox(session.home, record.id).unlink(missing_ok=True)
    if record.mailbox is None or record.withdrawal is None:
        return
    with Mailbox.of(session) as mailbox:
        try:
            mailbox.withdraw(record.mailbox, record.withdrawal)
        except RefusedFault as error:
            if error.problem not in _GONE:
                raise


@dataclass(slots=True)
class Answers:
    """What the mailbox had, and what became of it."""

    came: list[SentTransfer]
    """Transfers that are accepted since."""
    recorded: list[tuple[SentTransfer, int | None]]
    """Those with a hand-over, and its number in the chain; None where that is another company's to record."""
    faults: list[CommandError]


def take_answers(session: Session) -> Answers:
    """Fetch acceptances, and put on record the hand-overs in them: no fault of one keeps another back."""
    came, faults = fetch_answers(session)
    done = Answers(came, [(one, None) for one in came if one.seal is None and finished_handover(one)], faults)
    # Also those of an earlier run that was cut off, or whose seal could not be opened then.
    for record in waiting_handovers(session.home):
        try:
            number = record_finished(session, record, finished_handover(record) or b"")
            done.recorded.append((record, number))
        except CommandError as error:
            done.faults.append(error)
    return done


def fetch_answers(session: Session) -> tuple[list[SentTransfer], list[CommandError]]:
    """Acceptances that recipients left for transfers of ours: those that are new, and what was wrong.

    Whoever has a ticket can leave an answer that is none: it keeps no other from being fetched.
    """
    waiting = [
        one for one in store.load_all(session.home, SentTransfer) if one.mailbox and not one.acceptance
    ]
    found: list[SentTransfer] = []
    faults: list[CommandError] = []
    if not waiting:
        return found, faults
    with Mailbox.of(session) as mailbox:
        for record in waiting:
            try:
                closed = mailbox.acceptance(record.mailbox or "")
                if closed is not None:
                    found.append(import_acceptance(session.home, _open(record, closed)))
            except RefusedFault as error:
                if error.problem not in _OVER:
                    faults.append(error)
            except UnavailableFault as error:
                # What came is not lost with what did not.
                return found, [*faults, error]
            except CommandError as error:
                faults.append(error)
    return found, faults


def receive_left(
    session: Session,
    item: str,
    ticket: Ticket | None,
    trust: Trust | None,
    now: int,
    tick: Tick,
    *,
    folder: Path | None,
    accept: bool,
    takes_over: bool = True,
) -> tuple[Received, CommandError | None]:
    """Fetch an item, receive it, answer; with it the fault that kept the answer from reaching the mailbox.

    Without a ticket the item is addressed to this company, whose API key fetches it.
    """
    path = session.home / "transfers" / "inbox" / f"{item}.age"
    token = ticket.token if ticket else None
    with Mailbox(ticket.notary, None) if ticket else Mailbox.of(session) as mailbox:
        try:
            mailbox.fetch(item, ticket, path, tick)
        except RefusedFault as error:
            if error.problem == "mailbox-withdrawn":
                raise _withdrawn(session.home, mailbox.withdrawal(item, token)) from error
            raise
        received = receive(
            session, path, trust, now, folder=folder, accept=accept, takes_over=takes_over, mailbox=item
        )
        path.unlink()
        answer = received.record.acceptance
        if accept and answer is not None:
            closed = bytes(pyrage.encrypt(answer, [parse_recipient(received.record.transfer.reply_to)]))
            try:
                mailbox.answer(item, token, closed)
            except RefusedFault as error:
                # Answered in an earlier run: the acceptance is the same, its encryption is not.
                if error.problem != "mailbox-answered":
                    return received, error
            except CommandError as error:
                return received, error
    return received, None


def _leave(session: Session, record: SentTransfer, addressee: str | None, tick: Tick) -> SentTransfer:
    path = _outbox(session.home, record.id)
    with Mailbox.of(session) as mailbox:
        if record.mailbox is None:
            transfer = record.transfer
            days = (parse_instant(transfer.expires_at) - parse_instant(transfer.created_at)) // _DAY
            place = mailbox.leave(record.size, record.sha256, record.token or "", days, addressee)
            record = store.change(session.home, record, mailbox=str(place["id"]))
        mailbox.send(record.mailbox or "", path, tick)
    record = store.change(session.home, record, is_left=True)
    path.unlink()
    return record


def _open(record: SentTransfer, closed: bytes) -> bytes:
    try:
        return bytes(pyrage.decrypt(closed, [x25519.Identity.from_str(record.reply_identity)]))
    except pyrage.DecryptError:
        raise DataFault(
            "what was answered to {id} cannot be opened",
            "ask the recipient for his acceptance",
            id=record.id[:16],
        ) from None


def _withdrawn(home: Path, document: bytes) -> PermissionFault:
    found = store.keep_withdrawal(home, document)
    # Whose key signed it shows when the transfer itself is here: the mailbox has deleted that.
    return PermissionFault(
        "by the mailbox, the sender has withdrawn this transfer at {at}",
        "ask him, by another way, whether he did and why",
        at=found.withdrawn_at,
    )


def _outbox(home: Path, identifier: str) -> Path:
    return home / "transfers" / "outbox" / f"{identifier}.age"
