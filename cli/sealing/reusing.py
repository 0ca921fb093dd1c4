"""What need not be read again: files that an earlier seal has and that the disk says have not changed.

Unchanged means: same name in the seal, same size, modification time, status-change time and inode. A program
can set the modification time back; it cannot set the status-change time. Whoever fears a kernel that lies
seals with --paranoid, which reads everything.

Both lists come in the order of the walk, so they are compared step by step and neither is held in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mizheng.cli.sealfile.labels import Entry
from mizheng.cli.sealing.walking import Found

Earlier = Iterable[tuple[list[Entry], list[bytes]]]
"""Batches of (entries, record lines) of an earlier seal, in its order."""


def mark_unchanged(found: Iterable[Found], earlier: Earlier) -> Iterator[Found]:
    """Each thing found; a file that `earlier` has unchanged comes with its record there."""
    files = _files(earlier)
    known = next(files, None)
    for item in found:
        if item.kind != "file" or item.record or known is None:
            yield item
            continue
        if known[0].label != item.label:
            known = _skip_to(item.label, known, files)
        if known is None or known[0].label != item.label:
            yield item
            continue
        entry, record = known
        known = next(files, None)
        if entry.stamp == item.stamp:
            yield Found(item.kind, item.base, item.label, item.size, item.detail, item.stamp, record)
        else:
            yield item


def walk_key(label: bytes) -> list[tuple[bool, bytes]]:
    """Sorts labels as the walk finds them: in each folder its files first, then its folders."""
    *folders, name = label.split(b"/")
    return [*((True, folder) for folder in folders), (False, name)]


def _files(earlier: Earlier) -> Iterator[tuple[Entry, bytes]]:
    for entries, records in earlier:
        for entry, record in zip(entries, records, strict=True):
            if entry.kind == "file":
                yield entry, record


def _skip_to(
    label: bytes, known: tuple[Entry, bytes] | None, files: Iterator[tuple[Entry, bytes]]
) -> tuple[Entry, bytes] | None:
    """Past everything that the walk would have found before `label`: it is gone."""
    key = walk_key(label)
    while known is not None and walk_key(known[0].label) < key:
        known = next(files, None)
    return known
