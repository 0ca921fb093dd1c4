"""Objects of an S3-compatible store, sealed as the files of a folder would be (s3fs, extra `objects`).

`s3://bucket/prefix/drawings` is labelled `drawings/…`; what stands between two slashes of a key is a folder.
An object counts as unchanged when its size, date and ETag are the same in the listing and after it was read.
Credentials, region and address are found as Amazon's own tools find them (AWS_* in the environment, ~/.aws)
and are nowhere shown. In memory stay the names of one folder and a few pieces of what is being read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mizheng.cli.buckets import open_buckets, translated
from mizheng.cli.errors import DataFault, InputFault, UsageFault
from mizheng.cli.sealfile.labels import Stamp
from mizheng.cli.sealing.chunks import Part
from mizheng.cli.sealing.elsewhere import Answers, Wanted
from mizheng.cli.sealing.hashing import CHANGED, Digests
from mizheng.cli.sealing.ignoring import IGNORE_NAME, Hidden, Rules
from mizheng.cli.sealing.walking import Listing, same_name
from mizheng.cli.terminal.language import N_

SCHEME = b"s3://"
# Requests take longer to come back than to be hashed; more than this only fills memory.
_READERS = 16
# What one request brings, and so what a reader holds.
_PIECE = 4 << 20
_GONE = N_("vanished before it was read")


class Store:
    """The store that the environment names; a source of digests."""

    window = 2

    def __init__(self) -> None:
        self._files: Any = open_buckets()
        self._readers = ThreadPoolExecutor(_READERS, "object")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_details: object) -> None:
        self._readers.shutdown(cancel_futures=True)

    def walk(self, arguments: Sequence[bytes], hidden: Hidden | None) -> Iterator[Listing]:
        """Everything below the addresses, folder by folder, as `walk_folders` lists files."""
        roots: dict[bytes, bytes] = {}
        for argument in arguments:
            base, name = split_address(argument)
            if name in roots:
                raise same_name(name)
            roots[name] = base
        folders = []
        for name, base in sorted(roots.items()):
            first, *more = self._list(base + name) or [{"name": "", "type": ""}]
            if not more and first["type"] == "file" and first["name"] == _key(base + name):
                yield Listing(base, b"", [name], {}, [_stamp(first)])
            else:
                folders.append((base, name))
        for base, name in folders:
            yield from self._walk_folder(base, name, Rules(hidden) if hidden is not None else None)

    def stamps(self, part: Part) -> Sequence[Stamp | None]:
        return part.stamps

    def ask(self, wanted: Sequence[Wanted]) -> Answers:
        futures = [self._readers.submit(self._read, item) for item in wanted]
        return lambda: (future.result() for future in futures)

    def _walk_folder(self, base: bytes, name: bytes, rules: Rules | None) -> Iterator[Listing]:
        waiting = [(name, rules)]
        while waiting:
            label, rules = waiting.pop()
            listing = Listing(base, label + b"/", [], {}, [])
            inner = []
            try:
                entries = self._entries(base + label)
            except InputFault:
                if label == name:
                    raise
                # Its last object went since the folder above was listed, and the folder with it.
                continue
            if rules is not None and IGNORE_NAME in entries:
                rules = rules.inside(label, self._read_whole(base + label + b"/" + IGNORE_NAME))
            for entry, items in sorted(entries.items()):
                for item in items:
                    is_folder = item["type"] == "directory"
                    if rules is not None and rules.hide(label + b"/" + entry, is_folder=is_folder):
                        continue
                    if is_folder:
                        inner.append((label + b"/" + entry, rules))
                    else:
                        listing.names.append(entry)
                        listing.stamps.append(_stamp(item))
            yield listing
            waiting += reversed(inner)

    def _entries(self, path: bytes) -> dict[bytes, list[dict[str, Any]]]:
        """By name; a store may have a folder and an object that are called the same."""
        prefix = _key(path) + "/"
        entries: dict[bytes, list[dict[str, Any]]] = {}
        for item in self._list(path):
            name = str(item["name"]).removeprefix(prefix)
            if name == "" and item["type"] == "file" and not item["size"]:
                # How some programs write down an empty folder, which leaves no trace on a disk either.
                continue
            if name in ("", ".", "..") or "/" in name:
                raise DataFault(
                    "an object whose key has an empty part, or . or .. for one, cannot be sealed: {name}",
                    "rename it, or seal the folders beside it one by one",
                    name=str(item["name"]),
                )
            entries.setdefault(name.encode(), []).append(item)
        return entries

    def _list(self, path: bytes) -> list[dict[str, Any]]:
        with translated(path):
            found: list[dict[str, Any]] = self._files.ls(_key(path), detail=True)
            return found

    def _read_whole(self, path: bytes) -> bytes:
        with translated(path):
            return bytes(self._files.cat_file(_key(path)))

    def _read(self, wanted: Wanted) -> Digests | str:
        """Read once more when it changed meanwhile, as a file is."""
        stamp = wanted.stamp
        with translated(wanted.path):
            try:
                for _attempt in range(2):
                    digests = self._digest(_key(wanted.path), stamp)
                    after = _stamp(self._files.info(_key(wanted.path)))
                    if digests is not None and after == stamp:
                        return digests
                    stamp = after
            except FileNotFoundError:
                return _GONE
            except PermissionError:
                return N_("permission denied")
        return CHANGED

    def _digest(self, key: str, stamp: Stamp | None) -> Digests | None:
        """None when there is more or less of it than was said."""
        expected = stamp.size if stamp is not None else 0
        size, sha256, sm3 = 0, hashlib.sha256(), hashlib.new("sm3")
        while size < expected:
            piece = self._files.cat_file(key, start=size, end=min(size + _PIECE, expected))
            if not piece:
                return None
            sha256.update(piece)
            sm3.update(piece)
            size += len(piece)
        if stamp is None or size != expected:
            return None
        return Digests(size, sha256.hexdigest(), sm3.hexdigest(), stamp.mtime_ns // 10**9, stamp)


def split_address(argument: bytes) -> tuple[bytes, bytes]:
    """(base, name), as `split_argument` of paths; UsageFault when no bucket is named."""
    head, _, name = argument.rstrip(b"/").rpartition(b"/")
    try:
        argument.decode("utf-8")
    except UnicodeDecodeError:
        name = b""
    if not name or not head.startswith(SCHEME[:-1]):
        raise UsageFault("no bucket is named", "write s3://BUCKET or s3://BUCKET/FOLDER")
    return head + b"/", name


def _key(path: bytes) -> str:
    """BUCKET/KEY, as s3fs takes it."""
    return path.removeprefix(SCHEME).decode("utf-8")


def _stamp(item: dict[str, Any]) -> Stamp:
    """Size, date and ETag: where a file has its other times and its inode stands a digest of the ETag."""
    digest = hashlib.sha256(str(item["ETag"]).encode()).digest()
    moment = item["LastModified"]
    nanoseconds = int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
    changed = int.from_bytes(digest[:8], "big", signed=True)
    return Stamp(item["size"], nanoseconds, changed, int.from_bytes(digest[8:16], "big"))
