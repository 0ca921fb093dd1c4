"""The chain of custody: what it says, and what a company's own system records in it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from mizheng.cli.custody.acting import Told, make_event
from mizheng.cli.custody.chain import read_chain
from mizheng.cli.custody.recording import record_events
from mizheng.cli.custody.showing import read_lines
from mizheng.cli.errors import UsageFault
from mizheng.cli.session import Session
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.custody import HANDOVERS
from mizheng.verifier.report import CustodyLine


def custody(path: str | os.PathLike[str]) -> list[CustodyLine]:
    """The chain of a seal, with what waits to go on record, or of a bundle, up to what does not hold in it.

    Whose keys they are, only a trust file tells: the lines of `verify(bundle, trust).custody`.
    """
    return read_lines(Session.load(), Path(path))


def add_custody(
    path: str | os.PathLike[str],
    what: str,
    *,
    where: str,
    why: str,
    by: str | None = None,
    role: str | None = None,
    note: str | None = None,
    before: str | os.PathLike[str] | None = None,
    after: str | os.PathLike[str] | None = None,
    seal_number: str | None = None,
) -> int:
    """Sign what happened to the evidence of a seal and put it on record; the event's number.

    `what` and the others are those of `mizheng custody add`; `before`, `after`: files, or SHA-256 in hex.
    A hand-over needs two machines: `send` offers it. UnavailableFault when the notary is away: it is kept,
    and `record_custody` sends it later.
    """
    if what in HANDOVERS:
        raise UsageFault("a hand-over has a taker: it goes with a transfer", "send, with handover=")
    session, at = Session.load(), format_instant(int(time.time()))
    told = Told(what, where, why, at, by, role, note, _named(before), _named(after), seal_number)
    document = make_event(session, read_chain(session, Path(path)), told)
    kept = [item.document for item in record_events(session, Path(path), [document])]
    return kept.index(document) + 1


def record_custody(path: str | os.PathLike[str], documents: Sequence[str | os.PathLike[str]] = ()) -> int:
    """Keep events of a seal that were signed elsewhere, and put on record all that waits; how many there are.

    DataFault for a file that cannot be the next event of the chain: those before it are kept.
    """
    data = [Path(document).read_bytes() for document in documents]
    return len(record_events(Session.load(), Path(path), data))


def _named(given: str | os.PathLike[str] | None) -> str | None:
    return None if given is None else os.fspath(given)
