"""Sealing: from paths to a seal file. Nothing is sent; nothing but the seal is written.

The manifest key is new for every seal, so two seals of the same files share no salt, no leaf and no
commitment. Records go to the disk as they are made; in memory stay 32 bytes for each, and the tree.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mizheng.verifier.canonical import format_instant
from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.record import MANIFEST_KEY_BYTES, build_record

from .environment import observe_environment
from .pool import record_all
from .sealfile import Sealed, SealWriter, State
from .walking import walk

if TYPE_CHECKING:
    from mizheng.verifier.signature import PublicKey

    from .points.model import Points

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
    unreadable: list[tuple[bytes, str]] = field(default_factory=list)
    """(label, reason) of what could not be read; recorded as such."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How much there is to read."""

    things: int
    size: int


def survey(arguments: Iterable[bytes], output: Path, points: Points | None = None) -> Survey:
    """Count before reading, for a progress bar."""
    things = size = 0
    for found in walk(arguments, skip=_own_files(output, points)):
        things += 1
        size += found.size
    return Survey(things, size)


def _own_files(output: Path, points: Points | None) -> list[bytes]:
    return [bytes(output), *([bytes(points.path)] if points else [])]


def seal_paths(
    arguments: Iterable[bytes],
    output: Path,
    public_key: PublicKey,
    *,
    points: Points | None = None,
    force: bool = False,
    progress: Progress = lambda _things, _size: None,
) -> Summary:
    """Read everything under `arguments` and write the seal `output`, or leave nothing behind."""
    manifest_key = secrets.token_bytes(MANIFEST_KEY_BYTES)
    summary = Summary(output)
    leaves: list[bytes] = []
    now = format_instant(int(time.time()))
    with SealWriter(output, manifest_key, now, force=force) as writer:
        environment = build_record(manifest_key, "environment", b"", {"observations": observe_environment()})
        for record in (environment, *(points.records(manifest_key) if points else ())):
            writer.add(record + b"\n")
            leaves.append(leaf_hash(record))
        summary.points = len(points.of("point")) if points else 0
        found = walk(arguments, skip=[*_own_files(output, points), bytes(writer.temporary)])
        for batch in record_all(found, manifest_key, lambda size: progress(0, size)):
            writer.add(batch.lines)
            leaves += (batch.leaves[start : start + 32] for start in range(0, len(batch.leaves), 32))
            summary.files += batch.count - batch.links - len(batch.unreadable)
            summary.links += batch.links
            summary.size += batch.size
            summary.unreadable += batch.unreadable
            progress(batch.count, 0)
        count = len(leaves)
        manifest = Manifest(leaves, manifest_key)
        summary.commitment = manifest.commitment(public_key).hex()
        writer.finish(
            State(
                Sealed(
                    commitment=summary.commitment,
                    public_key=public_key.to_base64(),
                    records=count,
                    records_sha256=writer.records_sha256,
                    root_hash=manifest.root.hex(),
                    tree_size=manifest.tree_size,
                )
            )
        )
    return summary
