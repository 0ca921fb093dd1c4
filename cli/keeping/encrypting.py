"""One file to an age file (age-encryption.org/v1), both digests made on the way, in constant memory.

What is hashed as the original is what was encrypted, not what a second look at the file would find.

This thread reads and encrypts; one writes, and one or two make the digests. All let go of the
interpreter for that and so keep two cores busy. Buffers go round, because fresh memory takes time too.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from mizheng.cli.keeping.agewriter import CHUNK, TAG, AgeWriter
from mizheng.cli.keeping.digests import Work, begin
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
            if not is_last:
                lines.start()
            plain, room = buffers.plain[:size], buffers.made[place % BLOCK :]
            made = room[: age.encrypt(plain, room, is_last=is_last)]
            original_size += size
            place += len(made)
            works: list[Work] = [partial(write, made), *digests.work(plain, made)]
            for line, work in enumerate(works):
                lines.call(line, work, buffers)
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

    def call(self, line: int, work: Work, buffers: _Buffers) -> None:
        """`buffers` are in use until it is done."""
        if self._threads:
            buffers.in_use.append(self._threads[line].submit(work))
        else:
            work()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_error: object) -> None:
        """What has not begun is not done any more."""
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)
