"""A hand-over that travels with a transfer: offered by the giver, signed by the taker, recorded by the giver.

The offer lies in the container and the transfer names its digest; the finished document comes back in the
acceptance. What it says is between giver and taker until the company of the deposit records it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.custody.acting import Told, accept_offer, make_event, taking_party
from mizheng.cli.custody.chain import read_chain
from mizheng.cli.custody.recording import record_events
from mizheng.cli.errors import DataFault, UnavailableFault, UsageFault
from mizheng.cli.session import Session
from mizheng.cli.transfer import store
from mizheng.cli.transfer.documents import Sent, Transfer, parse_acceptance
from mizheng.cli.transfer.store import SentTransfer
from mizheng.verifier.custody import parse_offer, read_custody
from mizheng.verifier.errors import MizhengError


@dataclass(frozen=True, slots=True)
class Handing:
    """What is said of a hand-over."""

    path: Path
    """The seal whose chain it continues, or a bundle with that chain for somebody who was given it."""
    where: str
    gives_all: bool
    """Whether the giver has nothing left; else a copy is handed over, and both have it."""


def make_offer(
    session: Session, handing: Handing, recipient: str, matter: str, bundle: Sent, envelope: str, at: str
) -> bytes:
    """The hand-over, signed by the giver; UsageFault when it is of another deposit than the bundle."""
    chain = read_chain(session, handing.path)
    if chain.envelope_sha256 != envelope:
        raise UsageFault("{name} is of another deposit than the bundle", name=str(handing.path))
    told = Told(
        what="handover" if handing.gives_all else "copy-handover",
        where=handing.where,
        why=matter,
        at=at,
        # Not as digests of the evidence itself: that is what was sealed, and this is what was opened of it.
        note=f"{bundle.name}, SHA-256 {bundle.sha256}",
    )
    return make_event(session, chain, told, taking_party(session, recipient, None, None))


def check_offer(offer: bytes, transfer: Transfer) -> None:
    """DataFault unless the giver signed it, and it says of what was sent what `make_offer` says, and no more.

    The taker signs it with his acceptance: nothing may stand in it that the transfer does not say.
    """
    try:
        event = parse_offer(offer)
    except MizhengError as error:
        raise DataFault(
            "the hand-over in this transfer does not hold: {reason}", reason=str(error)
        ) from error
    bundle = transfer.files[0]
    if (
        event.envelope_sha256 != transfer.envelope_sha256
        or event.note != f"{bundle.name}, SHA-256 {bundle.sha256}"
        or (event.why, event.at) != (transfer.matter, transfer.created_at)
    ):
        raise DataFault("the hand-over in this transfer is of something else")
    if event.before or event.after or event.seal_number:
        raise DataFault(
            "the hand-over in this transfer says more than what was sent",
            "have the giver offer it by itself: mizheng custody accept compares what you got",
        )


def take_over(session: Session, offer: bytes | None) -> bytes | None:
    """The hand-over with the taker's signature; PermissionFault when it names another taker."""
    return None if offer is None else accept_offer(session, offer)


def check_finished(record: SentTransfer, finished: bytes | None) -> None:
    """DataFault unless what came back is the very hand-over that was offered, signed by both."""
    if finished is None:
        return
    try:
        document = read_custody(finished)
        document.verify()
        if record.custody is None or parse_offer(record.custody) != document.event:
            raise DataFault("this acceptance holds a hand-over that was not offered", "nothing was recorded")
    except DataFault:
        raise
    except MizhengError as error:
        raise DataFault(
            "the hand-over in this acceptance does not hold: {reason}",
            "nothing was recorded",
            reason=str(error),
        ) from error


def finished_handover(record: SentTransfer) -> bytes | None:
    """The hand-over that came back with the acceptance, signed by both; None where there is none."""
    return parse_acceptance(record.acceptance).custody if record.acceptance else None


def waiting_handovers(home: Path) -> list[SentTransfer]:
    """Transfers whose hand-over came back and does not stand in the chain yet, oldest first.

    Not those that were sent once more: their offer was made anew, or given up.
    """
    sent = store.load_all(home, SentTransfer)
    replaced = {record.transfer.replaces for record in sent}
    return [
        record
        for record in sent
        if record.seal is not None
        and not record.is_recorded
        and record.id not in replaced
        and finished_handover(record) is not None
    ]


def record_finished(session: Session, record: SentTransfer, finished: bytes) -> int | None:
    """Put a finished hand-over on record; its number, or None where the chain is another company's.

    UnavailableFault when the notary is away: then it is kept beside the seal, and waits.
    """
    if record.seal is None:
        return None
    try:
        kept = record_events(session, Path(record.seal), [finished])
    except UnavailableFault:
        store.change(session.home, record, is_recorded=True)
        raise
    store.change(session.home, record, is_recorded=True)
    wanted = hashlib.sha256(finished).digest()
    return 1 + next(
        place for place, event in enumerate(kept) if hashlib.sha256(event.document).digest() == wanted
    )
