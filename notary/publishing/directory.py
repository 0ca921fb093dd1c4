"""Publication into a directory that any web server can serve.

Every file is written beside, synced, and then linked into its place, so that a reader sees all of it or
nothing and a file that stands is never replaced. The checkpoint alone is replaced, by a rename, after the
directories that got new files were synced as well.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mizheng.notary.publishing.step import PublicationError

# For temporary files and the lock: on the same file system, and nothing that readers ask for.
WORK_FOLDER = ".publishing"
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755


class DirectoryTarget:
    """The log's files under `root`, readable by everybody."""

    def __init__(self, root: Path) -> None:
        self.kind = "directory"
        self.name = str(root)
        self._root = root
        self._work = root / WORK_FOLDER
        self._touched: set[Path] = set()
        self._guard = threading.Lock()
        self._numbers = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One process at a time; the kernel lets go when it dies."""
        self._make_folder(self._work)
        handle = os.open(self._work / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            for left in list(self._work.glob("*.new")):
                # Of one who died while writing: it was never linked anywhere.
                left.unlink()
            yield
        finally:
            os.close(handle)

    def read_checkpoint(self) -> bytes | None:
        try:
            return (self._root / "checkpoint").read_bytes()
        except FileNotFoundError:
            return None

    def write_file(self, path: str, data: bytes) -> None:
        place = self._root / path
        if self._stands(place, data):
            return
        self._make_folder(place.parent)
        draft = self._draft(data)
        try:
            # Unlike a rename, a link never takes the place of a file that is there.
            os.link(draft, place)
        except FileExistsError:
            self._stands(place, data)
        finally:
            draft.unlink()
        self._touch(place.parent)

    def settle(self) -> None:
        with self._guard:
            touched, self._touched = self._touched, set()
        for folder in touched:
            _sync_folder(folder)

    def drop_partials(self, path: str) -> None:
        folder = self._root / f"{path}.p"
        try:
            partials = list(folder.iterdir())
        except FileNotFoundError:
            return
        for partial in partials:
            partial.unlink()
        folder.rmdir()

    def write_checkpoint(self, note: bytes) -> None:
        draft = self._draft(note)
        draft.replace(self._root / "checkpoint")
        _sync_folder(self._root)

    def replace_file(self, path: str, data: bytes) -> None:
        """Write a file that may change, at once: for what stands beside the log."""
        place = self._root / path
        self._make_folder(place.parent)
        self._draft(data).replace(place)
        self._touch(place.parent)

    def read_file(self, path: str, limit: int) -> bytes | None:
        try:
            with (self._root / path).open("rb") as file:
                data = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return None if len(data) > limit else data

    def clean(self) -> None:
        """Leave nothing but what readers ask for; whoever publishes here again makes it anew."""
        (self._work / "lock").unlink(missing_ok=True)
        self._work.rmdir()

    def _stands(self, place: Path, data: bytes) -> bool:
        """Whether the file is there as it should be; PublicationError if it is there otherwise."""
        try:
            found = place.read_bytes()
        except FileNotFoundError:
            return False
        if found != data:
            raise PublicationError(
                "target-differs",
                "{path} is there with other bytes than the log has",
                hint="a published file never changes: find out which of the two is wrong before removing it",
                path=place,
            )
        # It may be there since a moment before a power cut, its folder not synced.
        self._touch(place.parent)
        return True

    def _draft(self, data: bytes) -> Path:
        with self._guard:
            self._numbers += 1
            number = self._numbers
        draft = self._work / f"{os.getpid()}-{number}.new"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            # The operator's umask keeps the notary's own files private; these are for everybody.
            os.fchmod(handle, _FILE_MODE)
            os.fsync(handle)
        except OSError:
            # A full disk is not filled further.
            draft.unlink()
            raise
        finally:
            os.close(handle)
        return draft

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            try:
                new.mkdir()
            except FileExistsError:
                # Another writer of this process was faster.
                continue
            new.chmod(_FOLDER_MODE)

    def _touch(self, folder: Path) -> None:
        """Have the folder synced, and those above it: they may be as new, made by one who died."""
        with self._guard:
            while folder not in self._touched:
                self._touched.add(folder)
                if folder == self._root:
                    break
                folder = folder.parent


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
