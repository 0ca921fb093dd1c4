"""Records that are another deposit's or malformed, and files that are not theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier.canonical import dump
from mizheng.verifier.digests import compute_digests
from mizheng.verifier.record import build_record, compute_salt

from tests.verifier.attacks.scene import OPENED, relist

from .case import Bundle, Case, Cases
from .lists import left_out, with_record
from .setting import ORIGINAL, RECORD, Members, Setting, ordered
from .sound import own_manifest


def cases() -> list[Case]:
    return [*_records(), *_contents(), *_originals()]


def _records() -> list[Case]:
    found = Cases("record")
    for which, whose in (
        ("second", "the company's other deposit in the same tree"),
        ("other", "another company's deposit in the same tree"),
        ("later", "the company's deposit in a later tree"),
        ("abroad", "the company's deposit at another notary"),
    ):
        found.fails(
            f"of-{which}",
            f"a record of {whose}",
            "record.inclusion",
            lambda s, which=which: with_record(s, getattr(s.scene, which).open(OPENED[0])),
        )
    found.fails(
        "copied-commitment",
        "a commitment copied by another company: it is bound to the key of the one who made it",
        "record.inclusion",
        copied_commitment,
    )
    found.fails(
        "two-of-one-name",
        "two different records of one name in one manifest",
        "record.content",
        two_of_one_name,
    )
    found.stays_open("none", "a bundle that opens nothing proves no content", (), nothing_opened)
    return found.all


def copied_commitment(s: Setting) -> Members:
    log, victim = s.log(), s.scene.first
    stolen = victim.statement.commitment
    deposit = s.deposit(log, s.scene.rival, change=lambda it: replace(it, commitment=stolen))
    return s.stamped(log, replace(deposit, records=victim.records, manifest=victim.manifest), originals={})


def two_of_one_name(s: Setting) -> Members:
    key = s.stream.take(32)
    both = {name: file_record(key, name.encode()) for name in ("old", "new")}
    return s.stamped(*own_manifest(s, key, both), opened=tuple(both))


def file_record(key: bytes, content: bytes) -> bytes:
    found = compute_digests([content])
    fields = {"size": found.size, "sha256": found.sha256, "sm3": found.sm3}
    return build_record(key, "file", b"a.txt", fields)


def nothing_opened(s: Setting) -> Members:
    return relist(left_out(s, RECORD, ORIGINAL), s.acme)


def _digests() -> dict[str, Any]:
    found = compute_digests([b"content"])
    return {"size": found.size, "sha256": found.sha256, "sm3": found.sm3}


_FILE = {"kind": "file", **_digests(), "path": "a"}
_SEEN = {"check": "a", "state": "observed", "value": None, "how": ""}
_CARRIER = {"kind": "carrier", "number": 1, "type": "t", "serial": "s", "place": "p", "custodian": "c"}
_SUPPLEMENT = {
    "kind": "supplement",
    "number": 1,
    "matter": "m",
    "type": "witness",
    "title": "t",
    "envelope_sha256": "00" * 32,
}
_MEASURE = {"kind": "measure", "number": 1, "scope": "", "effective_from": "", "proof_sha256": None}


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


# What a depositor may have committed to, though no honest software would have let him.
_CONTENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "path-parent": ("a path that leads out of its folder", {**_FILE, "path": "../a"}),
    "path-absolute": ("an absolute path", {**_FILE, "path": "/etc/passwd"}),
    "path-dot": ("a path with a dot for a part", {**_FILE, "path": "a/./b"}),
    "path-empty": ("an empty path", {**_FILE, "path": ""}),
    "path-zero-byte": ("a path with a zero byte", {**_FILE, "path": "a\0b"}),
    "path-and-bytes": ("a path said twice", {**_FILE, "path_bytes": "YQ=="}),
    "path-bytes-of-utf8": (
        "a path in bytes that is good UTF-8",
        {**_without(_FILE, "path"), "path_bytes": "YQ=="},
    ),
    "no-path": ("a file without a path", _without(_FILE, "path")),
    "negative-size": ("a negative size", {**_FILE, "size": -1}),
    "digest-cut": ("a digest cut short", {**_FILE, "sha256": "00" * 31}),
    "no-sm3": ("a file without its SM3", _without(_FILE, "sm3")),
    "unknown-field": ("a field that the kind does not have", {**_FILE, "owner": "x"}),
    "number-zero": ("a record numbered 0", {**_CARRIER, "number": 0}),
    "measure-type": ("a measure of none of the seven types", {**_MEASURE, "type": "magic"}),
    "supplement-type": (
        "a supplement of no known type",
        {**_SUPPLEMENT, "type": "rumour"},
    ),
    "supplement-names-nothing": (
        "a supplement whose digest of the deposit is cut short",
        {**_SUPPLEMENT, "envelope_sha256": "00" * 31},
    ),
    "state": (
        "an observation of the machine in no known state",
        {"kind": "environment", "observations": [{**_SEEN, "state": "fine"}]},
    ),
    "state-twice": (
        "one observation of the machine twice",
        {"kind": "environment", "observations": [_SEEN, _SEEN]},
    ),
    "no-kind": ("a record without a kind", {"number": 1}),
}


def _contents() -> list[Case]:
    found = Cases("record-content")
    for name, (why, fields) in _CONTENTS.items():
        found.fails(
            name,
            f"a record that belongs to the commitment and is malformed: {why}",
            "record.content",
            lambda s, fields=fields: committed(s, dump({**fields, "salt": "11" * 32})),
        )
    salt = compute_salt(bytes(32), "point", b"1")
    found.fails(
        "not-canonical",
        "a record that belongs to the commitment, with white space",
        "record.content",
        lambda s: committed(s, b'{"kind": "point", "salt": "' + salt.encode() + b'"}'),
    )
    return found.all


def committed(s: Setting, record: bytes) -> Members:
    """A record that was committed to; what writes bundles would not write this one."""
    log, deposit = own_manifest(s, s.stream.take(32), {"it": record})
    members = s.stamped(log, deposit, opened=())
    return relist(ordered({**members, RECORD: deposit.open("it").dump()}), s.acme)


def _originals() -> list[Case]:
    found = Cases("original", failing=("original.match",))

    def put(name: str, why: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, "original.match", build)

    put(
        "same-size",
        "another file of the same size: this file is not the one",
        lambda s: with_original(s, b"formule"),
    )
    put("longer", "another file, longer", lambda s: with_original(s, b"formula2"))
    put("empty", "an empty file in its place", lambda s: with_original(s, b""))
    put(
        "without-record",
        "an original whose record is not opened",
        lambda s: relist(ordered({**s.small, "originals/0002": b"formula"}), s.acme),
    )
    put("exchanged", "two originals in each other's place", exchanged)
    put("wrong-sm3", "a record with the file's SHA-256 and another SM3", wrong_sm3)
    return found.all


def with_original(s: Setting, content: bytes) -> Members:
    return relist({**s.small, ORIGINAL: content}, s.acme)


def exchanged(s: Setting) -> Members:
    members = s.write(s.scene.first, s.base_evidence(anchors=[], observations=()), OPENED)
    one, two = members[ORIGINAL], members["originals/0002"]
    return relist({**members, ORIGINAL: two, "originals/0002": one}, s.acme)


def wrong_sm3(s: Setting) -> Members:
    key = s.stream.take(32)
    found = compute_digests([b"formula"])
    fields = {"size": found.size, "sha256": found.sha256, "sm3": "00" * 32}
    record = build_record(key, "file", b"a.txt", fields)
    log, deposit = own_manifest(s, key, {"it": record})
    members = s.stamped(log, deposit, opened=("it",))
    return relist(ordered({**members, ORIGINAL: b"formula"}), s.acme)
