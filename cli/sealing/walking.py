"""Finding what to seal: every file, link and special file under the given paths, in a stable order.

Names are bytes, as on disk: a name need not be UTF-8, and no name is ever normalized. Links are
found, never followed, so there are no loops. The walk keeps its own stack, so depth is no limit.

The label of a thing is the argument's own name and the path below it: `mizheng seal a/drawings`
labels `drawings/pump.dwg`.
"""

# ruff: noqa: PTH100, PTH119 - pathlib has no paths of bytes

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Literal, NamedTuple

from mizheng.cli.errors import InputFault, UsageFault
from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.sealing.folder import Folder, Other, reason_of
from mizheng.cli.sealing.ignoring import IGNORE_NAME, MAX_BYTES, Hidden, Rules, unusable
from mizheng.cli.sealing.quick import MANY, Quick, find_quick

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

    @property
    def path(self) -> bytes:
        return self.base + self.label


class Listing(NamedTuple):
    """What lies in one folder, its own folders aside, in the order of the names."""

    base: bytes
    """As in `Found`."""
    folder: bytes
    """The folder's label with a separator behind it; empty for what was named itself."""
    names: list[bytes]
    others: dict[int, Other]
    """By place in `names`; all the rest are files, as far as the folder says."""
    stamps: list[Stamp]
    """Of the files, where the listing told them with the names; else empty."""


def walk(
    arguments: Iterable[bytes], skip: Iterable[bytes] = (), hidden: Hidden | None = None
) -> Iterator[Found]:
    """Everything that `walk_folders` lists, one by one, each file with its size."""
    for listing in walk_folders(arguments, skip, hidden):
        with Folder(listing.base, listing.folder) as folder:
            for place, name in enumerate(listing.names):
                label = listing.folder + name
                other = listing.others.get(place)
                if other is None:
                    try:
                        state = folder.stat(name)
                    except OSError as error:
                        other = Other("unreadable", reason_of(error).encode())
                    else:
                        if stat.S_ISREG(state.st_mode):
                            yield Found("file", listing.base, label, state.st_size)
                            continue
                        other = folder.other(name, state)
                yield Found(other.kind, listing.base, label, detail=other.detail)


def walk_folders(
    arguments: Iterable[bytes], skip: Iterable[bytes] = (), hidden: Hidden | None = None
) -> Iterator[Listing]:
    """Everything under `arguments`, folder by folder; `skip` are paths of our own files that must not seal
    themselves, `hidden` counts what a .mizhengignore keeps out (None: nothing is kept out).

    InputFault when an argument does not exist, UsageFault when two of them have the same name.
    """
    roots: dict[bytes, tuple[bool, bytes]] = {}
    for argument in arguments:
        base, name = split_argument(argument)
        if name in roots:
            raise same_name(name)
        try:
            roots[name] = stat.S_ISDIR(os.lstat(argument).st_mode), base
        except OSError as error:
            raise InputFault("{name}: {reason}", name=argument, reason=error.strerror) from error
    ours = _Ours(skip)
    # In the order in which the things of one folder come, whatever order they were named in: a later seal
    # of the same is compared with this one step by step.
    for name, (_is_folder, base) in sorted(roots.items(), key=lambda item: (item[1][0], item[0])):
        yield from _walk_root(base, name, ours, Rules(hidden) if hidden is not None else None)


def split_argument(argument: bytes, paths: ModuleType = os.path) -> tuple[bytes, bytes]:
    """(base, name) of a path given by a person; `.`, `..` and trailing separators get their real name.

    `paths`: the rules of the system, posixpath or ntpath. Where a back slash separates, it becomes a slash: a
    name in a seal is spelled the same on every system.
    """
    is_windows = paths.sep == "\\"
    path = argument.replace(b"\\", b"/") if is_windows else argument
    drive, rest = paths.splitdrive(path)
    head, name = paths.split(drive + (rest.rstrip(b"/") or rest[:1]))
    if name in (b"", b".", b".."):
        real = paths.realpath(path)
        head, name = paths.split(real.replace(b"\\", b"/") if is_windows else real)
    if not name:
        raise UsageFault("the whole file system cannot be sealed as one folder", "name the folders in it")
    # A drive without a slash, C:, is the folder where one is on that drive.
    return (head if not head or head.endswith((b"/", b":")) else head + b"/"), name


def same_name(name: bytes) -> UsageFault:
    """Labels of two arguments would collide."""
    return UsageFault(
        "two paths to seal are both called {name}",
        "names in a seal start with the last part of each path; seal them apart, or seal a folder that "
        "holds both",
        name=name,
    )


def _walk_root(base: bytes, name: bytes, ours: _Ours, rules: Rules | None) -> Iterator[Listing]:
    try:
        state = os.lstat(base + name)
    except OSError as error:
        yield _alone(base, name, Other("unreadable", reason_of(error).encode()))
        return
    if not stat.S_ISDIR(state.st_mode):
        if base + name not in ours:
            with Folder(base) as folder:
                is_file = stat.S_ISREG(state.st_mode)
                yield _alone(base, name, None if is_file else folder.other(name, state))
        return
    stack = [(name, rules)]
    count = 0
    while stack:
        label, rules = stack.pop()
        inner: list[tuple[bytes, Rules | None]] = []
        try:
            listing = _list(base, label, rules, inner, ours, find_quick() if count > MANY else None)
            count += len(listing.names)
            yield listing
        except OSError as error:
            yield _alone(base, label, Other("unreadable", reason_of(error).encode()))
            continue
        # Last in, first out: pushed backwards, they come out in order.
        stack += reversed(inner)


def _alone(base: bytes, label: bytes, other: Other | None) -> Listing:
    head, separator, name = label.rpartition(b"/")
    return Listing(base, head + separator, [name], {} if other is None else {0: other}, [])


def _list(
    base: bytes,
    label: bytes,
    rules: Rules | None,
    inner: list[tuple[bytes, Rules | None]],
    ours: _Ours,
    quick: Quick | None,
) -> Listing:
    """The things in one directory in the order of their names; its directories are added to `inner`.

    The kind of a thing comes from the directory itself where the file system tells it, so that nothing is
    asked of the disk for each file.
    """
    prefix = label + b"/"
    with Folder(base, prefix, to_list=True) as folder:
        if quick is not None and (rules is None or not rules.specs):
            found = _scan(quick, folder, ours)
            if found is not None:
                files, folders = found
                inner += [(prefix + name, rules) for name in folders]
                return Listing(base, prefix, files, {}, [])
        entries = folder.scan()
        if rules is not None and IGNORE_NAME in dict(entries):
            rules = rules.inside(label, _read_rules(folder, label))
        is_ruled = rules is not None and bool(rules.specs)
        listing = Listing(base, prefix, [], {}, [])
        names, others = listing.names, listing.others
        for name, entry in entries:
            is_file = entry.is_file(follow_symlinks=False)
            is_folder = not is_file and entry.is_dir(follow_symlinks=False)
            if is_ruled and rules is not None and rules.hide(prefix + name, is_folder=is_folder):
                continue
            if is_folder:
                inner.append((prefix + name, rules))
                continue
            if name in ours.names and base + prefix + name in ours:
                continue
            if not is_file:
                try:
                    state = entry.stat(follow_symlinks=False)
                except OSError as error:
                    others[len(names)] = Other("unreadable", reason_of(error).encode())
                else:
                    if not stat.S_ISREG(state.st_mode):
                        others[len(names)] = folder.other(name, state)
            names.append(name)
    return listing


def _scan(quick: Quick, folder: Folder, ours: _Ours) -> tuple[list[bytes], list[bytes]] | None:
    """(files, folders) in order; None when anything in it has to be looked at more closely."""
    found = quick.scan(folder.descriptor) if folder.descriptor is not None else None
    if found is None:
        return None
    files, folders = (joined.split(b"\0") if count else [] for count, joined in (found[:2], found[2:]))
    if IGNORE_NAME in files or not ours.names.isdisjoint(files):
        return None
    return files, folders


def _read_rules(folder: Folder, label: bytes) -> bytes:
    try:
        with os.fdopen(folder.open(IGNORE_NAME, os.O_RDONLY | getattr(os, "O_BINARY", 0)), "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unusable(label) from error


class _Ours:
    """Paths of our own; asked for every file, so the last part of a path is looked at first."""

    def __init__(self, paths: Iterable[bytes]) -> None:
        self._paths = frozenset(os.path.abspath(path) for path in paths)
        self.names = frozenset(os.path.basename(path) for path in self._paths)

    def __contains__(self, path: bytes) -> bool:
        return path.rsplit(b"/", 1)[-1] in self.names and os.path.abspath(path) in self._paths
