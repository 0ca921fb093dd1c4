"""Records of what the walk found, written quickly: one line of canonical JSON each.

`build_record` of the verifier writes, parses and compares every record, which is right for the few
that people write by hand and too slow for a million files. For the three path kinds the canonical
form is a fixed template; a test holds that both write the same bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from json.encoder import encode_basestring

from mizheng.cli.errors import DataFault
from mizheng.cli.sealing.hashing import Digests
from mizheng.verifier.canonical import format_instant, to_base64
from mizheng.verifier.keyed import KeyedHash
from mizheng.verifier.record import MAX_RECORD_BYTES, SALT_CONTEXT

PATH_KINDS = frozenset({"file", "link", "unreadable"})
FILE_SALT = SALT_CONTEXT + b"file\0"
"""What the message begins with whose HMAC under the manifest key is a file's salt."""

# Instants are written with four digits of the year; a file dated outside has no time to claim.
_LAST_INSTANT = 253_402_300_799
# What a JSON string cannot hold as it is; all else of UTF-8 stands for itself.
_is_special = re.compile(rb'[\x00-\x1f"\\]').search


class RecordWriter:
    """Writes the records of one manifest."""

    def __init__(self, manifest_key: bytes) -> None:
        self._salts = {
            kind: KeyedHash(manifest_key, SALT_CONTEXT + kind.encode() + b"\0") for kind in PATH_KINDS
        }
        self._file_salt = self._salts["file"].digest

    def file(self, label: bytes, digests: Digests) -> bytes:
        size, sha256, sm3, seconds, _stamp = digests
        rest = f'"salt":"{self._file_salt(label).hex()}","sha256":"{sha256}","size":{size},"sm3":"{sm3}"}}'
        return _checked(b'{"kind":"file",%b%b,%b' % (_modified(seconds), _path(label), rest.encode()))

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
        rest = f'"salt":"{self._salts["link"].digest(label).hex()}",{where}}}'
        return _checked(b'{"kind":"link",%b,%b' % (_path(label), rest.encode()))

    def unreadable(self, label: bytes, reason: str) -> bytes:
        salt = self._salts["unreadable"].digest(label).hex()
        rest = f'"reason":{encode_basestring(reason)},"salt":"{salt}"}}'
        return _checked(b'{"kind":"unreadable",%b,%b' % (_path(label), rest.encode()))


@lru_cache(maxsize=4096)
def _modified(seconds: int) -> bytes:
    """The field with its comma; nothing for a time that cannot be written. Files come many of one second."""
    if not 0 <= seconds <= _LAST_INSTANT:
        return b""
    return b'"modified_at":"%b",' % format_instant(seconds).encode()


def _path(label: bytes) -> bytes:
    try:
        text = label.decode("utf-8")
    except UnicodeDecodeError:
        return b'"path_bytes":"%b"' % to_base64(label).encode()
    if _is_special(label):
        return b'"path":%b' % encode_basestring(text).encode()
    return b'"path":"%b"' % label


def _checked(data: bytes) -> bytes:
    if len(data) > MAX_RECORD_BYTES:
        raise DataFault("a path or link longer than a record can hold", "rename it or leave it out")
    return data
