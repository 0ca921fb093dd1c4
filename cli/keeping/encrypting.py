"""One file to an age file (age-encryption.org/v1), both digests made on the way, in constant memory.

What is hashed as the original is what was encrypted, not what a second look at the file would find.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple

from mizheng.cli.errors import SoftwareFault
from mizheng.cli.keeping.stores.interface import Ciphertext

if TYPE_CHECKING:
    from pyrage import x25519

_CHUNK = 1 << 20
# Starting a process takes 60 ms; from here on it earns them back.
_APART_BYTES = 64 << 20
# Linux: of a pipe, as much as anybody may ask for.
_PIPE_BYTES = 1 << 20

Write = Callable[[bytes], None]
Tick = Callable[[int], None]
"""Called with the number of bytes of the original just read."""


class Encrypted(NamedTuple):
    """What went in and what came out."""

    original_sha256: str
    original_size: int
    ciphertext: Ciphertext


def encrypt(
    file: BinaryIO, size: int, recipients: Sequence[x25519.Recipient], write: Write, tick: Tick
) -> Encrypted:
    """Encrypt an open file to its end, expected at `size`. Errors of the file and of `write` come through."""
    source, target = _Source(file, tick), _Target(write)
    if size >= _APART_BYTES:
        _encrypt_apart(source, target, recipients)
    else:
        _encrypt_here(source, target, recipients)
    return Encrypted(
        source.digest.hexdigest(), source.size, Ciphertext(target.digest.hexdigest(), target.size)
    )


class _Source:
    """A file that is hashed as it is read; pyrage asks for 8 KiB at a time."""

    def __init__(self, file: BinaryIO, tick: Tick) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.error: BaseException | None = None
        self._file = file
        self._tick = tick
        self._rest = memoryview(b"")

    def chunk(self) -> bytes:
        try:
            data = self._file.read(_CHUNK)
        except BaseException as error:
            self.error = error
            raise
        self.digest.update(data)
        self.size += len(data)
        self._tick(len(data))
        return data

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = memoryview(self.chunk())
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)


class _Target:
    """Takes a ciphertext, hashes it and hands it on."""

    def __init__(self, write: Write) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.error: BaseException | None = None
        self._write = write

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        try:
            self._write(data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        pass


def _encrypt_here(source: _Source, target: _Target, recipients: Sequence[x25519.Recipient]) -> None:
    import pyrage

    try:
        pyrage.encrypt_io(source, target, list(recipients))
    except Exception:
        # It tells of an error in its own words only.
        if error := source.error or target.error:
            raise error from None
        raise


def _encrypt_apart(source: _Source, target: _Target, recipients: Sequence[x25519.Recipient]) -> None:
    command = [sys.executable, "-m", "mizheng.cli.keeping.child", *map(str, recipients)]
    pipe: dict[str, Any] = {"pipesize": _PIPE_BYTES} if sys.platform == "linux" else {}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        **pipe,
    ) as child:
        assert child.stdin is not None  # noqa: S101 - asked for
        assert child.stdout is not None  # noqa: S101 - asked for
        feeder = threading.Thread(target=_feed, args=(source, child.stdin), name="feed")
        feeder.start()
        try:
            while data := child.stdout.read(_CHUNK):
                target.write(data)
        except BaseException:
            child.kill()
            raise
        finally:
            feeder.join()
    # A file that could not be read to its end makes a whole age file of what was read.
    if source.error is not None:
        raise source.error
    if child.returncode != 0:
        raise SoftwareFault("the process that encrypts ended early")


def _feed(source: _Source, pipe: IO[bytes]) -> None:
    try:
        with pipe:
            while data := source.chunk():
                view = memoryview(data)
                while view:
                    view = view[pipe.write(view) :]
    except BrokenPipeError:
        # The child has ended: its exit code says so.
        pass
    except BaseException as error:
        source.error = source.error or error
