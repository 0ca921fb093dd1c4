"""Records: one secret thing each, under a label that is unique within its kind."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mizheng.verifier.canonical import dump, to_base64
from mizheng.verifier.errors import FormatError, LimitError, NonCanonicalError
from mizheng.verifier.record import (
    KINDS,
    MAX_RECORD_BYTES,
    build_record,
    compute_salt,
    parse_record,
    path_fields,
)

KEY = bytes(range(32))
DIGEST = "ab" * 32
FILE = {"size": 1, "sha256": DIGEST, "sm3": DIGEST}
# One honest record of every kind: label, other fields.
MEASURE = {"type": "agreement", "scope": "all", "effective_from": "2020-01-01", "proof_sha256": None}
SEEN = {"check": "os", "state": "observed", "value": "Linux", "how": "uname"}
HONEST: dict[str, tuple[bytes, dict[str, Any]]] = {
    "file": ("图纸/发动机.dwg".encode(), {**FILE, "modified_at": "2026-11-23T02:00:00Z"}),
    "link": (b"a/b", {"target": "../c"}),
    "unreadable": (b"a", {"reason": "permission denied"}),
    "point": (b"1", {"title": "t", "statement": "s", "distinction": "d", "level": "l", "term": "5 years"}),
    "locator": (b"1", {"point": 1, "path": "a", "where": "page 3"}),
    "measure": (b"2", MEASURE),
    "carrier": (b"3", {"type": "disk", "serial": "1", "place": "safe", "custodian": "legal"}),
    "source": (b"4", {"who": "w", "system": "s", "how": "h"}),
    "corroboration": (b"5", {"type": "none", "detail": "", "sha256": None}),
    "supplement": (b"6", {"matter": "m", "type": "witness", "title": "t", "envelope_sha256": DIGEST}),
    "environment": (b"", {"observations": [SEEN]}),
    "authority": (b"", {"sha256": DIGEST}),
    "previous": (b"", {"envelope_sha256": DIGEST}),
}


def record(kind: str, **changes: Any) -> dict[str, Any]:
    """The fields of an honest record, some changed; None for left out is spelled `...`."""
    label, fields = HONEST[kind]
    own: dict[str, Any] = {}
    if kind in ("file", "link", "unreadable"):
        own = dict(path_fields(label))
    elif label:
        own = {"number": int(label)}
    value = {**fields, **own, "kind": kind, "salt": DIGEST, **changes}
    return {key: item for key, item in value.items() if item is not ...}


def refuse(value: dict[str, Any], error: type[FormatError] = FormatError) -> None:
    with pytest.raises(error):
        parse_record(dump(value))


def test_every_kind_is_tried() -> None:
    assert set(HONEST) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_is_read_back(kind: str) -> None:
    label, fields = HONEST[kind]
    found = parse_record(build_record(KEY, kind, label, fields))
    assert (found.kind, found.label, found.is_known) == (kind, label, True)
    assert found.fields["salt"] == compute_salt(KEY, kind, label)
    assert fields.items() <= dict(found.fields).items()


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_may_be_missing_unknown_or_of_another_type(kind: str) -> None:
    honest = record(kind)
    parse_record(dump(honest))
    refuse({**honest, "unknown": 1})
    for name in honest:
        if name != "modified_at":
            refuse({key: item for key, item in honest.items() if key != name})
        for wrong in ([], {}, True):
            if name != "kind" and type(wrong) is not type(honest[name]):
                refuse({**honest, name: wrong})


def test_the_salt_is_that_of_the_specification() -> None:
    message = b"mizheng/salt/v1\nfile\x00" + "配方.txt".encode()
    expected = hmac.new(KEY, message, hashlib.sha256).hexdigest()
    assert compute_salt(KEY, "file", "配方.txt".encode()) == expected


def test_a_salt_depends_on_key_kind_and_label() -> None:
    salts = {
        compute_salt(key, kind, label)
        for key in (KEY, bytes(32))
        for kind in ("file", "link")
        for label in (b"", b"a", b"b")
    }
    assert len(salts) == 12
    for length in (0, 16, 31, 33):
        with pytest.raises(ValueError):
            compute_salt(bytes(length), "file", b"a")


@pytest.mark.parametrize("salt", ["", "ab", DIGEST.upper(), DIGEST + "00", None, 1, ...])
def test_a_salt_has_32_bytes_whatever_the_kind(salt: Any) -> None:
    refuse(record("file", salt=salt))
    refuse({key: item for key, item in {"kind": "new", "salt": salt}.items() if item is not ...})


# Paths


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/../b", "a/./b", "a\0b", "\0"],
)
def test_a_path_is_relative_and_plain(path: str) -> None:
    refuse(record("file", path=path))
    with pytest.raises(FormatError):
        build_record(KEY, "file", path.encode(), FILE)


@pytest.mark.parametrize(
    "path",
    ["a", "...", "..a", " ", "a b", "-rf", "~", "C:\\x", "a\nb", "密\u202etxt.exe", "\u00e9", "e\u0301"],
)
def test_names_that_are_odd_but_real(path: str) -> None:
    assert parse_record(build_record(KEY, "file", path.encode(), FILE)).label == path.encode()


def test_names_are_never_normalized() -> None:
    """Two spellings of é are two names on disk, two labels and two salts."""
    one, two = (build_record(KEY, "file", path.encode(), FILE) for path in ("\u00e9", "e\u0301"))
    assert parse_record(one).label != parse_record(two).label
    assert parse_record(one).fields["salt"] != parse_record(two).fields["salt"]


@pytest.mark.parametrize("path", [b"\xff", b"a/\xfe\xff.txt", "密".encode("gbk")])
def test_a_name_that_is_not_utf_8(path: bytes) -> None:
    found = parse_record(build_record(KEY, "file", path, FILE))
    assert found.label == path
    assert "path" not in found.fields
    assert found.name.isprintable()


def test_one_name_has_one_spelling() -> None:
    refuse(record("file", path=..., path_bytes=to_base64(b"a")), NonCanonicalError)
    refuse(record("file", path_bytes=to_base64(b"\xff")))
    refuse(record("file", path=...))
    for path in (b"\xff/..", b"/\xff", b"\xff\0", b""):
        refuse(record("file", path=..., path_bytes=to_base64(path)))


def test_a_link_has_one_target() -> None:
    refuse(record("link", target=...))
    refuse(record("link", target_bytes=to_base64(b"\xff")))
    parse_record(dump(record("link", target=..., target_bytes=to_base64(b"\xff"))))
    refuse(record("link", target=..., target_bytes="not Base64"))


# Contents


@pytest.mark.parametrize(
    "changes",
    [
        {"size": -1},
        {"sha256": ""},
        {"sha256": DIGEST.upper()},
        {"sm3": DIGEST[:-2]},
        {"modified_at": "yesterday"},
        {"modified_at": None},
        {"target": "x"},
    ],
)
def test_a_file_that_is_none(changes: dict[str, Any]) -> None:
    refuse(record("file", **changes))


@pytest.mark.parametrize("kind", ["point", "locator", "measure", "carrier", "source", "corroboration"])
@pytest.mark.parametrize("number", [0, -1, "1", None, True])
def test_numbers_start_at_one(kind: str, number: Any) -> None:
    refuse(record(kind, number=number))


def test_words_are_those_of_the_list() -> None:
    refuse(record("measure", type="magic"))
    refuse(record("corroboration", type="rumour"))
    refuse(record("measure", proof_sha256="x"))
    refuse(record("corroboration", sha256=DIGEST[:-1]))
    refuse(record("authority", sha256=""))
    refuse(record("previous", envelope_sha256="x"))
    parse_record(dump(record("measure", proof_sha256=DIGEST)))


def observation(**changes: Any) -> dict[str, Any]:
    return {"check": "clock", "state": "not_checked", "value": None, "how": ""} | changes


@pytest.mark.parametrize(
    "observations",
    [
        [observation(), observation(state="observed")],
        [observation(state="fine")],
        [observation(extra=1)],
        [{}],
        [None],
        ["clock"],
        {},
    ],
)
def test_an_environment_says_each_thing_once(observations: Any) -> None:
    refuse(record("environment", observations=observations))
    parse_record(dump(record("environment", observations=[observation()])))


# Limits and later kinds


def test_a_kind_of_a_later_version_is_told_from_a_broken_one() -> None:
    found = parse_record(dump({"kind": "hologram", "salt": DIGEST, "anything": {"at": ["all"]}}))
    assert (found.kind, found.is_known) == ("hologram", False)
    for value in ({"salt": DIGEST}, {"kind": 1, "salt": DIGEST}, {"kind": None, "salt": DIGEST}):
        refuse(value)
    for data in (b"[]", b"null", b'"file"', b"", b"\xff"):
        with pytest.raises(FormatError):
            parse_record(data)


def test_limits_on_both_sides() -> None:
    room = MAX_RECORD_BYTES - len(dump(record("unreadable", reason="")))
    parse_record(dump(record("unreadable", reason="x" * room)))
    refuse(record("unreadable", reason="x" * (room + 1)), LimitError)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=12))
def test_any_name_is_recorded_as_it_is_or_refused(path: bytes) -> None:
    try:
        data = build_record(KEY, "file", path, FILE)
    except FormatError:
        parts = path.split(b"/")
        assert b"\0" in path or {b"", b".", b".."} & set(parts)
    else:
        assert parse_record(data).label == path


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_record(data)
