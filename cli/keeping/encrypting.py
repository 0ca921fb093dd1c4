"""One file to an age file (age-encryption.org/v1), both digests made on the way, in constant memory.

What is hashed as the original is what was encrypted, not what a second look at the file would find.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from mizheng.cli.errors import SoftwareFault
from mizheng.cli.keeping.reading import HashedFile, Tick
from mizheng.cli.keeping.stores.interface import Ciphertext

if TYPE_CHECKING:
    from pyrage import x25519

_CHUNK = 1 << 20
# Starting a process takes 60 ms; from here on it earns them back.
_APART_BYTES = 64 << 20
# Linux: of a pipe, as much as anybody may ask for.
_PIPE_BYTES = 1 << 20

Write = Callable[[bytes], None]


class Encrypted(NamedTuple):
    """What went in and what came out."""

    original_sha256: str
    original_size: int
    ciphertext: Ciphertext


def encrypt(
    file: BinaryIO, size: int, recipients: Sequence[x25519.Recipient], write: Write, tick: Tick
) -> Encrypted:
    """Encrypt an open, unbuffered file to its end, expected at `size`. Errors of the file and of `write` come
    through.
    """
    target = _Target(write)
    work = _encrypt_apart if size >= _APART_BYTES else _encrypt_here
    sha256, read = work(file, target, recipients, tick)
    return Encrypted(sha256, read, Ciphertext(target.digest.hexdigest(), target.size))


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


def _encrypt_here(
    file: BinaryIO, target: _Target, recipients: Sequence[x25519.Recipient], tick: Tick
) -> tuple[str, int]:
    import pyrage

    source = HashedFile(file, tick)
    try:
        pyrage.encrypt_io(source, target, list(recipients))
    except Exception:
        # It tells of an error in its own words only.
        if error := source.error or target.error:
            raise error from None
        raise
    return source.digest.hexdigest(), source.size


def _encrypt_apart(
    file: BinaryIO, target: _Target, recipients: Sequence[x25519.Recipient], tick: Tick
) -> tuple[str, int]:
    command = [sys.executable, "-m", "mizheng.cli.keeping.child", *map(str, recipients)]
    pipe: dict[str, Any] = {"pipesize": _PIPE_BYTES} if sys.platform == "linux" else {}
    with subprocess.Popen(
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **pipe
    ) as child:
        assert child.stdout is not None  # noqa: S101 - asked for
        assert child.stderr is not None  # noqa: S101 - asked for
        try:
            while data := child.stdout.read(_CHUNK):
                target.write(data)
                # A ciphertext is its original and little more.
                tick(len(data))
            # One line, written when standard output has ended.
            words = child.stderr.read(_CHUNK).decode("ascii", "replace").split()
        except BaseException:
            child.kill()
            raise
    if child.returncode == 0 and len(words) == 2:
        return words[0], int(words[1])
    if len(words) == 2 and words[0] == "errno" and words[1].isdecimal():
        raise OSError(int(words[1]), os.strerror(int(words[1])))
    raise SoftwareFault("the process that encrypts ended early")
