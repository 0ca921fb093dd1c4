"""NAME.keeping, beside NAME.seal: what happened to the originals that were kept, one event after another.

    a line of magic, then a line an event: Base64 of nonce (12 bytes) || AES-256-GCM of canonical JSON

The key follows from the seal's manifest key. Number of the line and SHA-256 of the whole line before it are
associated data, so that none can be taken out, put elsewhere or changed: whoever tries leaves a file that
does not open. Only the end can be cut off unseen; `head` is there to be noted elsewhere.

An event is on the disk when `append` returns. A last line without its LF was being written when the power
went, and is dropped.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from mizheng.cli.errors import DataFault, WaitingFault
from mizheng.cli.files import write_private
from mizheng.cli.sealfile.beside import damaged
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.errors import FormatError

SUFFIX = ".keeping"
_MAGIC = b"mizheng-keeping/v1\n"
_CONTEXT = b"mizheng/keeping/v1\n"
_NONCE_BYTES = 12
# The deletion of a million originals names each by 64 characters.
MAX_EVENT_BYTES = 128 << 20
_MAX_LINE = MAX_EVENT_BYTES * 4 // 3 + 100


def path_of(seal: Path) -> Path:
    """Where the keeping record of a seal lies."""
    return seal.with_name(seal.name.removesuffix(".seal") + SUFFIX)


class Journal:
    """The file of one seal. Opened to `write`, no other process writes it meanwhile."""

    def __init__(self, seal: Path, manifest_key: bytes, *, write: bool) -> None:
        """Read it all; DataFault when it was changed or is another seal's, WaitingFault when in use."""
        self.path = path_of(seal)
        self._cipher = AESGCM(hmac.digest(manifest_key, _CONTEXT, "sha256"))
        self._count = 0
        self._head = hashlib.sha256(_MAGIC).digest()
        self._end = len(_MAGIC)
        self.events: list[dict[str, Any]] = []
        self._file: BinaryIO | None = None
        if write and not self.path.exists():
            write_private(self.path, _MAGIC)
        if not self.path.exists():
            return
        file = self.path.open("r+b" if write else "rb")
        try:
            if write:
                _lock(file, self.path)
            self.events.extend(self._read(file))
        except BaseException:
            file.close()
            raise
        if write:
            self._file = file
        else:
            file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_details: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def head(self) -> str:
        """SHA-256 that stands for every event so far, in hex."""
        return self._head.hex()

    def append(self, *events: Mapping[str, Any]) -> None:
        """Write events down, all on the disk before this returns."""
        assert self._file is not None  # noqa: S101 - opened to write
        data = b"".join([self._close(dump(dict(event))) for event in events])
        self._file.seek(self._end)
        self._file.truncate()
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._end += len(data)
        self.events.extend(map(dict, events))

    def _close(self, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        line = base64.b64encode(nonce + self._cipher.encrypt(nonce, plain, self._bound())) + b"\n"
        self._advance(line)
        return line

    def _read(self, file: BinaryIO) -> Iterator[dict[str, Any]]:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise damaged(self.path)
        while (line := file.readline(_MAX_LINE)).endswith(b"\n"):
            try:
                body = base64.b64decode(line[:-1], validate=True)
                plain = self._cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], self._bound())
                event = parse(plain, max_bytes=MAX_EVENT_BYTES)
                if not isinstance(event, dict):
                    raise FormatError("an event that is no object")
            except (InvalidTag, ValueError, FormatError) as error:
                raise self._changed() from error
            self._advance(line)
            self._end += len(line)
            yield event
        if len(line) == _MAX_LINE:
            raise self._changed()

    def _bound(self) -> bytes:
        return _MAGIC + self._count.to_bytes(8, "big") + self._head

    def _advance(self, line: bytes) -> None:
        self._head = hashlib.sha256(line).digest()
        self._count += 1

    def _changed(self) -> DataFault:
        return DataFault(
            "{name} was changed, or is of another seal: it breaks off after {count} events",
            "restore it from a copy; without it, docs/keeping.md says how originals are found again",
            name=str(self.path),
            count=self._count,
        )


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise WaitingFault(
            "another run is at work on {name}", "wait until it has ended", name=str(path)
        ) from error
