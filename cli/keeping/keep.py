"""Keeping the originals of a seal: each is encrypted once, and the ciphertext put into every store.

What is true if we die:
- while a file is encrypted: nothing of it is kept; the next run begins it anew
- once `kept` is written: its ciphertext is whole in a folder, of a store or the spool, and every store
  gets that one; the next run goes on with the stores that lack it
- once `copied` is written: it lies in that store
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mizheng.cli.keeping.copying import Stores, copy
from mizheng.cli.keeping.encrypting import encrypt
from mizheng.cli.keeping.originals import Wanted, chosen, open_original, read_record
from mizheng.cli.keeping.record import SPOOL, KeepingRecord, Original
from mizheng.cli.keeping.stores.directory import DirectoryStore
from mizheng.cli.keys.sealing import open_seal, recipients
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.session import Session
from mizheng.cli.terminal.language import N_

if TYPE_CHECKING:
    from pyrage import x25519

Tick = Callable[[int, int], None]
"""Told of so many more files and bytes."""

CHANGED = N_("is no longer what was sealed")


@dataclass(slots=True)
class Done:
    """What came of it."""

    originals: int = 0
    """Files that are in every store now."""
    new: int = 0
    """Of those, encrypted in this run."""
    size: int = 0
    """Bytes of ciphertext sent to stores in this run."""
    stores: list[str] = field(default_factory=list)
    failed: list[tuple[bytes, str]] = field(default_factory=list)
    """(name, reason) of files that could not be kept."""


def keep_seal(
    session: Session,
    path: Path,
    *,
    stores: Sequence[str],
    folders: Sequence[Path],
    patterns: Sequence[str] = (),
    anew: bool = False,
    tick: Tick = lambda _things, _size: None,
) -> Done:
    """Keep every file of a seal, or those that `patterns` name, in each of the stores (normal addresses).

    `folders`: where the recorded names start. A file that is missing, unreadable or changed is told in the
    result, and the rest is kept. Faults of a store end it; the same call goes on later. `anew`: encrypt also
    what is kept already, because its copies are lost or for other recipients.
    """
    with Seal(path) as seal:
        content = open_seal(seal, session.home)
        with KeepingRecord(path, content.manifest_key, write=True) as record:
            spool = session.home / "spool" / hashlib.sha256(content.manifest_key).hexdigest()[:16]
            work = _Work(record, content, stores, spool, session, folders, tick)
            try:
                for wanted in chosen(content, patterns):
                    work.keep(wanted, anew=anew)
            finally:
                work.end()
    return work.done


class _Work:
    """One run over one seal."""

    def __init__(
        self,
        record: KeepingRecord,
        content: Content,
        stores: Sequence[str],
        spool: Path,
        session: Session,
        folders: Sequence[Path],
        tick: Tick,
    ) -> None:
        self.done = Done(stores=list(stores))
        self._record = record
        self._content = content
        self._stores = Stores(record.stores, spool)
        self._folders = folders
        self._tick = tick
        self._recipients: list[x25519.Recipient] = recipients(session.home, session.config.seal_key_store)
        self._has_spool = spool.exists()
        if self._has_spool:
            # Of an earlier run, only what the record names is of use.
            self._stores.spool.only({item.copies.get(SPOOL, "") for item in record.originals.values()})

    def keep(self, wanted: Wanted, *, anew: bool) -> None:
        original = self._record.originals.get(wanted.record)
        before = dict(original.stored) if original else {}
        if anew or original is None or not original.copies:
            try:
                original = self._encrypt(wanted)
            except _UnusableError as error:
                self.done.failed.append((wanted.label, str(error)))
                return
            self.done.new += 1
        else:
            before = {}
        for address in self.done.stores:
            if address not in original.copies:
                location = copy(original, address, self._stores)
                self.done.size += original.ciphertext.size
                self._note_copy(original, address, location)
        if SPOOL in original.copies:
            location = original.copies[SPOOL]
            self._record.add({"event": "dropped", "record": original.record, "store": SPOOL})
            self._stores.spool.delete(location)
        for address, location in before.items():
            # What was encrypted before has been replaced by now.
            if address in self.done.stores:
                self._stores[address].delete(location)
        self.done.originals += 1
        self._tick(1, 0)

    def end(self) -> None:
        """The spool goes when nothing waits in it."""
        if self._has_spool:
            self._stores.spool.remove()

    def _encrypt(self, wanted: Wanted) -> Original:
        file = open_original(wanted.label, self._folders)
        if isinstance(file, str):
            raise _UnusableError(file)
        with file:
            return self._encrypt_open(wanted, file)

    def _encrypt_open(self, wanted: Wanted, file: BinaryIO) -> Original:
        sealed = read_record(self._content, wanted).fields
        address, folder = self._first_folder()
        with folder.incoming() as incoming:
            made = encrypt(file, self._recipients, incoming.write, partial(self._tick, 0))
            if (made.original_sha256, made.original_size) != (sealed["sha256"], sealed["size"]):
                raise _UnusableError(CHANGED)
            location = incoming.finish(made.ciphertext.sha256)
        self._record.add(
            {
                "event": "kept",
                "record": wanted.record,
                "sha256": made.ciphertext.sha256,
                "size": made.ciphertext.size,
                "recipients": list(map(str, self._recipients)),
            },
            {"event": "copied", "record": wanted.record, "store": address, "location": location},
        )
        if address != SPOOL:
            self.done.size += made.ciphertext.size
        return self._record.originals[wanted.record]

    def _note_copy(self, original: Original, address: str, location: str) -> None:
        self._record.add(
            {"event": "copied", "record": original.record, "store": address, "location": location}
        )

    def _first_folder(self) -> tuple[str, DirectoryStore]:
        """Where an age file can be made: a folder among the stores, or the spool."""
        for address in self.done.stores:
            store = self._stores[address]
            if isinstance(store, DirectoryStore):
                return address, store
        self._has_spool = True
        return SPOOL, self._stores.spool


class _UnusableError(Exception):
    """A file that cannot be kept; the message is the reason, a message id of the catalogue."""
