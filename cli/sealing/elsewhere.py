"""Records of what others read: objects in a store, files that a cluster hashes.

Whoever reads gives digests and nothing else. Salts, records and leaf hashes are made here, so the manifest
key stays in this process.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from mizheng.cli.sealfile.labels import Stamp, pack_entry
from mizheng.cli.sealing.chunks import Chunk, Part
from mizheng.cli.sealing.folder import Other
from mizheng.cli.sealing.hashing import Digests, Tick
from mizheng.cli.sealing.recording import Batch, Gathering, known_files
from mizheng.cli.sealing.records import RecordWriter


class Wanted(NamedTuple):
    """Something to be read."""

    path: bytes
    stamp: Stamp | None
    """As it stood a moment ago; None when that cannot be told."""


Answers = Callable[[], Iterable[Digests | str]]
"""Waits for what was asked for, in its order: digests, or why there are none (a message id)."""


class Source(Protocol):
    """Where things are read."""

    window: int
    """Questions worth having open at once."""

    def stamps(self, part: Part) -> Sequence[Stamp | None]:
        """How the files of a part stand, in the order of the names."""

    def ask(self, wanted: Sequence[Wanted]) -> Answers:
        """Begin to read; returns at once."""


class _Step(NamedTuple):
    label: bytes
    other: Other | None = None
    entry: bytes = b""
    """Packed; of a file that has not changed."""
    record: bytes = b""
    size: int = 0


def record_elsewhere(
    chunks: Iterable[Chunk], manifest_key: bytes, source: Source, tick: Tick
) -> Iterator[Batch]:
    """The records of everything in `chunks`, in order; `tick` hears of bytes as they are known."""
    writer = RecordWriter(manifest_key)
    waiting: deque[tuple[list[_Step], Answers]] = deque()
    for chunk in chunks:
        steps, wanted = _plan(chunk, source)
        waiting.append((steps, source.ask(wanted)))
        if len(waiting) >= source.window:
            yield _gather(*waiting.popleft(), writer, tick)
    while waiting:
        yield _gather(*waiting.popleft(), writer, tick)


def _plan(chunk: Chunk, source: Source) -> tuple[list[_Step], list[Wanted]]:
    known = known_files(chunk.earlier)
    steps: list[_Step] = []
    wanted: list[Wanted] = []
    for part in chunk.parts:
        names = part.names.split(b"\0")
        for place, (name, stamp) in enumerate(zip(names, source.stamps(part), strict=True)):
            label = part.folder + name
            entry = pack_entry("file", label, stamp) if stamp is not None and known else b""
            if place in part.others:
                steps.append(_Step(label, part.others[place]))
            elif stamp is not None and entry in known:
                steps.append(_Step(label, None, entry, known[entry], stamp.size))
            else:
                steps.append(_Step(label))
                wanted.append(Wanted(part.base + label, stamp))
    return steps, wanted


def _gather(steps: list[_Step], answers: Answers, writer: RecordWriter, tick: Tick) -> Batch:
    gathering = Gathering(writer)
    found = iter(answers())
    for step in steps:
        if step.other is not None:
            gathering.other(step.label, step.other)
        elif step.record:
            gathering.unchanged(step.label, step.size, step.entry, step.record)
        else:
            answer = next(found)
            if isinstance(answer, str):
                gathering.other(step.label, Other("unreadable", answer.encode()))
            else:
                gathering.file(step.label, answer)
                tick(answer.size)
    return gathering.take()
