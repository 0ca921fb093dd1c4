"""The seal file: what the depositor keeps, private and 0600. Text lines, each ended by LF.

    mizheng-seal/v1
    {"created_at":"…","encryption":"none","manifest_key":"…"}
    {"kind":"environment",…}                      one record a line, canonical JSON, in the order found
    {"kind":"file",…}
    {"sha256":"…","state":{"sealed":{…},…}}       states, appended as things happen; the last one counts

A state line carries the SHA-256 of its state's canonical JSON. The first state is written with the
records: a file without one was never finished. Later states are appended and synced; a last line
without its LF is a write that was cut off and is ignored, then overwritten by the next state. No
record can be taken for a state: a record has `kind`, which sorts before `sha256`.

State: `sealed` {commitment, public_key, records, records_sha256, root_hash, tree_size};
`deposit` null or {answer, envelope, id, notary}: `envelope` (Base64) is here before it is sent, and
`answer` null until the notary's answer was checked; `evidence` null or the notary's last evidence.

`encryption` names how the rest is encrypted; `none` is the only value of this version.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from mizheng.verifier.canonical import dump, from_hex, parse, parse_instant, require_fields
from mizheng.verifier.errors import FormatError

from .errors import DataFault, InputFault, OutputFault
from .files import publish

MAGIC = b"mizheng-seal/v1\n"
_FAMILY = b"mizheng-seal/"
_STATE_START = b'{"sha256":'
# Evidence with several anchors on busy chains takes a few MiB.
MAX_STATE_BYTES = 64 << 20
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Sealed:
    """What sealing computed; hex strings as in the statement."""

    commitment: str
    public_key: str
    records: int
    records_sha256: str
    root_hash: str
    tree_size: int


@dataclass(frozen=True, slots=True)
class Deposit:
    """An envelope that was, or is about to be, sent."""

    envelope: str
    id: str
    notary: str
    answer: dict[str, Any] | None
    """{leaf_index, received_at, tlog_proof}, checked; null until then."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a seal stands."""

    sealed: Sealed
    deposit: Deposit | None = None
    evidence: dict[str, Any] | None = None

    def with_deposit(self, deposit: Deposit) -> State:
        return replace(self, deposit=deposit)

    def dump(self) -> bytes:
        value: dict[str, Any] = {
            "sealed": _fields(self.sealed),
            "deposit": _fields(self.deposit) if self.deposit else None,
            "evidence": self.evidence,
        }
        digest = hashlib.sha256(dump(value)).hexdigest()
        return dump({"sha256": digest, "state": value}) + b"\n"


class SealWriter:
    """Writes a seal beside its final name and moves it there whole, or leaves nothing."""

    def __init__(self, path: Path, manifest_key: bytes, created_at: str, *, force: bool) -> None:
        self.path = path
        self._force = force
        if path.is_dir():
            raise OutputFault("{name} is a folder", name=str(path))
        if not force and os.path.lexists(path):
            raise OutputFault("{name} exists", "choose another name with -o, or --force", name=str(path))
        self.temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
        try:
            descriptor = os.open(
                self.temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
            )
        except OSError as error:
            raise OutputFault(
                "{name} cannot be created: {reason}", name=str(path), reason=error.strerror
            ) from error
        self._file: BinaryIO = os.fdopen(descriptor, "wb", buffering=_BLOCK)
        self._digest = hashlib.sha256()
        header = {"created_at": created_at, "encryption": "none", "manifest_key": manifest_key.hex()}
        self._file.write(MAGIC + dump(header) + b"\n")

    def __enter__(self) -> SealWriter:
        return self

    def __exit__(self, *_details: object) -> None:
        """Without `finish`, nothing remains."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self.temporary.unlink()

    def add(self, lines: bytes) -> None:
        """Whole record lines."""
        self._digest.update(lines)
        self._file.write(lines)

    @property
    def records_sha256(self) -> str:
        return self._digest.hexdigest()

    def finish(self, state: State) -> None:
        """Write the first state and put the file under its name."""
        self._file.write(state.dump())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # If we die before the next line, only the .part file is left; after it, the seal is whole.
        publish(self.temporary, self.path, force=self._force)


class Seal:
    """A seal that exists. Opened with `lock`, no other process changes it meanwhile."""

    def __init__(self, path: Path, *, lock: bool = False) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("r+b" if lock else "rb")
        except IsADirectoryError as error:
            raise InputFault("{name} is a folder, not a seal", name=str(path)) from error
        except OSError as error:
            raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
        try:
            if lock:
                _lock(self._file)
            self._read_header()
            self._end = 0
            self.state = self._read_state()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Seal:
        return self

    def __exit__(self, *_details: object) -> None:
        self._file.close()

    def records(self) -> Iterator[bytes]:
        """Each record's bytes in order; DataFault when they are not those that were sealed."""
        digest = hashlib.sha256()
        self._file.seek(self._start)
        for _ in range(self.state.sealed.records):
            line = self._file.readline()
            digest.update(line)
            yield line[:-1]
        if digest.hexdigest() != self.state.sealed.records_sha256:
            raise self._damaged()

    def check_records(self) -> None:
        """DataFault when a record was damaged since sealing."""
        for _record in self.records():
            pass

    def append(self, state: State) -> None:
        """Make `state` the one that counts, on the disk before this returns."""
        self._file.seek(self._end)
        self._file.truncate()
        self._file.write(state.dump())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._end = self._file.tell()
        self.state = state

    def _read_header(self) -> None:
        magic = self._file.readline(64)
        if magic != MAGIC:
            if magic.startswith(_FAMILY):
                raise DataFault(
                    "{name} is a seal of a later version", "upgrade mizheng to read it", name=str(self.path)
                )
            raise DataFault("{name} is not a seal", name=str(self.path))
        try:
            line = self._file.readline(64 * 1024)
            header = parse(line[:-1])
            if isinstance(header, dict) and header.get("encryption", "none") != "none":
                raise DataFault(
                    "{name} is encrypted in a way that this version does not know",
                    "upgrade mizheng to read it",
                    name=str(self.path),
                )
            fields = require_fields(header, {"created_at": str, "encryption": str, "manifest_key": str})
            parse_instant(fields["created_at"])
            self.created_at: str = fields["created_at"]
            self.manifest_key = from_hex(fields["manifest_key"], 32)
        except FormatError as error:
            raise self._damaged() from error
        self._start = self._file.tell()

    def _read_state(self) -> State:
        """The last whole state line; sets where the next one goes."""
        for start, line in _lines_backwards(self._file, self._start):
            if not line.endswith(b"\n"):
                continue
            if not line.startswith(_STATE_START):
                break
            self._end = start + len(line)
            try:
                return _parse_state(line[:-1])
            except FormatError as error:
                raise self._damaged() from error
        raise self._damaged()

    def _damaged(self) -> DataFault:
        return DataFault(
            "{name} is damaged or was cut off",
            "seal the files again, or restore the seal from a copy",
            name=str(self.path),
        )


def _parse_state(line: bytes) -> State:
    fields = require_fields(parse(line, max_bytes=MAX_STATE_BYTES), {"sha256": str, "state": dict})
    value = require_fields(
        fields["state"],
        {"sealed": dict, "deposit": (dict, type(None)), "evidence": (dict, type(None))},
    )
    if hashlib.sha256(dump(value)).hexdigest() != fields["sha256"]:
        raise FormatError("a state whose digest does not match")
    try:
        sealed = Sealed(**value["sealed"])
        deposit = Deposit(**value["deposit"]) if value["deposit"] is not None else None
    except TypeError as error:
        raise FormatError("a state with other fields than this version knows") from error
    return State(sealed, deposit, value["evidence"])


def _lines_backwards(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """(offset, line with its LF) from the end of the file down to `start`."""
    position = file.seek(0, os.SEEK_END)
    rest = b""
    while position > start:
        step = min(_BLOCK, position - start)
        position -= step
        file.seek(position)
        rest = file.read(step) + rest
        # All but the first piece are whole: their beginning is in sight.
        while (cut := rest.rfind(b"\n", 0, len(rest) - 1)) >= 0:
            yield position + cut + 1, rest[cut + 1 :]
            rest = rest[: cut + 1]
        if len(rest) > MAX_STATE_BYTES:
            return
    if rest:
        yield position, rest


def _lock(file: BinaryIO) -> None:
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def _fields(value: Sealed | Deposit) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
