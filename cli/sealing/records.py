"""Records of what the walk found, written quickly: one line of canonical JSON each.

`build_record` of the verifier writes, parses and compares every record, which is right for the few
that people write by hand and too slow for a million files. For the three path kinds the canonical
form is a fixed template; a test holds that both write the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from json.encoder import encode_basestring

from mizheng.cli.errors import DataFault
from mizheng.cli.sealing.hashing import Digests
from mizheng.verifier.canonical import format_instant, to_base64
from mizheng.verifier.keyed import KeyedHash
from mizheng.verifier.record import MAX_RECORD_BYTES, SALT_CONTEXT

PATH_KINDS = frozenset({"file", "link", "unreadable"})

# Instants are written with four digits of the year; a file dated outside has no time to claim.
_LAST_INSTANT = 253_402_300_799
_TWO_DIGITS = [f"{number:02}" for number in range(60)]


class RecordWriter:
    """Writes the records of one manifest."""

    def __init__(self, manifest_key: bytes) -> None:
        self._salts = {
            kind: KeyedHash(manifest_key, SALT_CONTEXT + kind.encode() + b"\0") for kind in PATH_KINDS
        }
        self._file_salt = self._salts["file"].digest

    def file(self, label: bytes, digests: Digests) -> bytes:
        seconds = digests.modified
        modified = f'"modified_at":"{_instant(seconds)}",' if 0 <= seconds <= _LAST_INSTANT else ""
        text = (
            f'{{"kind":"file",{modified}{_path(label)},"salt":"{self._file_salt(label).hex()}",'
            f'"sha256":"{digests.sha256}","size":{digests.size},"sm3":"{digests.sm3}"}}'
        )
        return _checked(text)

    def renew(self, label: bytes, record: bytes) -> bytes:
        """The record of a file that has not changed, as an earlier seal had it, under this seal's salt."""
        # Canonical JSON: the quotes of this cannot stand inside a string, where each has a backslash.
        start = record.index(b',"salt":"') + 9
        return record[:start] + self._file_salt(label).hex().encode() + record[start + 64 :]

    def link(self, label: bytes, target: bytes) -> bytes:
        try:
            where = f'"target":{encode_basestring(target.decode("utf-8"))}'
        except UnicodeDecodeError:
            where = f'"target_bytes":"{to_base64(target)}"'
        salt = self._salts["link"].digest(label).hex()
        return _checked(f'{{"kind":"link",{_path(label)},"salt":"{salt}",{where}}}')

    def unreadable(self, label: bytes, reason: str) -> bytes:
        salt = self._salts["unreadable"].digest(label).hex()
        return _checked(
            f'{{"kind":"unreadable",{_path(label)},"reason":{encode_basestring(reason)},"salt":"{salt}"}}'
        )


def _instant(seconds: int) -> str:
    """`format_instant`, with the days remembered: files come in thousands from a few of them."""
    days, rest = divmod(seconds, 86_400)
    minutes, second = divmod(rest, 60)
    return f"{_day(days)}{_TWO_DIGITS[minutes // 60]}:{_TWO_DIGITS[minutes % 60]}:{_TWO_DIGITS[second]}Z"


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return format_instant(days * 86_400)[:11]


def _path(label: bytes) -> str:
    try:
        return f'"path":{encode_basestring(label.decode("utf-8"))}'
    except UnicodeDecodeError:
        return f'"path_bytes":"{to_base64(label)}"'


def _checked(text: str) -> bytes:
    data = text.encode("utf-8")
    if len(data) > MAX_RECORD_BYTES:
        raise DataFault("a path or link longer than a record can hold", "rename it or leave it out")
    return data
