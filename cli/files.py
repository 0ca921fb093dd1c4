"""Files that appear under their name whole and durable, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mizheng.cli.errors import OutputFault


def write_private(path: Path, data: bytes) -> None:
    """Put `data` at `path`, 0600, in a folder of 0700: whole or not at all, also after a power cut."""
    make_private(path.parent)
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        write_new(temporary, data)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


def make_private(folder: Path) -> None:
    """A folder of 0700, and of 0700 every one above it that is not there yet."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextlib.contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[tuple[BinaryIO, Path]]:
    """An open file that can seek, 0600, and where it lies for now; it gets its name when the block has ended.

    OutputFault when the name is taken and not `force`, or nothing can be created there. Whatever else is
    raised, nothing is left behind.
    """
    refuse_existing(path, force=force)
    temporary = path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.part")
    try:
        descriptor = os.open(
            temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
        )
    except OSError as error:
        raise OutputFault(
            "{name} cannot be created: {reason}", name=str(path), reason=error.strerror
        ) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file, temporary
            file.flush()
            os.fsync(file.fileno())
        publish(temporary, path, force=force)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def refuse_existing(path: Path, *, force: bool) -> None:
    """OutputFault when there is something of this name that is not to be replaced."""
    if not force and os.path.lexists(path):
        raise _taken(path)


def _taken(path: Path) -> OutputFault:
    return OutputFault("{name} exists", "choose another name, or --force", name=str(path))


def publish(temporary: Path, path: Path, *, force: bool) -> None:
    """Give a finished file its name, durably; OutputFault when the name is taken and not `force`."""
    if force:
        temporary.replace(path)
    else:
        try:
            # A hard link fails when the name exists, in one step; a rename would replace it.
            path.hardlink_to(temporary)
        except FileExistsError as error:
            raise _taken(path) from error
        except OSError:
            # A file system without hard links.
            if os.path.lexists(path):
                raise _taken(path) from None
            temporary.replace(path)
        else:
            temporary.unlink()
    sync_directory(path.parent)


def publish_bytes(path: Path, data: bytes) -> None:
    """Put `data` at `path`, 0600, whole or not at all; OutputFault when the name cannot be had."""
    temporary = path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.part")
    try:
        write_new(temporary, data)
        publish(temporary, path, force=False)
    except OSError as error:
        raise OutputFault(
            "{name} cannot be created: {reason}", name=str(path), reason=error.strerror
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_new(path: Path, data: bytes) -> None:
    """A new private file, its bytes on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Make a new name in a directory survive a power cut, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
