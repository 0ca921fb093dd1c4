"""Bringing originals back: fetched, decrypted, compared with the sealed records, then given their names.

Nothing gets a name before SHA-256, SM3 and size are those of its record. Names come from records, which the
verifier's rules keep relative; no folder on the way may be a link, so that nothing lands outside.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mizheng.cli.errors import DataFault, OutputFault, PermissionFault
from mizheng.cli.files import new_file
from mizheng.cli.keeping.copying import Stores
from mizheng.cli.keeping.decrypting import decrypt
from mizheng.cli.keeping.originals import chosen, read_record
from mizheng.cli.keeping.record import KeepingRecord, Original
from mizheng.cli.keeping.stores.interface import nothing_left
from mizheng.cli.keys.sealing import load_identities, open_seal
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealing.hashing import UnreadableError, digest_file
from mizheng.cli.session import Session
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.errors import MizhengError
from mizheng.verifier.record import Record

if TYPE_CHECKING:
    from pyrage import x25519

Tick = Callable[[int, int], None]


@dataclass(slots=True)
class Retrieved:
    """What came of it."""

    files: list[Path] = field(default_factory=list)
    """Written in this run, compared with their records."""
    there: int = 0
    """Were there already, the same."""
    failed: list[tuple[bytes, MizhengError]] = field(default_factory=list)
    """(name, fault) of those that did not come."""
    not_kept: int = 0
    """Of those asked for, never kept or deleted."""
    passed_over: list[tuple[bytes, str, MizhengError]] = field(default_factory=list)
    """(name, store, fault) of copies that were not whole; another one was, or the file is in `failed`."""


def retrieve_seal(
    session: Session,
    path: Path,
    output: Path,
    *,
    patterns: Sequence[str] = (),
    more_stores: Sequence[str] = (),
    force: bool = False,
    tick: Tick = lambda _things, _size: None,
) -> Retrieved:
    """Write the kept originals of a seal below the folder `output`, all or those that `patterns` name.

    `more_stores`: addresses to look in besides those of the record, where a store has moved. An existing file
    that is the same is left alone; one that is not is a fault unless `force`.
    """
    with Seal(path) as seal:
        content = open_seal(seal, session.home)
        with KeepingRecord(path, content.manifest_key, write=False) as record:
            work = _Work(record, more_stores, load_identities(session.home))
            for wanted in chosen(content, patterns):
                original = record.originals.get(wanted.record)
                if original is None:
                    work.done.not_kept += 1
                    continue
                work.bring(original, read_record(content, wanted), output, force=force)
                tick(1, original.ciphertext.size)
    return work.done


class _Work:
    """One run over one seal."""

    def __init__(
        self, record: KeepingRecord, more_stores: Sequence[str], identities: Sequence[x25519.Identity]
    ) -> None:
        self.done = Retrieved()
        self._stores = Stores(record.stores | set(more_stores))
        self._more = more_stores
        self._identities = identities

    def bring(self, original: Original, sealed: Record, output: Path, *, force: bool) -> None:
        try:
            target = place_for(output, sealed.label)
            if _is_there(target, sealed, force=force):
                self.done.there += 1
                return
            with new_file(target, force=force) as (file, temporary):
                self._fetch(original, sealed, file)
                _date(temporary, sealed)
            self.done.files.append(target)
        except MizhengError as error:
            self.done.failed.append((sealed.label, error))

    def _fetch(self, original: Original, sealed: Record, file: BinaryIO) -> None:
        """Write the original from the first copy that is whole; the fault of the last that was not."""
        fault: MizhengError | None = None
        for address, location in _where(original, self._more):
            file.seek(0)
            file.truncate()
            try:
                self._fetch_from(address, location, original, sealed, file)
            except MizhengError as error:
                fault = error
                if isinstance(error, PermissionFault):
                    break
                self.done.passed_over.append((sealed.label, address, error))
            else:
                return
        raise fault or nothing_left()

    def _fetch_from(
        self, address: str, location: str, original: Original, sealed: Record, file: BinaryIO
    ) -> None:
        found = decrypt(self._stores[address].read(location), self._identities, file)
        if found.ciphertext != original.ciphertext:
            raise DataFault(
                "the ciphertext in {name} is not the one that was kept",
                "mizheng keep --check brings it back from another store",
                name=address,
            )
        if not found.is_open:
            raise PermissionFault(
                "none of the keys here opens an original that was kept for {recipients}",
                "work where it was kept, or let MIZHENG_SEAL_IDENTITY name the file of one of these keys",
                recipients=", ".join(original.recipients),
            )
        if (found.size, found.sha256, found.sm3) != _digests(sealed):
            raise DataFault(
                "what was decrypted is not the file that was sealed", "do not use it; keep what the store has"
            )


def _where(original: Original, more_stores: Sequence[str]) -> list[tuple[str, str]]:
    """Folders first. A folder that has moved has the same locations."""
    there = sorted(original.stored.items(), key=lambda item: ("://" in item[0], item[0]))
    locations = {location for _address, location in there}
    moved = [(address, location) for address in more_stores for location in locations]
    return [*there, *(item for item in moved if item not in there)]


def place_for(output: Path, label: bytes) -> Path:
    """Where the file of this record goes, its folders made; OutputFault when a name or folder is a trick."""
    parts = os.fsdecode(label).split("/")
    # The rules for records know `/` alone: a system with other separators reads more into a name.
    if any(part in ("", ".", "..") or Path(part).name != part or Path(part).is_absolute() for part in parts):
        raise _tricky(label)
    folder = output
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in parts[:-1]:
            folder = folder / part
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.is_symlink():
                raise _tricky(label)
    except OSError as error:
        raise OutputFault(
            "{name} cannot be created: {reason}", name=str(folder), reason=error.strerror
        ) from error
    return folder / parts[-1]


def _tricky(label: bytes) -> OutputFault:
    return OutputFault("{name} would land outside of the folder", "name an empty folder with -o", name=label)


def _is_there(target: Path, sealed: Record, *, force: bool) -> bool:
    """Whether the very file is there already; another one is a fault unless it may be replaced."""
    if not os.path.lexists(target):
        return False
    try:
        found = digest_file(os.fsencode(target))
        if (found.size, found.sha256, found.sm3) == _digests(sealed):
            return True
    except UnreadableError:
        pass
    if force and not target.is_dir():
        return False
    raise OutputFault(
        "{name} exists and is something else", "name another folder with -o, or --force", name=str(target)
    )


def _digests(sealed: Record) -> tuple[int, str, str]:
    return sealed.fields["size"], sealed.fields["sha256"], sealed.fields["sm3"]


def _date(path: Path, sealed: Record) -> None:
    """As the file was dated when it was sealed."""
    if "modified_at" in sealed.fields:
        seconds = parse_instant(sealed.fields["modified_at"])
        os.utime(path, (seconds, seconds))
