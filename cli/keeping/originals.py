"""The files of a seal by the number of their record, and where on this machine they are looked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.sealfile.content import Content, Place
from mizheng.cli.sealing.hashing import FLAGS
from mizheng.cli.terminal.language import N_
from mizheng.verifier.record import Record, parse_record


class Wanted(NamedTuple):
    """A file record of a seal."""

    record: int
    """Its place in the seal, from 1."""
    label: bytes
    place: Place


def chosen(content: Content, patterns: Sequence[str]) -> Iterator[Wanted]:
    """The files that `patterns` name as `--open` of a bundle does; all without any. Links are no files.

    InputFault, at the end, for a pattern that names nothing.
    """
    selection = Selection(patterns)
    for record, (place, entry) in enumerate(content.entries(), 1):
        line = partial(content.record, place)
        is_wanted = not patterns or selection.wants(entry.kind, entry.label, line)
        if is_wanted and entry.kind == "file":
            yield Wanted(record, entry.label, place)
    if patterns:
        selection.check()


def read_record(content: Content, wanted: Wanted) -> Record:
    """The record itself."""
    return parse_record(content.record(wanted.place))


def open_original(label: bytes, folders: Sequence[Path]) -> BinaryIO | str:
    """The file of this name from the first folder that has it, or why there is none."""
    reason = N_("No such file or directory")
    for folder in folders:
        path = folder / os.fsdecode(label)
        try:
            descriptor = os.open(path, FLAGS)
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = error.strerror or type(error).__name__
            continue
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return os.fdopen(descriptor, "rb", buffering=0)
        os.close(descriptor)
        reason = N_("not a regular file")
    return reason
