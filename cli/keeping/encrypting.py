"""One file to an age file (age-encryption.org/v1), both digests made on the way, in constant memory.

What is hashed as the original is what was encrypted, not what a second look at the file would find.

This thread reads and encrypts; one writes, one or two make the digests. All let go of the
interpreter for that and so keep two cores busy. Buffers go round, because fresh memory takes time too.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from mizheng.cli.keeping.agewriter import CHUNK, TAG, AgeWriter
from mizheng.cli.keeping.digests import Apart, Together, begin
from mizheng.cli.keeping.stores.interface import Ciphertext
from mizheng.cli.keeping.stores.writing import BLOCK

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from pyrage import x25519

# Of the file: so much that handing over costs little; what fits is done before a thread would begin.
_PIECE = 32 * CHUNK
# As much is read before a piece is known not to be the last.
_MOST = _PIECE + CHUNK
_BUFFERS = 8

Write = Callable[[memoryview], object]
"""Takes a piece of ciphertext, which is overwritten when it returns.

But for the start of the file, a piece lies in its page of memory where it comes in its block of the file.
Called in order, though not always on the same thread; after an error perhaps for some pieces more.
"""

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
    age = AgeWriter([str(recipient) for recipient in recipients])
    write(memoryview(age.start))
    digests, original_size, place = None, 0, len(age.start)
    with _Lines() as lines:
        for buffers, size, is_last in _pieces(file):
            tick(size)
            if digests is None:
                digests = begin(age.start, is_large=not is_last)
                take = _hashing(lines, digests)
            if not is_last:
                lines.start()
            plain, room = buffers.plain[:size], buffers.made[place % BLOCK :]
            made = room[: age.encrypt(plain, room, is_last=is_last)]
            original_size += size
            place += len(made)
            lines.call(0, partial(write, made), buffers)
            take(_Piece(buffers, plain, made), is_last)
    assert digests is not None  # noqa: S101 - an empty file has a piece, too
    original, ciphertext = digests.results()
    return Encrypted(original, original_size, Ciphertext(ciphertext, place))


class _Buffers:
    """A piece of the file, what is made of it, and who has not done with them yet."""

    def __init__(self) -> None:
        self.plain = memoryview(mmap.mmap(-1, _MOST))
        self.made = memoryview(mmap.mmap(-1, _MOST + _MOST // CHUNK * TAG + BLOCK))
        self.in_use: list[Future[object]] = []

    def wait(self) -> None:
        """Until all have; what went wrong there is raised."""
        for use in self.in_use:
            use.result()
        self.in_use.clear()


class _Piece(NamedTuple):
    buffers: _Buffers
    plain: memoryview
    made: memoryview


def _hashing(lines: _Lines, digests: Apart | Together) -> Callable[[_Piece, bool], None]:
    """Takes each piece in order, and whether it is the last."""
    return _Turns(lines, digests).take if isinstance(digests, Together) else _Aside(lines, digests).take


class _Aside:
    """Two threads make the digests, each of them one."""

    def __init__(self, lines: _Lines, digests: Apart) -> None:
        self._lines = lines
        self._digests = digests

    def take(self, piece: _Piece, is_last: bool) -> None:
        del is_last
        self._lines.call(1, partial(self._digests.add_original, piece.plain), piece.buffers)
        self._lines.call(2, partial(self._digests.add_ciphertext, piece.made), piece.buffers)


class _Turns:
    """One thread makes both digests of every other piece, while this one reads and encrypts the next two.

    That takes about as long. Of the rest, this one makes the original's and that one the ciphertext's: so two
    cores are busy all the time.
    """

    def __init__(self, lines: _Lines, digests: Together) -> None:
        self._lines = lines
        self._digests = digests
        self._held: _Piece | None = None
        self._both: Future[object] | None = None

    def take(self, piece: _Piece, is_last: bool) -> None:
        if self._held is None:
            self._held = piece
            if is_last:
                self._share(piece)
            return
        self._share(self._held)
        self._held = None
        add_both = partial(self._digests.add_both, piece.plain, piece.made)
        self._both = self._lines.call(1, add_both, piece.buffers)

    def _share(self, piece: _Piece) -> None:
        if self._both:
            # The original's digest has to be where this piece begins.
            self._both.result()
        self._lines.call(1, partial(self._digests.add_ciphertext, piece.made), piece.buffers)
        self._digests.add_original(piece.plain)


def _pieces(file: BinaryIO) -> Iterator[tuple[_Buffers, int, bool]]:
    """Buffers with a piece of the file, its size, and whether it is the last; that of an empty file is empty.

    It ends when nobody uses any of the buffers any more.
    """
    order = cycle([_Buffers() for _ in range(_BUFFERS)])
    buffers = next(order)
    size = _fill(file, buffers.plain)
    while size == _MOST:
        yield buffers, _PIECE, False
        following = next(order)
        following.wait()
        following.plain[:CHUNK] = buffers.plain[_PIECE:]
        buffers = following
        size = CHUNK + _fill(file, buffers.plain[CHUNK:])
    yield buffers, size, True
    for _ in range(_BUFFERS):
        # The oldest first: its error is the one.
        next(order).wait()


def _fill(file: BinaryIO, buffer: memoryview) -> int:
    """Read as much as there is room for, less only at the end: a read may give less than it was asked for."""
    size = 0
    while size < len(buffer) and (more := file.readinto(buffer[size:])):  # type: ignore[attr-defined]
        size += more
    return size


class _Lines:
    """Three threads, each of which does in order what it is given; before they start it is done at once."""

    def __init__(self) -> None:
        self._threads: list[ThreadPoolExecutor] = []

    def start(self) -> None:
        """The first time. A small file is done before a thread would be there."""
        if not self._threads:
            from concurrent.futures import ThreadPoolExecutor

            self._threads = [ThreadPoolExecutor(1, "keep") for _ in range(3)]

    def call(self, line: int, work: Callable[[], object], buffers: _Buffers) -> Future[object] | None:
        """`buffers` are in use until it is done."""
        if not self._threads:
            work()
            return None
        future = self._threads[line].submit(work)
        buffers.in_use.append(future)
        return future

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_error: object) -> None:
        """What has not begun is not done any more."""
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)
