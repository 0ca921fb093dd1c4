"""A comparison as the report tells it: the other side's names only where its files are identical."""

# ruff: noqa: PTH114, PTH112 - pathlib has no paths of bytes

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mizheng.cli.checking.comparing import Comparison, Match, OpenedFiles
from mizheng.cli.sealing.walking import split_argument
from mizheng.verifier.paper import comparison as paper


@dataclass(frozen=True, slots=True)
class Named:
    """What was given on the command line, sorted by whether the report may say it."""

    shown: Sequence[bytes]
    """Folders, and files that are identical to an opened one."""
    hidden: Sequence[bytes]
    """Everything else: a name of a file in which nobody has found anything."""


def sort_names(found: Comparison, paths: Iterable[bytes]) -> Named:
    """`paths` as they were compared."""
    identical = {match.path for match in found.matches}
    shown: list[bytes] = []
    hidden: list[bytes] = []
    for path in paths:
        is_folder = os.path.isdir(path) and not os.path.islink(path.rstrip(b"/"))
        (shown if is_folder or split_argument(path)[1] in identical else hidden).append(path)
    return Named(shown, hidden)


def tell(opened: OpenedFiles, found: Comparison, named: Named | None) -> paper.Comparison:
    """The report's view of it; `named` is None where salted digests were compared."""
    by_member: dict[str, list[Match]] = {}
    for match in found.matches:
        by_member.setdefault(match.member, []).append(match)
    return paper.Comparison(
        records=[
            paper.ComparedRecord(
                member,
                record.name,
                record.fields["size"],
                record.fields["sha256"],
                record.fields["sm3"],
                is_found=member in by_member,
                files=[spell(match.path) for match in by_member.get(member, []) if match.path is not None],
            )
            for member, record in sorted(opened.records.items())
        ],
        places=[spell(path) for path in named.shown] if named else [],
        left_out=len(named.hidden) if named else 0,
        files=found.files,
        read=found.read,
        unreadable=found.unreadable if named else None,
    )


def spell(path: bytes) -> str:
    """Bytes of a name that are no UTF-8 by their numbers."""
    return path.decode("utf-8", "backslashreplace")
