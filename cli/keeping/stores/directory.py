"""A folder as a store: a disk, a network share. `ab/abcdef….age` is named by the ciphertext's SHA-256.

A file of that name is whole: it is written under another, brought to the disk, then named. What a run that
died left unnamed is gone on with by `put`, and removed where it was being encrypted: an age file cannot be
gone on with. A folder that was a store and lacks its mark is a disk that is not mounted: nothing is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mizheng.cli.files import sync_directory, write_private
from mizheng.cli.keeping.stores.interface import (
    PIECE,
    Ciphertext,
    Reading,
    gone,
    missing,
    of_system,
    other_bytes,
    unreadable,
)
from mizheng.cli.keeping.stores.writing import NewFile, write_all
from mizheng.cli.terminal.language import N_
from mizheng.verifier.errors import FormatError

_MARK = "mizheng-store"
_READ = 1 << 20
# Between its making and its lock somebody else's may look abandoned.
_YOUNG_SECONDS = 60


class DirectoryStore:
    """A folder of ciphertexts."""

    def __init__(self, root: Path, *, is_known: bool) -> None:
        """`is_known`: something was kept here before; then it has to be there. Else it is made."""
        self.address = str(root)
        self._root = root
        if (root / _MARK).is_file():
            return
        if is_known:
            raise gone(self.address, N_("No such file or directory"))
        try:
            write_private(root / _MARK, b"mizheng store v1\n")
        except OSError as error:
            raise of_system(self.address, error) from error

    def put(self, what: Ciphertext, read: Reading) -> str:
        location = _location(what.sha256)
        path = self._root / location
        if _size(path) == what.size and self._holds(path, what):
            return location
        part = path.with_name(f".{what.sha256}.part")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with _open_part(part) as file:
                digest = _digest_of(file)
                if file.tell() > what.size:
                    file.truncate(file.seek(0))
                    digest = hashlib.sha256()
                for piece in read(file.tell()):
                    write_all(file, piece)
                    digest.update(piece)
                if file.tell() != what.size or digest.hexdigest() != what.sha256:
                    file.truncate(0)
                    raise other_bytes()
                os.fsync(file.fileno())
            part.replace(path)
            sync_directory(path.parent)
        except OSError as error:
            raise of_system(self.address, error) from error
        return location

    def repair(self, what: Ciphertext, read: Reading) -> str:
        # It looks at what is there, and replaces it.
        return self.put(what, read)

    def read(self, location: str, start: int = 0) -> Iterator[bytes]:
        try:
            with self._path(location).open("rb", buffering=0) as file:
                file.seek(start)
                while piece := file.read(_READ):
                    yield piece
        except FileNotFoundError as error:
            if not (self._root / _MARK).is_file():
                raise gone(self.address, N_("No such file or directory")) from error
            raise missing(self.address) from error
        except OSError as error:
            # One file on a disk that is there otherwise.
            if (self._root / _MARK).is_file():
                raise unreadable(self.address, error.strerror or type(error).__name__) from error
            raise of_system(self.address, error) from error

    def finding(self, location: str) -> str | None:
        return None

    def delete(self, location: str) -> None:
        path = self._path(location)
        try:
            path.unlink(missing_ok=True)
            if path.parent.exists():
                sync_directory(path.parent)
        except OSError as error:
            raise of_system(self.address, error) from error

    @contextlib.contextmanager
    def incoming(self) -> Iterator[Incoming]:
        """A ciphertext that is just being made, whose name is not known yet."""
        self._sweep()
        path = self._root / f".{os.urandom(8).hex()}.new"
        try:
            with _open_part(path) as file:
                yield Incoming(self._root, path, file)
        except OSError as error:
            raise of_system(self.address, error) from error
        finally:
            with contextlib.suppress(OSError):
                path.unlink()

    def only(self, locations: set[str]) -> None:
        """Remove all else; for a folder that nobody else uses."""
        self._sweep()
        for path in self._root.glob("*/*.age"):
            if path.relative_to(self._root).as_posix() not in locations:
                path.unlink(missing_ok=True)

    def remove(self) -> None:
        """The folder itself, when there is no ciphertext in it."""
        with contextlib.suppress(OSError):
            if not any(self._root.glob("*/*.age")):
                shutil.rmtree(self._root)

    def _holds(self, path: Path, what: Ciphertext) -> bool:
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == what.sha256
        except OSError:
            return False

    def _path(self, location: str) -> Path:
        digest = location.rpartition("/")[2].removesuffix(".age")
        if len(digest) != 64 or not digest.isalnum() or location != _location(digest):
            raise FormatError("a location that no store of this kind gave")
        return self._root / location

    def _sweep(self) -> None:
        """What nobody is writing any more, because whoever did has died."""
        for path in self._root.glob(".*.new"):
            with contextlib.suppress(OSError), path.open("r+b") as file:
                if time.time() - path.stat().st_mtime > _YOUNG_SECONDS and _try_lock(file):
                    path.unlink()


class Incoming:
    """Takes the pieces of a ciphertext; `finish` gives it its name."""

    def __init__(self, root: Path, path: Path, file: BinaryIO) -> None:
        self._root = root
        self._path = path
        self._file = NewFile(file)
        self.write = self._file.write

    def finish(self, sha256: str) -> str:
        """Its location, once it is on the disk under its name."""
        self._file.finish()
        location = _location(sha256)
        target = self._root / location
        target.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.replace(target)
        sync_directory(target.parent)
        return location


def _location(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}.age"


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@contextlib.contextmanager
def _open_part(path: Path) -> Iterator[BinaryIO]:
    """An unnamed file, open at its start, that nobody else writes to."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        if not _try_lock(file):
            raise BlockingIOError(None, N_("another process is writing the same"))
        yield file


def _digest_of(file: BinaryIO) -> hashlib._Hash:
    """Of what is there already; the file is left at its end."""
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest


def _try_lock(file: BinaryIO) -> bool:
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
