"""One directory, held open: its entries, and what lies in it by name alone.

By descriptor where the system can, so that no path is ever too long, none is looked up from its root for
every file, and all that is asked concerns the same directory, whatever is renamed above it meanwhile.
"""

# ruff: noqa: PTH115 - pathlib has no paths of bytes

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.terminal.language import N_

_CAN_NAME_WITHIN = {os.open, os.stat, os.readlink} <= os.supports_dir_fd and os.scandir in os.supports_fd
_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
# A folder that may be passed through and not read: what is named in it can be opened all the same.
_SEARCH = getattr(os, "O_PATH", 0)
_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()

_REASONS = {
    errno.EACCES: N_("permission denied"),
    errno.EPERM: N_("permission denied"),
    errno.ENOENT: N_("vanished before it was read"),
    errno.ENOTDIR: N_("vanished before it was read"),
    errno.ELOOP: N_("became a link before it was read"),
    errno.EIO: N_("input/output error"),
    errno.ENXIO: N_("a special file"),
    errno.ESTALE: N_("the network file system lost it"),
}


stamp_fields: Callable[[os.stat_result], tuple[int, int, int, int]] = attrgetter(
    "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino"
)


class Other(NamedTuple):
    """Something in a folder that is no file."""

    kind: Literal["link", "unreadable"]
    detail: bytes
    """A link's target; why something is unreadable."""


class Folder:
    """A directory to work in: `label` below `base`, both as in a listing; empty is where the process is.

    Where it cannot be opened, what is asked of it raises that, thing by thing.
    """

    __slots__ = ("_descriptor", "_error", "_path")

    def __init__(self, base: bytes, label: bytes = b"", *, to_list: bool = False) -> None:
        """`to_list`: its entries are wanted too, which takes the right to read it."""
        self._path = base + label
        self._descriptor: int | None = None
        self._error: OSError | None = None
        if _CAN_NAME_WITHIN:
            flags = _FLAGS | (0 if to_list else _SEARCH)
            try:
                # A link that was named is followed, as anywhere; one that a folder became meanwhile is not.
                self._descriptor = (
                    open_deep(self._path.rstrip(b"/"), flags | os.O_NOFOLLOW)
                    if label
                    else open_deep(base or b".", flags)
                )
            except OSError as error:
                self._error = error

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_details: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    @property
    def descriptor(self) -> int | None:
        """Of the directory; None where it is not open, or the system names nothing within one."""
        return self._descriptor

    def scan(self) -> list[tuple[bytes, os.DirEntry[Any]]]:
        """(name, entry) of what is in it, by name."""
        if self._descriptor is None:
            with os.scandir(self._whole(b"") or b".") as within:
                return sorted((entry.name, entry) for entry in within)
        with os.scandir(self._descriptor) as found:
            # What os.fsencode does, which asks a few questions first that take longer than the answer.
            return sorted((entry.name.encode(_ENCODING, _ERRORS), entry) for entry in found)

    def open(self, name: bytes, flags: int) -> int:
        if self._descriptor is None:
            return open_deep(self._whole(name), flags)
        return os.open(name, flags, dir_fd=self._descriptor)

    def opener(self, flags: int) -> Callable[[bytes], int]:
        """`open` with these flags, for many names in a row."""
        if self._descriptor is None:
            return lambda name: self.open(name, flags)
        return partial(os.open, flags=flags, dir_fd=self._descriptor)

    def stat(self, name: bytes) -> os.stat_result:
        """Of the thing itself, never of what a link points to."""
        if self._descriptor is None:
            return os.lstat(self._whole(name))
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def stater(self) -> Callable[[bytes], os.stat_result]:
        """`stat` for many names in a row."""
        if self._descriptor is None:
            return self.stat
        return partial(os.stat, dir_fd=self._descriptor, follow_symlinks=False)

    def other(self, name: bytes, state: os.stat_result) -> Other:
        """What `state` is of, when it is no file."""
        if not stat.S_ISLNK(state.st_mode):
            return Other("unreadable", special_reason(state.st_mode).encode())
        try:
            if self._descriptor is None:
                return Other("link", os.readlink(self._whole(name)))
            return Other("link", os.readlink(name, dir_fd=self._descriptor))
        except OSError as error:
            return Other("unreadable", reason_of(error).encode())

    def _whole(self, name: bytes) -> bytes:
        if self._error is not None:
            raise self._error
        return self._path + name


def open_deep(path: bytes, flags: int) -> int:
    """`os.open` for paths longer than the system takes at once: opened directory by directory."""
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG or os.open not in os.supports_dir_fd:
            raise
    head, tail = path.rsplit(b"/", 1)
    directory = os.open(b"/" if path.startswith(b"/") else b".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in filter(None, head.split(b"/")):
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = inner
        return os.open(tail or b".", flags, dir_fd=directory)
    finally:
        os.close(directory)


def reason_of(error: OSError) -> str:
    """A short reason that says nothing of the path and is the same in every locale."""
    code = error.errno or 0
    return _REASONS.get(code) or errno.errorcode.get(code, "error")


def special_reason(mode: int) -> str:
    """Why something that is neither file, directory nor link is not read."""
    if stat.S_ISFIFO(mode):
        return N_("a named pipe")
    if stat.S_ISSOCK(mode):
        return N_("a socket")
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return N_("a device")
    return N_("a special file")


def stamp_of(state: os.stat_result) -> Stamp:
    """What tells whether a file was written to since."""
    return Stamp(*stamp_fields(state))
