"""Reading a seal, and appending to it what happens to it later."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mizheng.cli.errors import DataFault, InputFault
from mizheng.cli.sealfile.box import WrappedKey, parse_wrapped_key
from mizheng.cli.sealfile.segments import FAMILY, MAGIC, MAX_HEADER_BYTES
from mizheng.cli.sealfile.state import MAX_STATE_BYTES, STATE_START, State, parse_state
from mizheng.verifier.canonical import parse, parse_instant, require_fields
from mizheng.verifier.errors import FormatError

_BLOCK = 1 << 20


class Seal:
    """A seal that exists. Opened with `lock`, no other process changes it meanwhile.

    Its state can be read by whoever may read the file; its records need its key, see `Content`.
    """

    def __init__(self, path: Path, *, lock: bool = False) -> None:
        self.path = path
        try:
            self.file: BinaryIO = path.open("r+b" if lock else "rb")
        except IsADirectoryError as error:
            raise InputFault("{name} is a folder, not a seal", name=str(path)) from error
        except OSError as error:
            raise InputFault("{name}: {reason}", name=str(path), reason=error.strerror) from error
        try:
            if lock:
                _lock(self.file)
            self.created_at, self._keys, self._start = read_header(self.file, path)
            self._end = 0
            self.state = self._read_state()
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> Seal:
        return self

    def __exit__(self, *_details: object) -> None:
        self.file.close()

    @property
    def wrapped_keys(self) -> list[WrappedKey]:
        """The age files that hold the seal's key, those added later last."""
        return [*self._keys, *self.state.keys]

    @property
    def reached(self) -> str:
        """sealed, deposited, anchored or final, as far as this seal knows."""
        deposit, evidence = self.state.deposit, self.state.evidence
        if deposit is None or deposit.answer is None:
            return "sealed"
        return str(evidence["state"]) if evidence else "deposited"

    def check_body(self) -> None:
        """DataFault when anything before the states was changed since sealing. Needs no key."""
        digest = hashlib.sha256()
        self.file.seek(0)
        left = self.state.sealed.body_size
        while left > 0 and (chunk := self.file.read(min(left, _BLOCK))):
            digest.update(chunk)
            left -= len(chunk)
        if left or digest.hexdigest() != self.state.sealed.body_sha256:
            raise damaged(self.path)

    def append(self, state: State) -> None:
        """Make `state` the one that counts, on the disk before this returns."""
        self.file.seek(self._end)
        self.file.truncate()
        self.file.write(state.dump())
        self.file.flush()
        os.fsync(self.file.fileno())
        self._end = self.file.tell()
        self.state = state

    def _read_state(self) -> State:
        """The last whole state line; sets where the next one goes."""
        for start, line in _lines_backwards(self.file, self._start):
            if not line.endswith(b"\n"):
                continue
            if not line.startswith(STATE_START):
                break
            self._end = start + len(line)
            try:
                return parse_state(line[:-1])
            except FormatError as error:
                raise damaged(self.path) from error
        raise damaged(self.path)


def read_header(file: BinaryIO, path: Path) -> tuple[str, list[WrappedKey], int]:
    """(when it was made, age files with its key, where the segments begin); DataFault for other files."""
    magic = file.readline(64)
    if magic != MAGIC:
        if magic.startswith(FAMILY):
            raise DataFault(
                "{name} is a seal of another version", "upgrade mizheng to read it", name=str(path)
            )
        raise DataFault("{name} is not a seal", name=str(path))
    try:
        line = file.readline(MAX_HEADER_BYTES)
        fields = require_fields(parse(line[:-1]), {"created_at": str, "encryption": str, "keys": list})
        if fields["encryption"] != "age":
            raise DataFault(
                "{name} is encrypted in a way that this version does not know",
                "upgrade mizheng to read it",
                name=str(path),
            )
        parse_instant(fields["created_at"])
        return fields["created_at"], [parse_wrapped_key(item) for item in fields["keys"]], file.tell()
    except FormatError as error:
        raise damaged(path) from error


def damaged(path: Path) -> DataFault:
    """What a person is told when the bytes are not those that were written."""
    return DataFault(
        "{name} is damaged or was cut off",
        "seal the files again, or restore the seal from a copy",
        name=str(path),
    )


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
