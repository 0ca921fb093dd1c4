"""Looking at every copy of every original: is it there, is it what was put there; and mending what is not.

What was found is written into the keeping record, chained to all that is in it. A copy counts as sound
after every byte of it was read and hashed, and the store says that it means to keep it. Nothing is decrypted,
so this needs the key of the seal and none of a recipient's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.cli.keeping.copying import Stores, copy
from mizheng.cli.keeping.record import KeepingRecord, Original
from mizheng.cli.keeping.stores.interface import MissingFault, UnreadableFault
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import MizhengError

LOST = N_("lost")
ROTTEN = N_("rotten")
UNREADABLE = N_("unreadable")
UNREACHABLE = N_("unreachable")

# What is only not pinned is whole, and may be the one copy there is.
_NOT_WHOLE = (LOST, ROTTEN, UNREADABLE, UNREACHABLE)

SOUND, REMAINS, UNDECIDED, REPAIRED = 0, 1, 2, 3
"""Exit codes: all sound; something lost or rotten stays so; a store did not answer; all is repaired."""

Tick = Callable[[int, int], None]


@dataclass(slots=True)
class Fault:
    """A copy that is not as it should be."""

    record: int
    store: str
    finding: str
    """lost, rotten, unreadable, not pinned, unreachable: message ids of the catalogue."""
    is_repaired: bool = False
    why: MizhengError | None = None
    """Of what is unreachable, or could not be repaired."""


@dataclass(slots=True)
class Checked:
    """What came of one seal."""

    originals: int = 0
    copies: int = 0
    size: int = 0
    """Bytes that were read."""
    faults: list[Fault] = field(default_factory=list)
    waiting: int = 0
    """Originals that are in no store yet: an earlier `keep` was broken off."""
    head: str = ""
    """SHA-256 for the whole keeping record, this check included."""

    @property
    def exit_code(self) -> int:
        open_ones = [fault for fault in self.faults if not fault.is_repaired]
        if self.waiting or any(fault.finding != UNREACHABLE for fault in open_ones):
            return REMAINS
        if open_ones:
            return UNDECIDED
        return REPAIRED if self.faults else SOUND


def check_seal(
    session: Session, path: Path, *, repair: bool, tick: Tick = lambda _things, _size: None
) -> Checked:
    """Read every copy of the originals of a seal. With `repair`, what is not whole is put back from a
    copy that is sound, to the store that should have it.
    """
    done = Checked()
    with Seal(path) as seal:
        manifest_key = open_seal(seal, session.home).manifest_key
    with KeepingRecord(path, manifest_key, write=True) as record:
        stores, away = Stores(record.stores), _Away()
        for original in record.in_order():
            found = [
                fault
                for address in original.stored
                if (fault := _look(original, address, stores, away, done))
            ]
            if repair and any(fault.finding != UNREACHABLE for fault in found):
                _repair(record, original, found, stores)
            done.originals += 1
            done.waiting += not original.stored
            done.faults += found
            tick(1, 0)
        record.add(_event(done))
        done.head = record.journal.head
    return done


class _Away(dict[str, MizhengError]):
    """Stores that did not answer: asked once, and not for each of a million originals."""


def _look(original: Original, address: str, stores: Stores, away: _Away, done: Checked) -> Fault | None:
    done.copies += 1
    if address in away:
        return Fault(original.record, address, UNREACHABLE, why=away[address])
    location = original.copies[address]
    digest = hashlib.sha256()
    size = 0
    try:
        for piece in stores[address].read(location):
            digest.update(piece)
            size += len(piece)
        finding = stores[address].finding(location)
    except MissingFault:
        return Fault(original.record, address, LOST)
    except UnreadableFault as error:
        return Fault(original.record, address, UNREADABLE, why=error)
    except MizhengError as error:
        away[address] = error
        return Fault(original.record, address, UNREACHABLE, why=error)
    done.size += size
    if (digest.hexdigest(), size) != (original.ciphertext.sha256, original.ciphertext.size):
        return Fault(original.record, address, ROTTEN)
    return Fault(original.record, address, finding) if finding else None


def _repair(record: KeepingRecord, original: Original, faults: list[Fault], stores: Stores) -> None:
    broken = frozenset(fault.store for fault in faults if fault.finding in _NOT_WHOLE)
    for fault in faults:
        if fault.finding == UNREACHABLE:
            continue
        is_repair = fault.store in broken
        try:
            location = copy(original, fault.store, stores, without=broken, is_repair=is_repair)
        except MizhengError as error:
            fault.why = error
            continue
        record.add({"event": "copied", "record": original.record, "store": fault.store, "location": location})
        # Not before it was read again: a store may take what it has for what it is given.
        fault.is_repaired = _look(original, fault.store, stores, _Away(), Checked()) is None
        fault.why = None if fault.is_repaired else fault.why


def _event(done: Checked) -> dict[str, Any]:
    return {
        "event": "checked",
        "originals": done.originals,
        "copies": done.copies,
        "size": done.size,
        "waiting": done.waiting,
        "faults": [
            {
                "record": fault.record,
                "store": fault.store,
                "finding": fault.finding,
                "repaired": fault.is_repaired,
            }
            for fault in done.faults
        ],
    }
