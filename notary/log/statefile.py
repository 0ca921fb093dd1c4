"""The state file: the highest head that was answered from this data directory, apart from the database.

Two slots of fixed size are written in turn, in place, each with a digest of its own: a power cut can tear
the slot that is being written, never both. The file is text and can be read with `cat`:

    mizheng/signed-head/v1 <origin> <size> <root, hex> <SHA-256 of what stands before it, hex>
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mizheng.notary.errors import ConfigurationError

STATE_NAME = "signed-head"
_FORM = "mizheng/signed-head/v1"
# An origin has at most 200 characters of at most four bytes; a slot is a sector that no other write touches.
_SLOT = 4096


@dataclass(frozen=True, slots=True)
class SeenHead:
    """A head that left this notary."""

    origin: str
    size: int
    root: bytes


class StateFile:
    """One file, shared by the serving process and the operator's commands."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, origin: str) -> SeenHead | None:
        """The head noted for the log `origin`; None if there is no file yet.

        ConfigurationError if the file is damaged or of another log.
        """
        if not self._path.exists():
            return None
        with self._opened() as handle:
            return self._newest(handle, origin)[0]

    def write(self, head: SeenHead) -> None:
        """Note a head unless a higher one is noted; synced when this returns. OSError if it cannot be."""
        with self._opened() as handle:
            present, slot = self._newest(handle, head.origin)
            if present is None:
                _sync_folder(self._path.parent)
            elif present.size >= head.size:
                return
            # Dying here or in the write: the other slot still holds the head before.
            try:
                _write_all(handle, _dump(head), slot * _SLOT)
                os.fdatasync(handle)
            except OSError:
                # After a sync that failed the kernel goes on showing what may never reach the disk, and the
                # next sync finds nothing to do. So it is taken back, and whoever asks again writes it anew.
                with suppress(OSError):
                    _write_all(handle, bytes(_SLOT), slot * _SLOT)
                raise

    def _newest(self, handle: int, origin: str) -> tuple[SeenHead | None, int]:
        """The higher of the two slots, and the slot to be written next."""
        data = os.pread(handle, 2 * _SLOT, 0)
        slots = [_parse(data[start : start + _SLOT]) for start in (0, _SLOT)]
        found = [(head.size, number) for number, head in enumerate(slots) if head is not None]
        if not found:
            if data.strip(b"\0\n "):
                raise ConfigurationError(
                    "{path} is damaged: it no longer says which head was signed last",
                    hint="compare the log with what was published or anchored; then remove the file",
                    path=self._path,
                )
            return None, 0
        newest = slots[max(found)[1]]
        if newest is None or newest.origin != origin:
            raise ConfigurationError(
                "{path} is of another log than the database",
                hint="is MIZHENG_DATABASE_URL right? each log has its own data directory",
                path=self._path,
            )
        return newest, 1 - max(found)[1]

    @contextmanager
    def _opened(self) -> Iterator[int]:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # A command of the operator and the serving process may come at the same moment.
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)


def _dump(head: SeenHead) -> bytes:
    text = f"{_FORM} {head.origin} {head.size} {head.root.hex()}"
    line = f"{text} {hashlib.sha256(text.encode()).hexdigest()}".encode()
    return line.ljust(_SLOT - 1) + b"\n"


def _parse(slot: bytes) -> SeenHead | None:
    # Without the padding first: to split four thousand spaces took a quarter of a batch's time.
    line = slot.rstrip(b" \n").decode("utf-8", "replace").split(" ")
    if len(line) != 5 or line[0] != _FORM:
        return None
    if hashlib.sha256(" ".join(line[:4]).encode()).hexdigest() != line[4]:
        return None
    return SeenHead(line[1], int(line[2]), bytes.fromhex(line[3]))


def _write_all(handle: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(handle, data, offset)
        data, offset = data[written:], offset + written


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
