"""Sending to one recipient, receiving, and what comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mizheng.cli.errors import CommandError
from mizheng.cli.files import new_file, refuse_existing
from mizheng.cli.session import Session
from mizheng.cli.transfer import answers, posting, receiving, sending, store
from mizheng.cli.transfer.handing import Handing, finished_handover, record_finished
from mizheng.cli.transfer.mailbox import read_source
from mizheng.cli.transfer.store import ReceivedTransfer, SentTransfer
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.report import Report
from mizheng.verifier.trust import Trust


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer as it stands now."""

    id: str
    """Hex; what `withdraw` takes."""
    direction: Literal["sent", "received"]
    sender: str
    recipient: str
    matter: str
    purpose: str
    files: tuple[str, ...]
    """Their names, the bundle first."""
    created_at: str
    expires_at: str
    state: str
    """`prepared`, `sent`, `received`, `accepted`, `withdrawn` or `expired`."""
    accepted_at: str | None
    """By the recipient's clock; None while nobody signed for it."""
    verdict: str | None
    """What the recipient's verifier said of the bundle, by his word: `valid` or `undetermined`."""
    is_trial: bool | None
    """Whether that rests on a chain for trying, and so is no evidence."""
    handed_over: bool
    """Whether the acceptance holds a hand-over that both signed."""
    path: Path | None
    """The age file that was written, or the folder of what was received."""


@dataclass(frozen=True, slots=True)
class Received:
    """What `receive` wrote."""

    transfer: Transferred
    sender: str
    """Who sent it, and how that is known, in the language of the settings."""
    folder: Path
    report: Report
    """The verifier's, of the bundle."""
    acceptance: Path | None
    """To be given back to the sender; None where nothing was signed."""
    unanswered: CommandError | None
    """Why the acceptance did not reach the mailbox; None where it did, or need not."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the mailbox had for what was sent."""

    accepted: tuple[Transferred, ...]
    """Those that are new."""
    events: tuple[int, ...]
    """Numbers of the hand-overs that now stand in the chain of custody of their seals."""
    faults: tuple[CommandError, ...]
    """What was wrong with others: they are asked for again."""


def send(
    paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    recipient: str,
    matter: str,
    purpose: str,
    days: int = 30,
    mailbox: bool = False,
    handover: str | os.PathLike[str] | None = None,
    where: str = "",
    gives_all: bool = False,
) -> Transferred:
    """Encrypt a bundle, and files to go with it, to a recipient whose key a person has confirmed.

    `output` is the new age file or, with `mailbox`, the ticket that fetches it from there. `handover`: the
    seal, or bundle, whose chain of custody an offered hand-over continues, at the place `where`.
    PermissionFault for a key that is not confirmed, or revoked; OutputFault when `output` exists.
    """
    session, target = Session.load(), Path(output)
    refuse_existing(target, force=False)
    handing = None if handover is None else Handing(Path(handover), where, gives_all)
    wanted = sending.Wanted(tuple(map(Path, paths)), recipient, matter, purpose, days, handing=handing)
    prepared = sending.prepare(session, wanted, int(time.time()))
    if mailbox:
        record = posting.post(session, prepared, _ignore)
        posting.write_ticket(session, record, target, force=False)
    else:
        record = sending.send_file(session, prepared, target, _ignore, force=False)
    return _transferred(record)


def receive(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    trust: Trust | None,
    *,
    accept: bool = True,
    takes_over: bool = True,
) -> Received:
    """Decrypt a transfer with the keys of these settings, check it, and write it into the new folder.

    `source`: the age file, a ticket, or the name of an item in the notary's mailbox. With `accept` the
    acceptance is signed and, through a mailbox, sent back; with `takes_over` a hand-over in it as well. A
    fault names the first thing that is wrong, and leaves nothing behind. Without a trust file nothing says
    whose bundle it is.
    """
    session, now, target = Session.load(), int(time.time()), Path(folder)
    found = read_source(os.fspath(source))
    unanswered = None
    if found.item is None:
        done = receiving.receive(
            session, Path(source), trust, now, folder=target, accept=accept, takes_over=takes_over
        )
    else:
        done, unanswered = posting.receive_left(
            session,
            found.item,
            found.ticket,
            trust,
            now,
            _ignore,
            folder=target,
            accept=accept,
            takes_over=takes_over,
        )
    acceptance = done.folder / receiving.ACCEPTANCE_FILE if accept else None
    return Received(
        _transferred(done.record), done.record.sender, done.folder, done.report, acceptance, unanswered
    )


def transfers() -> list[Transferred]:
    """All that was sent and received with these settings, the oldest first of each. Asks nobody."""
    home = Session.load().home
    sent = map(_transferred, store.load_all(home, SentTransfer))
    return [*sent, *map(_transferred, store.load_all(home, ReceivedTransfer))]


def take_answers() -> Accepted:
    """Fetch acceptances from the notary's mailbox; put on record the hand-overs in them."""
    done = posting.take_answers(Session.load())
    events = (number for _record, number in done.recorded if number is not None)
    return Accepted(tuple(map(_transferred, done.came)), tuple(events), tuple(done.faults))


def import_answer(path: str | os.PathLike[str]) -> Transferred | None:
    """Keep an acceptance of what was sent, and put a hand-over in it on record; the transfer as it stands.

    None for a withdrawal of what was received, which is kept as well. PermissionFault where another than the
    recipient signed.
    """
    session = Session.load()
    found = answers.import_document(session.home, Path(path).read_bytes())
    if not isinstance(found, SentTransfer):
        return None
    finished = finished_handover(found)
    if finished is not None:
        record_finished(session, found, finished)
    return _transferred(found)


def withdraw(transfer: str, output: str | os.PathLike[str]) -> Transferred:
    """Take back what was sent: the signed word for the recipient as a new file; a mailbox deletes it."""
    session, target = Session.load(), Path(output)
    refuse_existing(target, force=False)
    record = sending.sign_withdrawal(session, store.find_sent(session.home, transfer), int(time.time()))
    with new_file(target, force=False) as (file, _temporary):
        file.write(record.withdrawal or b"")
    posting.withdraw_left(session, record)
    return _transferred(record)


def _transferred(record: SentTransfer | ReceivedTransfer) -> Transferred:
    told = answers.describe(record, format_instant(int(time.time())))
    path = told.pop("file")
    names = ("replaces", "mailbox")
    kept = {name: value for name, value in told.items() if name not in names}
    return Transferred(**{**kept, "files": tuple(told["files"])}, path=None if path is None else Path(path))


def _ignore(_size: int) -> None:
    """Nobody watches."""
