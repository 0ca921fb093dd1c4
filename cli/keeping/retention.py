"""How long originals are kept, what holds them, and their deletion.

A term only ever grows. A hold refuses every deletion until it is released under its name. Both bind this
software: whoever runs a store can delete from it all the same, and `mizheng keep --check` finds out.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.depositing.recording import Recorder
from mizheng.cli.errors import InputFault, PermissionFault, UsageFault
from mizheng.cli.keeping.copying import Stores
from mizheng.cli.keeping.deletion import Deletion, Deletions, KeptDeletion
from mizheng.cli.keeping.originals import chosen
from mizheng.cli.keeping.record import KeepingRecord
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.keys.signing import unlock
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.errors import FormatError
from mizheng.verifier.event import NONCE_BYTES, check_text
from mizheng.verifier.merkle import leaf_hash

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Deleted:
    """What came of a deletion."""

    originals: int
    place: int
    """Of its document in NAME.deletions."""


def retain(session: Session, path: Path, until: str) -> str:
    """Delete nothing before `until` (a date, UTC, or an instant); the instant. A term is never shortened."""
    moment = f"{until}T00:00:00Z" if _DATE.fullmatch(until) else until
    try:
        parse_instant(moment)
    except FormatError as error:
        raise UsageFault("{value} is no date", "write it as 2036-12-31", value=until[:40]) from error
    with _opened(session, path) as (_content, record):
        if record.until is not None and parse_instant(moment) < parse_instant(record.until):
            raise PermissionFault(
                "the originals are kept until {at}, and a term is not shortened",
                "wait until then; a later date is taken",
                at=record.until,
            )
        record.add({"event": "retained", "until": moment})
    return moment


def hold(session: Session, path: Path, name: str) -> None:
    """Begin a legal hold, for instance under the number of a case."""
    _checked(name)
    with _opened(session, path) as (_content, record):
        if name not in record.holds:
            record.add({"event": "held", "name": name})


def release(session: Session, path: Path, name: str, reason: str) -> None:
    """End a hold; InputFault when there is none of this name."""
    _checked(reason)
    with _opened(session, path) as (_content, record):
        if name not in record.holds:
            raise InputFault("there is no hold of this name", "mizheng keep --list --json names them")
        record.add({"event": "released", "name": name, "reason": reason})


def delete(session: Session, path: Path, patterns: Sequence[str], reason: str) -> Deleted:
    """Remove the copies of the named originals from every store, under a signed document.

    PermissionFault before the term has ended or while there is a hold; nothing is deleted then. Faults of a
    store leave the rest: the same call goes on.
    """
    _checked(reason)
    with Seal(path) as seal:
        commitment = seal.state.sealed.commitment
    with _opened(session, path) as (content, record):
        _require_free(record)
        wanted = {
            item.record: leaf_hash(content.record(item.place)).hex()
            for item in chosen(content, patterns)
            if item.record in record.originals
        }
        deletions = Deletions(path, content.manifest_key)
        place = deletions.find_unfinished(list(wanted.values()), reason)
        if not wanted and place is None:
            raise InputFault("none of these originals is kept", "mizheng keep --list shows what is")
        if place is None:
            key = unlock(session.home, session.active_key)
            document = Deletion(
                key.public,
                commitment,
                tuple(sorted(wanted.values())),
                tuple(sorted(record.originals[item].ciphertext.sha256 for item in wanted)),
                reason,
                format_instant(int(time.time())),
                secrets.token_bytes(NONCE_BYTES),
            ).sign(key)
            place = deletions.add(KeptDeletion(document))
        stores = Stores(record.stores)
        for number in wanted:
            for address, location in record.originals[number].stored.items():
                stores[address].delete(location)
                record.add({"event": "dropped", "record": number, "store": address})
        record.add({"event": "deleted", "records": sorted(wanted)})
        deletions.change(place, is_finished=True)
    return Deleted(len(wanted), place)


def send(session: Session, path: Path) -> int:
    """Put every deletion that waits on record in the log; how many. UnavailableFault: they wait on."""
    with Seal(path, lock=True) as seal:
        deletions = Deletions(path, open_seal(seal, session.home).manifest_key)
        waiting = [place for place in deletions.waiting() if deletions.kept[place].is_finished]
        if waiting:
            with session.notary() as client:
                recorder = Recorder(session, client)
                for place in waiting:
                    recorder.send(deletions, place)
    return len(waiting)


def _require_free(record: KeepingRecord) -> None:
    if record.holds:
        raise PermissionFault(
            "a legal hold refuses deletion: {names}",
            "mizheng retention NAME.seal --release NAME --reason … ends it",
            names=", ".join(record.holds),
        )
    if record.until is not None and time.time() < parse_instant(record.until):
        raise PermissionFault(
            "the originals are to be kept until {at}", "delete them after that", at=record.until
        )


def _checked(text: str) -> None:
    try:
        check_text(text)
    except FormatError as error:
        raise UsageFault("a name or reason that is empty, too long or holds control characters") from error


@contextmanager
def _opened(session: Session, path: Path) -> Iterator[tuple[Content, KeepingRecord]]:
    with Seal(path) as seal:
        content = open_seal(seal, session.home)
        with KeepingRecord(path, content.manifest_key, write=True) as record:
            yield content, record
