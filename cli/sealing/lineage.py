"""The versions of one secret: from a seal back to the first one, and what changed from each to the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mizheng.cli.errors import CommandError
from mizheng.cli.keys.sealing import open_seal
from mizheng.cli.sealfile.content import Content
from mizheng.cli.sealfile.read import Seal

_FIELD = b'"sha256":"'


@dataclass(frozen=True, slots=True)
class Changes:
    """Labels, from the version before to this one."""

    added: tuple[bytes, ...]
    changed: tuple[bytes, ...]
    removed: tuple[bytes, ...]
    renamed: tuple[tuple[bytes, bytes], ...]
    """(old, new) of files whose content is the same."""


@dataclass(frozen=True, slots=True)
class Version:
    """One seal of the line."""

    path: Path
    created_at: str
    commitment: str
    deposit: str | None
    """The deposit's id, once there is one."""
    state: str
    """sealed, deposited, anchored or final, as far as this seal knows."""
    files: int
    changes: Changes | None
    """None where there is no version before, or it is not here."""
    is_previous_missing: bool
    """The seal names a version before that cannot be read here."""


def trace(path: Path, home: Path) -> list[Version]:
    """The versions from `path` back, the newest first."""
    found: list[Version] = []
    digests: dict[bytes, bytes] | None = None
    where: Path | None = path
    while where is not None:
        with Seal(where) as seal:
            content = open_seal(seal, home)
            mine = _digests(content) if digests is None else digests
            before = _find_previous(where, content)
            digests = None
            if before is not None:
                with Seal(before) as other:
                    digests = _digests(open_seal(other, home))
            found.append(
                Version(
                    where,
                    seal.created_at,
                    seal.state.sealed.commitment,
                    seal.state.deposit.id if seal.state.deposit else None,
                    seal.reached,
                    len(mine),
                    compare(digests, mine) if digests is not None else None,
                    content.previous is not None and before is None,
                )
            )
        where = before
    return found


def compare(before: dict[bytes, bytes], after: dict[bytes, bytes]) -> Changes:
    """What changed between two versions, each a digest by label."""
    gone = {label: digest for label, digest in before.items() if label not in after}
    new = {label: digest for label, digest in after.items() if label not in before}
    # A name is followed only where it cannot be another file: a content that went once and came once.
    going, coming = Counter(gone.values()), Counter(new.values())
    old_names = {digest: label for label, digest in gone.items() if going[digest] == coming[digest] == 1}
    renamed = {label: old_names[digest] for label, digest in new.items() if digest in old_names}
    moved = set(renamed.values())
    return Changes(
        tuple(label for label in new if label not in renamed),
        tuple(label for label, digest in after.items() if before.get(label, digest) != digest),
        tuple(label for label in gone if label not in moved),
        tuple((old, label) for label, old in renamed.items()),
    )


def _digests(content: Content) -> dict[bytes, bytes]:
    """SHA-256 of every file by label."""
    found = {}
    for entries, records in content.batches():
        for entry, record in zip(entries, records, strict=True):
            if entry.kind == "file":
                start = record.index(_FIELD) + len(_FIELD)
                found[entry.label] = bytes.fromhex(record[start : start + 64].decode("ascii"))
    return found


def _find_previous(path: Path, content: Content) -> Path | None:
    """The seal of the version before: where it was, or beside this one; only if it is that deposit's."""
    if content.previous is None:
        return None
    named = Path(content.previous.path)
    for candidate in (named, path.parent / named.name):
        try:
            with Seal(candidate) as seal:
                deposit = seal.state.deposit
        except CommandError:
            continue
        if deposit is not None and deposit.id == content.previous.envelope_sha256:
            return candidate
    return None
