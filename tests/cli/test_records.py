"""The quick way to write records writes the very bytes of the careful one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.cli.errors import DataFault
from mizheng.cli.sealfile.labels import NO_STAMP
from mizheng.cli.sealing.hashing import Digests
from mizheng.cli.sealing.records import RecordWriter
from mizheng.verifier.canonical import format_instant, to_base64
from mizheng.verifier.record import build_record, parse_record

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
part = st.binary(min_size=1, max_size=40).filter(
    lambda data: b"/" not in data and b"\x00" not in data and data not in (b".", b"..")
) | st.text(min_size=1, max_size=40).filter(
    lambda text: "/" not in text and "\x00" not in text and text not in (".", "..")
).map(lambda text: text.encode("utf-8", "surrogatepass"))
label = st.lists(part, min_size=1, max_size=4).map(b"/".join)
digest = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(label, digest, digest, st.integers(0, 2**53 - 1), st.integers(-10, 300_000_000_000))
def test_files(name: bytes, sha256: str, sm3: str, size: int, modified: int) -> None:
    fields: dict[str, Any] = {"size": size, "sha256": sha256, "sm3": sm3}
    if 0 <= modified <= 253_402_300_799:
        fields["modified_at"] = format_instant(modified)
    line = RecordWriter(KEY).file(name, Digests(size, sha256, sm3, modified, NO_STAMP))
    assert line == build_record(KEY, "file", name, fields)
    assert parse_record(line).label == name
    assert b"\n" not in line
    # Another seal's record of the same: everything equal but the salt.
    assert RecordWriter(OTHER_KEY).renew(name, line) == build_record(OTHER_KEY, "file", name, fields)


@given(label, st.binary(min_size=1, max_size=60))
def test_links(name: bytes, target: bytes) -> None:
    try:
        fields = {"target": target.decode("utf-8")}
    except UnicodeDecodeError:
        fields = {"target_bytes": to_base64(target)}
    assert RecordWriter(KEY).link(name, target) == build_record(KEY, "link", name, fields)


@given(label, st.text(max_size=30).filter(lambda text: text.isprintable()))
def test_unreadable(name: bytes, reason: str) -> None:
    line = RecordWriter(KEY).unreadable(name, reason)
    assert line == build_record(KEY, "unreadable", name, {"reason": reason})


def test_a_name_longer_than_a_record_is_refused() -> None:
    with pytest.raises(DataFault, match="longer than a record can hold"):
        RecordWriter(KEY).unreadable(b"x/" * 40_000 + b"x", "a device")
