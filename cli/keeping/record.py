"""What NAME.keeping says when all of its events are taken together: which originals lie where.

    kept       a record's file was encrypted: digest and size of the ciphertext, and for whom
    copied     it lies in a store at a location             dropped    it does not any more
    checked    a look at every copy: how many, and what was not as it should be
    retained   a term before which nothing is deleted
    held       a legal hold by its name                     released   its end
    deleted    originals that are kept no longer; the signed document is in NAME.deletions

An original is known by its record: the place in the seal, from 1, in the order of `Content.records`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.cli.keeping.journal import Journal
from mizheng.cli.keeping.stores.interface import Ciphertext
from mizheng.cli.sealfile.beside import damaged
from mizheng.verifier.canonical import format_instant

SPOOL = "spool"
"""Stands where a store's address stands, for the folder in which a ciphertext waits to be sent."""


@dataclass(slots=True)
class Original:
    """One file that is kept."""

    record: int
    ciphertext: Ciphertext
    recipients: tuple[str, ...]
    """age recipients (age1…) who can open it."""
    kept_at: str
    copies: dict[str, str] = field(default_factory=dict)
    """Address of the store to location in it."""

    @property
    def stored(self) -> dict[str, str]:
        """The copies that are there to stay."""
        return {store: location for store, location in self.copies.items() if store != SPOOL}


@dataclass(slots=True)
class Hold:
    """A legal hold that has not been released."""

    name: str
    since: str


class KeepingRecord:
    """The originals of one seal; opened to `write`, nobody else writes meanwhile."""

    def __init__(self, seal: Path, manifest_key: bytes, *, write: bool) -> None:
        self.journal = Journal(seal, manifest_key, write=write)
        self.originals: dict[int, Original] = {}
        self.stores: set[str] = set()
        """Every store in which something was ever kept."""
        self.until: str | None = None
        """Nothing is deleted before this instant."""
        self.holds: dict[str, Hold] = {}
        self.checked: dict[str, Any] | None = None
        """The last check."""
        try:
            for event in self.journal.events:
                self._take(event)
        except (KeyError, TypeError, ValueError) as error:
            self.journal.__exit__()
            raise damaged(self.journal.path) from error
        # Read once; what a million originals need is in `originals`.
        self.journal.events.clear()

    def __enter__(self) -> KeepingRecord:
        return self

    def __exit__(self, *_details: object) -> None:
        self.journal.__exit__()

    def add(self, *events: Mapping[str, Any]) -> None:
        """Write down what happened, now: on the disk when this returns."""
        at = format_instant(int(time.time()))
        dated = [{"at": at, **event} for event in events]
        self.journal.append(*dated)
        self.journal.events.clear()
        for event in dated:
            self._take(event)

    def in_order(self) -> Iterable[Original]:
        return [self.originals[record] for record in sorted(self.originals)]

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind == "kept":
            what = Ciphertext(str(event["sha256"]), int(event["size"]))
            record = int(event["record"])
            self.originals[record] = Original(record, what, tuple(event["recipients"]), str(event["at"]))
        elif kind == "copied":
            self.originals[int(event["record"])].copies[str(event["store"])] = str(event["location"])
            if event["store"] != SPOOL:
                self.stores.add(str(event["store"]))
        elif kind == "dropped":
            self.originals[int(event["record"])].copies.pop(str(event["store"]), None)
        elif kind == "checked":
            self.checked = dict(event)
        elif kind == "retained":
            self.until = str(event["until"])
        elif kind == "held":
            self.holds[str(event["name"])] = Hold(str(event["name"]), str(event["at"]))
        elif kind == "released":
            self.holds.pop(str(event["name"]), None)
        elif kind == "deleted":
            for record in event["records"]:
                self.originals.pop(int(record), None)
        else:
            raise ValueError("an event of a later version")
