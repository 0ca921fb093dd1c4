"""Read many like things in their order, while another process checks the signatures on them.

Checking signatures takes as long as everything else about an event, and Python does one thing at a time. So
a second process of this same program does it for things that are still to come (`aside`). It can only say
yes: what it found good is not computed again (`is_known_good`), and all else is checked as if it were not
there, in this process, with the same result. It is of no account where it cannot be started, or dies.
"""

from __future__ import annotations

import struct
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, TypeVar

from .errors import MizhengError

if TYPE_CHECKING:
    from subprocess import Popen

Signed = tuple[bytes, bytes, bytes]
"""A signature and what it is of: the key's SubjectPublicKeyInfo, the signature, the message."""

# To start a process takes as long as to check some hundred things.
_WORTH_IT = 500
# The other process is asked by rows, and for so many before it answers the first.
_ROW, _ASKED = 16, 4
# As many rows wait to be looked at: what is held of a million things is of these.
_AHEAD = 5
# One row of custody events is some 30 KiB, and to write must not have to wait for who reads.
_PIPE_BYTES = 256 * 1024

_T = TypeVar("_T")
_R = TypeVar("_R")

_known_good: set[Signed] = set()


def is_known_good(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the other process found this very signature good a moment ago."""
    return bool(_known_good) and (key, signature, message) in _known_good


def outcome(action: Callable[[], _T]) -> Callable[[], _T]:
    """Do it now; what is returned gives its value, or raises its MizhengError, to whoever asks."""
    try:
        value = action()
    except MizhengError as error:
        found = error

        def fail() -> _T:
            raise found

        return fail
    return lambda: value


def in_order(
    work: Callable[[_T], _R], signed: Callable[[_R], Iterable[Signed]], things: Sequence[_T]
) -> Generator[_R, None, None]:
    """`work` of each thing, in their order; it is done for up to 96 things ahead.

    `signed` names the signatures that are going to be checked when the turn of what `work` made has come.
    """
    aside = Aside() if len(things) >= _WORTH_IT else None
    waiting: deque[tuple[list[_R], Answer | None]] = deque()
    try:
        for start in range(0, len(things), _ROW):
            row = [work(thing) for thing in things[start : start + _ROW]]
            answer = aside.ask([item for made in row for item in signed(made)]) if aside else None
            waiting.append((row, answer))
            if len(waiting) > _AHEAD:
                yield from _finish(*waiting.popleft())
        while waiting:
            yield from _finish(*waiting.popleft())
    finally:
        if aside:
            aside.close()


def _finish(row: list[_R], answer: Answer | None) -> Generator[_R, None, None]:
    good = answer() if answer else set()
    _known_good.update(good)
    try:
        yield from row
    finally:
        _known_good.difference_update(good)


Answer = Callable[[], set[Signed]]
"""Waits for which of the signatures were found good."""


class Aside:
    """The other process, until `close`."""

    def __init__(self) -> None:
        self.process = _start()
        self._reader = ThreadPoolExecutor(1)
        # Its first byte says that it is there; until then nobody waits for it.
        self._is_there = self._reader.submit(self._read, 1)
        self._asked: deque[Future[bytes]] = deque()

    def ask(self, signed: list[Signed]) -> Answer | None:
        """Have these checked; None when it is busy, not there yet, or dead."""
        while self._asked and self._asked[0].done():
            self._asked.popleft()
        is_free = self._is_there.done() and len(self._asked) < _ASKED
        if not is_free or not self._is_there.result() or not self._write(signed):
            return None
        answer = self._reader.submit(self._read, len(signed))
        self._asked.append(answer)
        # Fewer answers than questions are those of one that died.
        return lambda: {item for item, is_good in zip(signed, answer.result(), strict=False) if is_good}

    def close(self) -> None:
        """Nothing of it goes on."""
        if self.process:
            self.process.kill()
        self._reader.shutdown()
        if self.process:
            # This passes over what was written and not read.
            self.process.communicate()

    def _read(self, count: int) -> bytes:
        return self.process.stdout.read(count) if self.process and self.process.stdout else b""

    def _write(self, signed: list[Signed]) -> bool:
        try:
            if self.process and self.process.stdin:
                write_row(self.process.stdin, signed)
        except OSError:
            return False
        return True


def _start() -> Popen[bytes] | None:
    """None where it cannot be started."""
    # Few bundles need it.
    import subprocess

    # A program that was made one file of is not an interpreter.
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    # -P: what lies in the working directory may be the other side's.
    command = [sys.executable, "-P", "-m", f"{__package__}.aside"]
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, pipesize=_PIPE_BYTES
        )
    except OSError:
        return None


_COUNT, _LENGTHS = struct.Struct(">I"), struct.Struct(">III")


def write_row(file: IO[bytes], signed: list[Signed]) -> None:
    """How many, then three lengths and three strings of each."""
    parts = [_COUNT.pack(len(signed))]
    for item in signed:
        key, signature, message = item
        parts += (_LENGTHS.pack(len(key), len(signature), len(message)), key, signature, message)
    file.write(b"".join(parts))
    file.flush()


def read_row(file: IO[bytes]) -> list[Signed] | None:
    """What `write_row` wrote; None at the end, also in the middle of a row."""

    def read_one() -> Signed:
        key, signature, message = _LENGTHS.unpack(file.read(_LENGTHS.size))
        return file.read(key), file.read(signature), file.read(message)

    try:
        (count,) = _COUNT.unpack(file.read(_COUNT.size))
        return [read_one() for _ in range(count)]
    except struct.error:
        return None
