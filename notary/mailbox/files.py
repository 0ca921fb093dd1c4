"""The ciphertexts: a folder an item, a file a part, each whole or not there.

    DIRECTORY/ID/000000  000001 …

A part is written beside its name and renamed, so that the same part twice, or half a part, harms nothing.
Names are made here, of an identifier that was found in the database: nothing from a request becomes a path.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from anyio import to_thread
from mizheng.notary.errors import Problem
from mizheng.notary.mailbox.setup import MIB, MailboxSetup

# As large as the largest batch of deposits, so that no proxy has to let more pass.
PART_BYTES = 4 * MIB
_CHUNK_BYTES = 256 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class MailboxFiles:
    """All parts of all items."""

    def __init__(self, setup: MailboxSetup) -> None:
        self._setup = setup

    def require_room(self, size: int) -> None:
        """Problem `mailbox-full` when the disk would be left with less than it has to keep."""
        self._setup.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self._setup.directory).free - size < self._setup.reserve_bytes:
            raise Problem("mailbox-full", retry_after=3600)

    async def write_part(self, item: str, number: int, size: int, chunks: AsyncIterator[bytes]) -> None:
        """Take a part of exactly `size` bytes; Problem when it is of another size or there is no room."""
        with _no_room():
            await to_thread.run_sync(self.require_room, size)
            folder = self._folder(item)
            folder.mkdir(mode=0o700, exist_ok=True)
            temporary = folder / f".{number:06}.{secrets.token_hex(4)}"
            try:
                await _write(temporary, size, chunks)
                await to_thread.run_sync(temporary.replace, self._path(item, number))
            finally:
                temporary.unlink(missing_ok=True)

    def parts(self, item: str) -> list[int]:
        """Numbers of those that are there."""
        try:
            names = [path.name for path in self._folder(item).iterdir()]
        except FileNotFoundError:
            return []
        return sorted(int(name) for name in names if name.isdigit())

    def part(self, item: str, number: int) -> Path:
        """The file of a part that is there; Problem `mailbox-unknown` otherwise."""
        path = self._path(item, number)
        if not path.is_file():
            raise Problem("mailbox-unknown")
        return path

    def digest(self, item: str, size: int) -> bytes:
        """SHA-256 over all parts in their order; Problem `mailbox-incomplete` while one is missing."""
        if self.parts(item) != list(range(count_parts(size))):
            raise Problem("mailbox-incomplete")
        digest = hashlib.sha256()
        for number in range(count_parts(size)):
            for chunk in _chunks(self._path(item, number)):
                digest.update(chunk)
        return digest.digest()

    def settle(self, item: str) -> None:
        """Make the names of all parts survive a power cut."""
        for folder in (self._folder(item), self._setup.directory):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def delete(self, item: str) -> None:
        """Nothing of an item stays; harmless where there is nothing."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder(item))

    def all_items(self) -> list[str]:
        """Every item that has a folder."""
        with contextlib.suppress(FileNotFoundError):
            return [path.name for path in self._setup.directory.iterdir()]
        return []

    def _folder(self, item: str) -> Path:
        return self._setup.directory / item

    def _path(self, item: str, number: int) -> Path:
        return self._folder(item) / f"{number:06}"


def count_parts(size: int) -> int:
    return -(-size // PART_BYTES)


def size_of_part(size: int, number: int) -> int:
    """Bytes of part `number` of an item; Problem `request-malformed` when it has no such part."""
    if not 0 <= number < count_parts(size):
        raise Problem("request-malformed", "part: there is no such part")
    return min(PART_BYTES, size - number * PART_BYTES)


async def _write(path: Path, size: int, chunks: AsyncIterator[bytes]) -> None:
    """The chunks, gathered to a quarter of a megabyte each time: no more of a part is in memory."""
    descriptor = await to_thread.run_sync(os.open, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    written = 0
    try:
        waiting = b""
        async for chunk in chunks:
            waiting += chunk
            written += len(chunk)
            if written > size:
                break
            if len(waiting) >= _CHUNK_BYTES:
                await to_thread.run_sync(_write_all, descriptor, waiting)
                waiting = b""
        if written != size:
            raise Problem("request-malformed", "part: it does not have the size that it has to have")
        await to_thread.run_sync(_write_all, descriptor, waiting)
        await to_thread.run_sync(os.fsync, descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_CHUNK_BYTES), b"")


@contextlib.contextmanager
def _no_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Problem("mailbox-full", retry_after=3600) from None
        raise
