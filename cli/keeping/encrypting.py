"""One file to an age file (age-encryption.org/v1), both digests made on the way, in constant memory.

What is hashed as the original is what was encrypted, not what a second look at the file would find.

pyrage reads and encrypts on a thread of its own; here both sides are hashed and the ciphertext handed on. It
lets go of the interpreter only where it asks for bytes or gives some: so turns are short meanwhile, and what
is handed over is large. Buffers go round, because fresh memory takes time too.
"""

from __future__ import annotations

import hashlib
import mmap
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from mizheng.cli.keeping.stores.interface import Ciphertext

if TYPE_CHECKING:
    from pyrage import x25519

# What stays in a processor's cache between two who use it, and is not handed over too often.
_CHUNK = 1 << 20
# Of the file, and as many of the ciphertext.
_BUFFERS = 4
# Otherwise whoever wants to go on waits for 5 ms, in which pyrage encrypts 4 MiB.
_TURN_SECONDS = 1e-4

Write = Callable[[memoryview], object]
"""Takes a piece of ciphertext, which is overwritten when it returns."""

Tick = Callable[[int], None]
"""Called with the number of bytes of the original just read."""


class Encrypted(NamedTuple):
    """What went in and what came out."""

    original_sha256: str
    original_size: int
    ciphertext: Ciphertext


def encrypt(
    file: BinaryIO, recipients: Sequence[x25519.Recipient], write: Write, tick: Tick = lambda _size: None
) -> Encrypted:
    """Encrypt an open, unbuffered file to its end. Errors of the file and of `write` come through."""
    work = _Work(file)
    original, ciphertext = _Counted(), _Counted()
    thread = Thread(target=work.run, args=(list(recipients),), name="age", daemon=True)
    with _short_turns():
        thread.start()
        try:
            while piece := work.done.get():
                if piece.is_original:
                    original.update(piece.data)
                    tick(len(piece.data))
                else:
                    ciphertext.update(piece.data)
                    write(piece.data)
                piece.back.give(piece.buffer)
        finally:
            work.stop()
            thread.join()
    if work.error is not None:
        raise work.error
    what = Ciphertext(ciphertext.digest.hexdigest(), ciphertext.size)
    return Encrypted(original.digest.hexdigest(), original.size, what)


class _Counted:
    """A digest and how much it is of."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.size = 0

    def update(self, data: memoryview) -> None:
        self.digest.update(data)
        self.size += len(data)


class _StoppedError(Exception):
    """Nobody wants the rest."""


class _Buffers:
    """Some that go round; whoever takes one waits until one is free."""

    def __init__(self) -> None:
        self._free: SimpleQueue[mmap.mmap | None] = SimpleQueue()
        self._made = 0

    def take(self) -> mmap.mmap:
        if self._made < _BUFFERS and self._free.empty():
            self._made += 1
            return mmap.mmap(-1, _CHUNK)
        buffer = self._free.get()
        if buffer is None:
            raise _StoppedError
        return buffer

    def give(self, buffer: mmap.mmap | None) -> None:
        """Back; None: whoever waits is to stop."""
        self._free.put(buffer)


class _Piece(NamedTuple):
    """What was read or made, and where its buffer goes when it is no longer needed."""

    is_original: bool
    data: memoryview
    buffer: mmap.mmap
    back: _Buffers


class _Work:
    """The file that pyrage reads, and the one that it writes, on its own thread."""

    def __init__(self, file: BinaryIO) -> None:
        self.done: SimpleQueue[_Piece | None] = SimpleQueue()
        """What was read and made, in order; then None."""
        self.error: BaseException | None = None
        self._file = file
        self._originals, self._ciphertexts = _Buffers(), _Buffers()
        self._in: mmap.mmap | None = None
        self._at = self._end = 0
        self._out: mmap.mmap | None = None
        self._filled = 0

    def run(self, recipients: list[x25519.Recipient]) -> None:
        import pyrage

        try:
            pyrage.encrypt_io(self, self, recipients)
            self._push()
        except BaseException as error:
            # It tells of an error in its own words only: the first is the one.
            self.error = self.error or error
        finally:
            self.done.put(None)

    def stop(self) -> None:
        """Let `run` end; it has ended already when it gave its None."""
        self._originals.give(None)
        self._ciphertexts.give(None)

    def read(self, size: int) -> bytes:
        """pyrage asks for 8 KiB at a time."""
        if self._at == self._end:
            self._fill()
        assert self._in is not None  # noqa: S101 - _fill made it
        start = self._at
        self._at = min(start + size, self._end)
        return self._in[start : self._at]

    def write(self, data: bytes) -> int:
        """A block of age: 64 KiB and 16 bytes."""
        if self._filled + len(data) > _CHUNK:
            self._push()
        if self._out is None:
            self._out = self._ciphertexts.take()
        end = self._filled + len(data)
        self._out[self._filled : end] = data
        self._filled = end
        return len(data)

    def flush(self) -> None:
        pass

    def _fill(self) -> None:
        try:
            # Read to its end, it is hashed still; this one is another.
            self._in = self._originals.take()
            self._at, self._end = 0, self._file.readinto(self._in)  # type: ignore[attr-defined]
        except BaseException as error:
            self.error = error
            raise
        if self._end:
            piece = memoryview(self._in)[: self._end]
            self.done.put(_Piece(True, piece, self._in, self._originals))
        else:
            self._originals.give(self._in)

    def _push(self) -> None:
        if self._out is not None:
            piece = memoryview(self._out)[: self._filled]
            self.done.put(_Piece(False, piece, self._out, self._ciphertexts))
        self._out, self._filled = None, 0


@contextmanager
def _short_turns() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
