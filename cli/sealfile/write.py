"""Writing a seal: beside its name first, moved there whole.

An interrupted run leaves its unfinished file, `.NAME.seal.part`, which no command takes for a seal. The
next run to the same name finds it and need not read again what has not changed since (see `unfinished`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from mizheng.cli.errors import OutputFault
from mizheng.cli.files import publish
from mizheng.cli.sealfile.box import Box, Secret
from mizheng.cli.sealfile.flushing import Flusher
from mizheng.cli.sealfile.segments import CONTENTS, LABELS, MAGIC, RECORDS, TREE, segment_line
from mizheng.cli.sealfile.state import Sealed, State
from mizheng.verifier.canonical import dump
from mizheng.verifier.signature import PublicKey

if TYPE_CHECKING:
    from pyrage import x25519

_BLOCK = 1 << 20
_FIRST_BATCH = 2
# Smaller trees are made anew from the records in no time; larger ones are kept level by level.
MIN_KEPT_TREE = 1 << 14
# 64 KiB: a proof reads one such piece a level.
TREE_PIECE = 2048


@dataclass(frozen=True, slots=True)
class Previous:
    """The seal of the version before: its envelope, and where it lay when this one was made."""

    envelope_sha256: str
    path: str


class Committed(Protocol):
    """What is asked of a manifest here."""

    tree_size: int
    root: bytes

    def levels(self) -> Sequence[bytes] | Sequence[Sequence[bytes]]:
        """The tree level by level, the sorted leaves first; a level may be in one piece."""

    def commitment(self, depositor_key: PublicKey, /) -> bytes: ...


class SealWriter:
    """Writes a seal beside its final name and moves it there whole."""

    def __init__(
        self,
        path: Path,
        secret: Secret,
        recipients: Sequence[x25519.Recipient],
        created_at: str,
        *,
        force: bool,
    ) -> None:
        self.path = path
        self._force = force
        if path.is_dir():
            raise OutputFault("{name} is a folder", name=str(path))
        if not force and os.path.lexists(path):
            raise OutputFault("{name} exists", "choose another name with -o, or --force", name=str(path))
        self.temporary, self.left = part_path(path), left_path(path)
        self._file = self._create()
        self._flusher = Flusher(self._file.fileno())
        self._box = Box(secret)
        self._digest = hashlib.sha256()
        self._segments: list[list[Any]] = []
        self._records = 0
        header = {
            "created_at": created_at,
            "encryption": "age",
            "keys": [secret.wrap(recipients).fields()],
        }
        self._write(MAGIC + dump(header) + b"\n")

    def __enter__(self) -> SealWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_details: object) -> None:
        """Without `finish`, nothing remains; but of an interrupted run, what it has done."""
        # The first batch is ours, and made in no time.
        has_read = len(self._segments) > _FIRST_BATCH
        is_worth_keeping = has_read and kind is not None and issubclass(kind, KeyboardInterrupt)
        self._flusher.stop()
        if not self._file.closed:
            with contextlib.suppress(OSError):
                self._file.close()
        if not is_worth_keeping:
            _remove(self.temporary)

    def add(self, lines: bytes, labels: bytes, count: int) -> None:
        """Whole record lines, and the packed entries of their labels in the same order."""
        with self._on_disk():
            self._segment(RECORDS, lines, count)
            self._segment(LABELS, labels, count)
            # Not the first batch: after it the process mostly parts into several, and has no thread then.
            if self._records:
                self._flusher.written(len(lines) + len(labels))
        self._records += count

    def finish(self, manifest: Committed, public_key: PublicKey, previous: Previous | None = None) -> State:
        """Write what makes the records a seal, and put the file under its name."""
        with self._on_disk():
            return self._finish(manifest, public_key, previous)

    def _finish(self, manifest: Committed, public_key: PublicKey, previous: Previous | None) -> State:
        if manifest.tree_size >= MIN_KEPT_TREE:
            for level in manifest.levels():
                nodes = level if isinstance(level, bytes) else b"".join(level)
                for start in range(0, len(nodes), 32 * TREE_PIECE):
                    self._segment(TREE, nodes[start : start + 32 * TREE_PIECE], 0)
        contents = {
            "previous": {"envelope_sha256": previous.envelope_sha256, "path": previous.path}
            if previous
            else None,
            "records": self._records,
            "segments": self._segments,
        }
        _kind, number, offset, length, _count = self._segment(CONTENTS, dump(contents), 0)
        state = State(
            Sealed(
                body_sha256=self._digest.hexdigest(),
                body_size=self._file.tell(),
                commitment=manifest.commitment(public_key).hex(),
                contents=[number, offset, length],
                public_key=public_key.to_base64(),
                root_hash=manifest.root.hex(),
                tree_size=manifest.tree_size,
            )
        )
        self._file.write(state.dump())
        self._file.flush()
        self._flusher.wait()
        os.fsync(self._file.fileno())
        # If we die before the next line, only the .part file is left; after it, the seal is whole.
        publish(self.temporary, self.path, force=self._force)
        self._file.close()
        _remove(self.left)
        return state

    @contextlib.contextmanager
    def _on_disk(self) -> Iterator[None]:
        """A disk that is full or fails is said of the seal, not of what is sealed."""
        try:
            yield
        except OSError as error:
            raise OutputFault(
                "{name} cannot be written: {reason}",
                "no seal was made, and nothing is left of it; make room, or choose another disk with -o",
                name=str(self.path),
                reason=error.strerror,
            ) from error

    def _segment(self, kind: str, data: bytes, count: int) -> list[Any]:
        number = len(self._segments)
        closed = self._box.close(kind, number, data)
        self._write(segment_line(kind, number, len(closed)))
        entry = [kind, number, self._file.tell(), len(closed), count]
        self._write(closed + b"\n")
        self._segments.append(entry)
        return entry

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)

    def _create(self) -> BinaryIO:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            put_aside(self.temporary, self.left)
            file = os.fdopen(os.open(self.temporary, flags, 0o600), "wb", buffering=_BLOCK)
        except OSError as error:
            raise OutputFault(
                "{name} cannot be created: {reason}", name=str(self.path), reason=error.strerror
            ) from error
        lock_or_refuse(file, self.path)
        return file


def part_path(path: Path) -> Path:
    """Where a seal of this name is while it is being written."""
    return path.with_name(f".{path.name[:100]}.part")


def left_path(path: Path) -> Path:
    """Where an unfinished one is put while the next run reads it."""
    return path.with_name(f".{path.name[:100]}.left")


def put_aside(part: Path, left: Path) -> None:
    """Make room for a new part file; OutputFault while another process is writing the present one."""
    try:
        with part.open("r+b") as file:
            lock_or_refuse(file, part)
            part.replace(left)
    except FileNotFoundError:
        return


def lock_or_refuse(file: BinaryIO, path: Path) -> None:
    """Hold the file for this process, or OutputFault because another one has it."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputFault(
            "another run of mizheng is writing {name}", "wait for it, or choose another name", name=str(path)
        ) from error


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
