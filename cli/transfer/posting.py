"""A transfer by way of the notary's mailbox: left, fetched, answered, withdrawn.

What is true if we die while it is left: the age file lies in home/transfers/outbox/ and the record says under
which item; `mizheng send --resume` goes on with the part that comes next. While it is fetched: what came lies
in home/transfers/inbox/, and the same command goes on with the rest.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pyrage
from mizheng.cli.config import notary_address
from mizheng.cli.errors import CommandError, DataFault, InputFault, PermissionFault, RefusedFault
from mizheng.cli.files import new_file
from mizheng.cli.keys.identities import parse_recipient
from mizheng.cli.session import Session
from mizheng.cli.transfer import store
from mizheng.cli.transfer.answers import import_acceptance
from mizheng.cli.transfer.mailbox import Mailbox, Tick, Ticket, new_token
from mizheng.cli.transfer.receiving import Received, receive
from mizheng.cli.transfer.sending import Prepared
from mizheng.cli.transfer.store import SentTransfer
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.trust import Trust
from pyrage import x25519

_DAY = 24 * 3600
_GONE = frozenset({"mailbox-unknown", "mailbox-expired"})


def post(session: Session, prepared: Prepared, tick: Tick) -> SentTransfer:
    """Encrypt it, keep it, and leave it in the mailbox."""
    path = _outbox(session.home, prepared.record.id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with new_file(path, force=True) as (file, _temporary):
        record = prepared.write(file, lambda _size: None)
    key, organisation = prepared.key, session.config.organisation
    is_here = organisation is not None and key.origin == organisation.origin
    record = store.save(session.home, replace(record, token=new_token()))
    return _leave(session, record, key.company if is_here else None, tick)


def resume(session: Session, prefix: str, tick: Tick) -> SentTransfer:
    """Go on leaving what was cut off; InputFault when there is nothing to go on with."""
    record = store.find_sent(session.home, prefix)
    if record.is_left:
        return record
    if record.token is None or not _outbox(session.home, record.id).exists():
        raise InputFault(
            "nothing of this transfer waits to be left", "send it anew: mizheng send --again {id}", id=prefix
        )
    return _leave(session, record, None, tick)


def make_ticket(session: Session, record: SentTransfer) -> Ticket:
    """What the recipient needs to fetch it."""
    if record.mailbox is None or record.token is None:
        raise DataFault("this transfer was written to a file, and lies in no mailbox")
    address = notary_address(None, session.config)
    return Ticket(address, record.mailbox, record.token, record.size, record.sha256)


def withdraw_left(session: Session, record: SentTransfer) -> None:
    """Have the mailbox delete it and keep the withdrawal; harmless where the item is over."""
    if record.mailbox is None or record.withdrawal is None:
        return
    with Mailbox.of(session) as mailbox:
        try:
            mailbox.withdraw(record.mailbox, record.withdrawal)
        except RefusedFault as error:
            if error.problem not in _GONE:
                raise


def fetch_answers(session: Session) -> list[SentTransfer]:
    """Acceptances that recipients left for transfers of ours; those that are new."""
    waiting = [
        one for one in store.load_all(session.home, SentTransfer) if one.mailbox and not one.acceptance
    ]
    found = []
    if not waiting:
        return []
    with Mailbox.of(session) as mailbox:
        for record in waiting:
            closed = None
            with contextlib.suppress(RefusedFault):
                closed = mailbox.acceptance(record.mailbox or "")
            if closed is not None:
                found.append(import_acceptance(session.home, _open(record, closed)))
    return found


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
    return PermissionFault(
        "the sender has withdrawn this transfer at {at}", "ask him why", at=found.withdrawn_at
    )


def _outbox(home: Path, identifier: str) -> Path:
    return home / "transfers" / "outbox" / f"{identifier}.age"
