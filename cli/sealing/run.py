"""Sealing: from paths to a seal file. Nothing is sent; nothing but the seal is written.

The manifest key is new for every seal, so two seals of the same files share no salt, no leaf and no
commitment. Records go to the disk as they are made; in memory stay 32 bytes for each, and the tree.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.cli.environment.observe import observe_environment
from mizheng.cli.sealfile.box import Secret
from mizheng.cli.sealfile.labels import pack_entry
from mizheng.cli.sealfile.write import Previous, SealWriter, left_path
from mizheng.cli.sealing.chunks import Chunk, Earlier, cut, join_earlier
from mizheng.cli.sealing.hashing import Tick
from mizheng.cli.sealing.ignoring import Hidden
from mizheng.cli.sealing.pool import record_all
from mizheng.cli.sealing.recording import Batch
from mizheng.cli.sealing.tree import build_manifest
from mizheng.cli.sealing.walking import Found, Listing, walk, walk_folders
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.record import MANIFEST_KEY_BYTES, build_record, parse_record

if TYPE_CHECKING:
    from mizheng.cli.points.model import Item, Points
    from mizheng.cli.sealing.elsewhere import Source
    from mizheng.verifier.signature import PublicKey
    from pyrage import x25519

Lister = Callable[[Sequence[bytes], Hidden | None], Iterator[Listing]]
Progress = Callable[[int, int], None]
"""Called with (things, bytes) just done."""


@dataclass(slots=True)
class Summary:
    """What went into a seal."""

    path: Path
    commitment: str = ""
    files: int = 0
    size: int = 0
    links: int = 0
    points: int = 0
    reused: int = 0
    """Files that were not read again."""
    hidden: int = 0
    """Files and folders that a .mizhengignore kept out."""
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)
    """(label, reason) of what could not be read; recorded as such."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How much there is to read."""

    things: int
    size: int


@dataclass(frozen=True, slots=True)
class Task:
    """What to seal, into which file, for whom."""

    arguments: tuple[bytes, ...]
    output: Path
    public_key: PublicKey
    recipients: Sequence[x25519.Recipient]
    points: Points | None = None
    supplement: Item | None = None
    """The record that says what the seal adds to an earlier deposit."""
    previous: Previous | None = None
    """The version before; a closed record of the seal says so."""
    earlier: Sequence[Earlier] = ()
    """What earlier runs have read; a file that has not changed since is not read again."""
    force: bool = False
    time_servers: tuple[str, ...] = ()
    """Asked how far this machine's clock is off."""
    with_ignored: bool = False
    """Seal also what a .mizhengignore keeps out."""
    source: Source | None = None
    """Who reads; None: the processes of this machine."""
    lister: Lister | None = None
    """Who knows what there is, when it is not files."""

    def walk(self) -> Iterator[Found]:
        """Everything to be recorded, with its size."""
        return walk(*self._walked(Hidden()))

    def walk_folders(self, hidden: Hidden, *skip: Path) -> Iterator[Listing]:
        """The same, folder by folder; `hidden` counts what is left out."""
        if self.lister is not None:
            return self.lister(self.arguments, None if self.with_ignored else hidden)
        return walk_folders(*self._walked(hidden, *skip))

    def _walked(self, hidden: Hidden, *skip: Path) -> tuple[tuple[bytes, ...], list[bytes], Hidden | None]:
        own = [self.output, left_path(self.output), *skip, *([self.points.path] if self.points else [])]
        return self.arguments, [bytes(path) for path in own], None if self.with_ignored else hidden


def survey(task: Task) -> Survey:
    """Count before reading, for a progress bar."""
    things = size = 0
    for found in task.walk():
        things += 1
        size += found.size
    return Survey(things, size)


def seal_paths(task: Task, progress: Progress = lambda _things, _size: None) -> Summary:
    """Read everything that the task names and write its seal, or leave nothing that looks like one."""
    manifest_key = os.urandom(MANIFEST_KEY_BYTES)
    summary = Summary(task.output)
    leaves = bytearray()
    now = format_instant(int(time.time()))
    secret = Secret.generate(manifest_key)
    with SealWriter(task.output, secret, task.recipients, now, force=task.force) as writer:
        told = list(_told_records(task, manifest_key))
        writer.add(*_as_batch(told))
        leaves += b"".join(map(leaf_hash, told))
        summary.points = len(task.points.of("point")) if task.points else 0
        hidden = Hidden()
        chunks = cut(task.walk_folders(hidden, writer.temporary))
        for earlier in task.earlier:
            chunks = join_earlier(chunks, earlier)
        for batch in _record(task, chunks, manifest_key, lambda size: progress(0, size)):
            writer.add(batch.lines, batch.labels, batch.count)
            leaves += batch.leaves
            summary.files += batch.count - batch.links - len(batch.unreadable)
            summary.links += batch.links
            summary.size += batch.size
            summary.reused += batch.reused
            summary.unreadable += batch.unreadable
            progress(batch.count, 0)
        summary.hidden = hidden.count
        state = writer.finish(build_manifest(leaves, manifest_key), task.public_key, task.previous)
        summary.commitment = state.sealed.commitment
    return summary


def _record(task: Task, chunks: Iterator[Chunk], manifest_key: bytes, tick: Tick) -> Iterator[Batch]:
    if task.source is None:
        return record_all(chunks, manifest_key, tick)
    from mizheng.cli.sealing.elsewhere import record_elsewhere

    return record_elsewhere(chunks, manifest_key, task.source, tick)


def _told_records(task: Task, manifest_key: bytes) -> Iterator[bytes]:
    """Records that do not come from reading files."""
    place = task.arguments[0] if task.lister is None else None
    observations = observe_environment(place, task.time_servers)
    yield build_record(manifest_key, "environment", b"", {"observations": observations})
    if task.previous:
        fields = {"envelope_sha256": task.previous.envelope_sha256}
        yield build_record(manifest_key, "previous", b"", fields)
    if task.supplement:
        yield task.supplement.record(manifest_key)
    if task.points:
        yield from task.points.records(manifest_key)


def _as_batch(records: Iterable[bytes]) -> tuple[bytes, bytes, int]:
    parsed = [parse_record(record) for record in records]
    labels = b"".join(pack_entry(item.kind, item.label) for item in parsed)
    return b"".join(record + b"\n" for record in records), labels, len(parsed)
