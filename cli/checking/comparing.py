"""Which of somebody's files are byte-identical to what a bundle opens, and nothing else about either side.

Only files of the very size of an opened record are read at all. In *blind* form the digests of those files
leave the suspect's machine under the salts of the opened records, without names: whoever compares learns
which opened files are there, and of every other file nothing but that it is there.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizheng.cli.errors import DataFault
from mizheng.cli.sealing.hashing import UnreadableError, digest_file
from mizheng.cli.sealing.walking import walk
from mizheng.verifier.bundle import Bundle
from mizheng.verifier.canonical import dump, from_hex, parse, require_fields
from mizheng.verifier.errors import FormatError, MizhengError
from mizheng.verifier.manifest import parse_opened_record
from mizheng.verifier.record import MAX_RECORD_BYTES, Record, parse_record

COMPARISON_TYPE = "mizheng/comparison/v1"
MAX_BLIND_BYTES = 256 << 20
_CONTEXT = b"mizheng/compare/v1\n"


@dataclass(frozen=True, slots=True)
class Match:
    """An opened record and a file of the other side with the same bytes."""

    member: str
    record: str
    size: int
    sha256: str
    sm3: str
    path: bytes | None
    """None when the other side's names are not known."""


@dataclass(slots=True)
class Comparison:
    """What came of it."""

    opened: int
    """Opened file records."""
    files: int = 0
    """Files of the other side, whatever their size."""
    read: int = 0
    """Those that had the size of an opened record, and were read."""
    unreadable: int = 0
    matches: list[Match] = field(default_factory=list)


class OpenedFiles:
    """The file records that a bundle opens."""

    def __init__(self, bundle: Path) -> None:
        """DataFault when the bundle cannot be read; whether it is valid is another question."""
        self._records: dict[str, Record] = {}
        try:
            with Bundle(bundle) as opened:
                for name in opened.group("records"):
                    item = parse_opened_record(opened.read(name, 2 * MAX_RECORD_BYTES))
                    record = parse_record(item.record)
                    if record.kind == "file":
                        self._records[name] = record
        except MizhengError as error:
            raise DataFault("{name} is not a bundle that can be read", name=str(bundle)) from error
        self._sizes = {record.fields["size"] for record in self._records.values()}

    @property
    def records(self) -> Mapping[str, Record]:
        """By member of the bundle."""
        return self._records

    def __len__(self) -> int:
        return len(self._records)

    def compare(self, paths: Iterable[bytes]) -> Comparison:
        """Look through files and folders of the other side."""
        result = Comparison(len(self))
        for path, digests in self._candidates(paths, result):
            for member, record in self._records.items():
                fields = record.fields
                if digests == (fields["size"], fields["sha256"], fields["sm3"]):
                    result.matches.append(_match(member, record, path))
        result.matches.sort(key=lambda match: (match.member, match.path or b""))
        return result

    def blind(self, paths: Iterable[bytes]) -> bytes:
        """The other side's digests under the opened salts, to be compared elsewhere: canonical JSON."""
        result = Comparison(len(self))
        found: dict[str, list[str]] = {member: [] for member in self._records}
        for _path, digests in self._candidates(paths, result):
            for member, record in self._records.items():
                if record.fields["size"] == digests[0]:
                    found[member].append(_salted(record, *digests))
        # Sorted: the order of the walk would tell something of the names.
        digests_of = {member: sorted(values) for member, values in found.items()}
        return dump(
            {"type": COMPARISON_TYPE, "digests": digests_of, "files": result.files, "read": result.read}
        )

    def compare_blind(self, data: bytes) -> Comparison:
        """Compare what `blind` made; DataFault when it is damaged or was made with another bundle."""
        try:
            fields = require_fields(
                parse(data, max_bytes=MAX_BLIND_BYTES),
                {"type": str, "digests": dict, "files": int, "read": int},
            )
            digests: Mapping[str, Any] = fields["digests"]
            if fields["type"] != COMPARISON_TYPE or digests.keys() != self._records.keys():
                raise FormatError("made with another bundle")
            for values in digests.values():
                for value in values:
                    from_hex(value, 32)
        except (FormatError, TypeError) as error:
            raise DataFault(
                "these blind digests were not made with this bundle, or are damaged",
                "make them again: mizheng compare BUNDLE FILES --blind OUT",
            ) from error
        result = Comparison(len(self), fields["files"], fields["read"])
        for member, record in self._records.items():
            own = record.fields
            if _salted(record, own["size"], own["sha256"], own["sm3"]) in digests[member]:
                result.matches.append(_match(member, record, None))
        return result

    def _candidates(
        self, paths: Iterable[bytes], result: Comparison
    ) -> Iterator[tuple[bytes, tuple[int, str, str]]]:
        for found in walk(paths):
            result.unreadable += found.kind == "unreadable"
            if found.kind != "file":
                continue
            result.files += 1
            if found.size not in self._sizes:
                continue
            try:
                digests = digest_file(found.path)
            except UnreadableError:
                result.unreadable += 1
                continue
            result.read += 1
            yield found.label, (digests.size, digests.sha256, digests.sm3)


def _match(member: str, record: Record, path: bytes | None) -> Match:
    fields = record.fields
    return Match(member, record.name, fields["size"], fields["sha256"], fields["sm3"], path)


def _salted(record: Record, size: int, sha256: str, sm3: str) -> str:
    """HMAC-SHA-256(salt, "mizheng/compare/v1\\n" || u64be(size) || SHA-256 || SM3), in hex."""
    message = _CONTEXT + size.to_bytes(8, "big") + bytes.fromhex(sha256) + bytes.fromhex(sm3)
    return hmac.digest(bytes.fromhex(record.fields["salt"]), message, "sha256").hex()
