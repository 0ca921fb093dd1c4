"""A ciphertext back to its original, every digest made on the way, in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from mizheng.cli.keeping.stores.interface import Ciphertext
from mizheng.verifier.errors import MizhengError

if TYPE_CHECKING:
    from pyrage import x25519

_BUFFER = 1 << 20


class Decrypted(NamedTuple):
    """What was read and what came of it."""

    ciphertext: Ciphertext
    """As it was read, to its end."""
    is_open: bool
    """False when none of the identities opens it, or it is no whole age file."""
    size: int = 0
    sha256: str = ""
    sm3: str = ""
    """Of the original, hex."""


def decrypt(pieces: Iterator[bytes], identities: Sequence[x25519.Identity], file: BinaryIO) -> Decrypted:
    """Write what `pieces` hold to `file`. What stands there is worth nothing before its digests are compared.

    The faults of `pieces` and the OSError of `file` come through.
    """
    import pyrage

    source, target = _Source(pieces), _Target(file)
    is_open = True
    try:
        pyrage.decrypt_io(source, target, list(identities))
        target.flush()
    except Exception:
        if error := source.error or target.error:
            raise error from None
        is_open = False
    # To its end, whatever became of it: the digest says whether it is what was kept.
    while source.read(_BUFFER):
        pass
    found = Ciphertext(source.digest.hexdigest(), source.size)
    if not is_open:
        return Decrypted(found, is_open=False)
    return Decrypted(found, True, target.size, target.sha256.hexdigest(), target.sm3.hexdigest())


class _Source:
    """The pieces as a file that is hashed as it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.error: MizhengError | None = None
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            try:
                piece = next(self._pieces, b"")
            except MizhengError as error:
                self.error = error
                raise
            self.digest.update(piece)
            self.size += len(piece)
            self._rest = memoryview(piece)
        piece, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return piece


class _Target:
    """A file whose digests are made as it is written; pyrage writes 8 KiB at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self.sha256 = hashlib.sha256()
        self.sm3 = hashlib.new("sm3")
        self.size = 0
        self.error: OSError | None = None
        self._file = file
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        if len(self._waiting) >= _BUFFER:
            self.flush()
        return len(data)

    def flush(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        self.sha256.update(data)
        self.sm3.update(data)
        self.size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            self.error = error
            raise
