"""Finding what to seal: every file, link and special file under the given paths, in a stable order.

Names are bytes, as on disk: a name need not be UTF-8, and no name is ever normalized. Links are
found, never followed, so there are no loops. The walk keeps its own stack, so depth is no limit.

The label of a thing is the argument's own name and the path below it: `mizheng seal a/drawings`
labels `drawings/pump.dwg`.
"""

# ruff: noqa: PTH100, PTH115, PTH118, PTH119 - pathlib has no paths of bytes

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from mizheng.cli.errors import InputFault, UsageFault
from mizheng.cli.sealfile.labels import NO_STAMP, Stamp
from mizheng.cli.sealing.hashing import open_deep, reason_of, special_reason, stamp_of
from mizheng.cli.sealing.ignoring import IGNORE_NAME, Hidden, Rules

Kind = Literal["file", "link", "unreadable"]


class Found(NamedTuple):
    """One thing to record."""

    kind: Kind
    base: bytes
    """Directory that the label starts from, ending in a separator or empty."""
    label: bytes
    size: int = 0
    detail: bytes = b""
    """A link's target; why something is unreadable."""
    stamp: Stamp = NO_STAMP
    """Of a file, as the walk saw it."""
    record: bytes = b""
    """Of a file that an earlier seal has and that has not changed since: its record there."""

    @property
    def path(self) -> bytes:
        return self.base + self.label


def walk(
    arguments: Iterable[bytes], skip: Iterable[bytes] = (), hidden: Hidden | None = None
) -> Iterator[Found]:
    """Everything under `arguments`; `skip` are paths of our own files that must not seal themselves, `hidden`
    counts what a .mizhengignore keeps out (None: nothing is kept out).

    InputFault when an argument does not exist, UsageFault when two of them have the same name.
    """
    roots: dict[bytes, tuple[bool, bytes]] = {}
    for argument in arguments:
        base, name = split_argument(argument)
        if name in roots:
            raise UsageFault(
                "two paths to seal are both called {name}",
                "names in a seal start with the last part of each path; seal them apart, or seal a folder "
                "that holds both",
                name=name,
            )
        try:
            roots[name] = stat.S_ISDIR(os.lstat(argument).st_mode), base
        except OSError as error:
            raise InputFault("{name}: {reason}", name=argument, reason=error.strerror) from error
    ours = _Ours(skip)
    # In the order in which the things of one folder come, whatever order they were named in: a later seal
    # of the same is compared with this one step by step.
    for name, (_is_folder, base) in sorted(roots.items(), key=lambda item: (item[1][0], item[0])):
        yield from _walk_root(base, name, ours, Rules(hidden) if hidden is not None else None)


def split_argument(argument: bytes) -> tuple[bytes, bytes]:
    """(base, name) of a path given by a person; `.`, `..` and trailing separators get their real name."""
    path = os.fsencode(os.fsdecode(argument).replace("\\", "/")) if os.sep == "\\" else argument
    head, name = os.path.split(path.rstrip(b"/") or b"/")
    if name in (b"", b".", b".."):
        head, name = os.path.split(os.path.realpath(path))
    if not name:
        raise UsageFault("the whole file system cannot be sealed as one folder", "name the folders in it")
    return (os.path.join(head, b"") if head else b""), name


def _walk_root(base: bytes, name: bytes, ours: _Ours, rules: Rules | None) -> Iterator[Found]:
    try:
        state = os.lstat(base + name)
    except OSError as error:
        yield Found("unreadable", base, name, detail=reason_of(error).encode())
        return
    if not stat.S_ISDIR(state.st_mode):
        if base + name not in ours:
            yield _found(base, name, state, None)
        return
    stack = [(name, rules)]
    while stack:
        directory, rules = stack.pop()
        inner: list[tuple[bytes, Rules | None]] = []
        try:
            found = _list(base, directory, rules, inner)
        except OSError as error:
            yield Found("unreadable", base, directory, detail=reason_of(error).encode())
            continue
        yield from (item for item in found if item.path not in ours)
        # Last in, first out: pushed backwards, they come out in order.
        stack += reversed(inner)


def _list(
    base: bytes, directory: bytes, rules: Rules | None, inner: list[tuple[bytes, Rules | None]]
) -> list[Found]:
    """The things in one directory in the order of their names; its directories are added to `inner`."""
    found: list[Found] = []
    with _Listing(base + directory) as listing:
        if rules is not None and any(os.fsencode(entry.name) == IGNORE_NAME for entry in listing.entries):
            rules = rules.inside(base, directory)
        for entry in sorted(listing.entries, key=lambda entry: os.fsencode(entry.name)):
            label = directory + b"/" + os.fsencode(entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if rules is not None and rules.specs and rules.hide(label, is_folder=is_folder):
                continue
            if is_folder:
                inner.append((label, rules))
                continue
            try:
                state = entry.stat(follow_symlinks=False)
            except OSError as error:
                found.append(Found("unreadable", base, label, detail=reason_of(error).encode()))
                continue
            found.append(_found(base, label, state, listing.descriptor))
    return found


def _found(base: bytes, label: bytes, state: os.stat_result, directory: int | None) -> Found:
    if stat.S_ISREG(state.st_mode):
        return Found("file", base, label, state.st_size, stamp=stamp_of(state))
    if stat.S_ISLNK(state.st_mode):
        try:
            if directory is None:
                target = os.readlink(base + label)
            else:
                target = os.readlink(label.rsplit(b"/", 1)[1], dir_fd=directory)
        except OSError as error:
            return Found("unreadable", base, label, detail=reason_of(error).encode())
        return Found("link", base, label, detail=target)
    return Found("unreadable", base, label, detail=special_reason(state.st_mode).encode())


class _Ours:
    """Paths of our own; asked for every file, so it looks at the last part of a path first."""

    def __init__(self, paths: Iterable[bytes]) -> None:
        self._paths = frozenset(os.path.abspath(path) for path in paths)
        self._names = frozenset(os.path.basename(path) for path in self._paths)

    def __contains__(self, path: bytes) -> bool:
        return path.rsplit(b"/", 1)[-1] in self._names and os.path.abspath(path) in self._paths


class _Listing:
    """A directory's entries; by descriptor where the system can, so that no path is ever too long."""

    def __init__(self, path: bytes) -> None:
        self._path = path
        self.descriptor: int | None = None
        self.entries: list[os.DirEntry[Any]] = []

    def __enter__(self) -> _Listing:
        if os.scandir not in os.supports_fd:
            with os.scandir(self._path) as scan:
                self.entries = list(scan)
            return self
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        self.descriptor = open_deep(self._path, flags)
        with os.scandir(self.descriptor) as scan:
            self.entries = list(scan)
        return self

    def __exit__(self, *_details: object) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
