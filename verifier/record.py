"""Records: one secret thing each (formats §1). A record's canonical JSON is the data of one manifest leaf.

Every record carries its kind, its salt and a label that is unique within its kind. The salt, derived
from a key that never leaves the seal, is what keeps a closed record from being guessed.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .canonical import (
    dump,
    from_base64,
    from_hex,
    parse,
    parse_instant,
    require_fields,
    to_base64,
)
from .errors import FormatError, LimitError, NonCanonicalError

# Paths are at most 4,096 bytes on Linux; a secret point's prose may take some pages.
MAX_RECORD_BYTES = 64 * 1024
MANIFEST_KEY_BYTES = 32

SALT_CONTEXT = b"mizheng/salt/v1\n"

# The seven of 法释〔2020〕7号 Art. 6, in its order.
MEASURE_TYPES = ("agreement", "rules", "premises", "marking", "systems", "departure", "other")
# 法释〔2021〕12号 Art. 18: notarization, third-party witness, corroborating data; "none" is said explicitly.
CORROBORATION_TYPES = ("notarization", "witness", "corroboration", "none")
# What a supplement adds; whether it is so is the depositor's word.
SUPPLEMENT_TYPES = ("project", "notarization", "witness", "other")
# What came of a check, and the word for it: what was looked for was there, was not, was not looked for.
OBSERVATION_STATES = {"observed": "PASS", "not_observed": "FAIL", "not_checked": "NOT_CHECKED"}

_PATH_KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "file": ({"size": int, "sha256": str, "sm3": str}, {"modified_at": str}),
    "link": ({}, {"target": str, "target_bytes": str}),
    "unreadable": ({"reason": str}, {}),
}
_NUMBER_KINDS: dict[str, dict[str, Any]] = {
    "point": {"title": str, "statement": str, "distinction": str, "level": str, "term": str},
    "locator": {"point": int, "path": str, "where": str},
    "measure": {"type": str, "scope": str, "effective_from": str, "proof_sha256": (str, type(None))},
    "carrier": {"type": str, "serial": str, "place": str, "custodian": str},
    "source": {"who": str, "system": str, "how": str},
    "corroboration": {"type": str, "detail": str, "sha256": (str, type(None))},
    "supplement": {"matter": str, "type": str, "title": str, "envelope_sha256": str},
}
_SINGLE_KINDS: dict[str, dict[str, Any]] = {
    "environment": {"observations": list},
    "authority": {"sha256": str},
    "previous": {"envelope_sha256": str},
}
NUMBER_KINDS = tuple(_NUMBER_KINDS)
KINDS = (*_PATH_KINDS, *_NUMBER_KINDS, *_SINGLE_KINDS)


@dataclass(frozen=True, slots=True)
class Record:
    """A parsed record; `fields` is the whole object."""

    kind: str
    label: bytes
    """What is unique within the kind: path bytes, decimal number, or empty."""
    fields: Mapping[str, Any]
    is_known: bool
    """False for a kind of a later version: its inclusion can be checked, its content cannot."""

    @property
    def name(self) -> str:
        """How a person calls this record."""
        if self.kind in _PATH_KINDS:
            return self.label.decode("utf-8", "backslashreplace")
        return f"{self.kind} {self.label.decode('ascii', 'replace')}".strip()


def compute_salt(manifest_key: bytes, kind: str, label: bytes) -> str:
    """HMAC-SHA-256(manifest_key, context || kind || 0x00 || label), in hex."""
    if len(manifest_key) != MANIFEST_KEY_BYTES:
        raise ValueError("a manifest key has 32 bytes")
    message = SALT_CONTEXT + kind.encode() + b"\x00" + label
    return hmac.digest(manifest_key, message, "sha256").hex()


def path_fields(path: bytes) -> dict[str, str]:
    """`path` for UTF-8 bytes, `path_bytes` (Base64) otherwise; exactly one of them."""
    try:
        return {"path": path.decode("utf-8")}
    except UnicodeDecodeError:
        return {"path_bytes": to_base64(path)}


def build_record(manifest_key: bytes, kind: str, label: bytes, fields: Mapping[str, Any]) -> bytes:
    """Canonical bytes of a record of a known kind; `fields` without kind, salt and label.

    `label` is the path's bytes for path kinds, the decimal number for numbered ones, else empty.
    """
    if kind in _PATH_KINDS:
        own: dict[str, Any] = dict(path_fields(label))
    elif kind in _NUMBER_KINDS:
        own = {"number": int(label)}
    else:
        own = {}
    value = {**fields, **own, "kind": kind, "salt": compute_salt(manifest_key, kind, label)}
    data = dump(value)
    parse_record(data)
    return data


def parse_record(data: bytes) -> Record:
    """Read a record's canonical bytes; FormatError when malformed. Unknown kinds are returned as such."""
    if len(data) > MAX_RECORD_BYTES:
        raise LimitError("a record of {size} bytes", size=len(data))
    value = parse(data)
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        raise FormatError("a record without a kind")
    from_hex(value.get("salt"), 32)
    kind = value["kind"]
    if kind not in KINDS:
        return Record(kind, b"", value, is_known=False)
    common = {"kind": str, "salt": str}
    if kind in _PATH_KINDS:
        required, optional = _PATH_KINDS[kind]
        require_fields(value, {**common, **required}, {**optional, "path": str, "path_bytes": str})
        label = _path_label(value)
    elif kind in _NUMBER_KINDS:
        require_fields(value, {**common, **_NUMBER_KINDS[kind], "number": int})
        label = _number_label(value["number"])
    else:
        require_fields(value, {**common, **_SINGLE_KINDS[kind]})
        label = b""
    if kind in _CONTENT_CHECKS:
        _CONTENT_CHECKS[kind](value)
    return Record(kind, label, value, is_known=True)


def _path_label(value: Mapping[str, Any]) -> bytes:
    if ("path" in value) == ("path_bytes" in value):
        raise FormatError("a record needs exactly one of path and path_bytes")
    if "path" in value:
        label = str(value["path"]).encode("utf-8")
    else:
        label = from_base64(value["path_bytes"])
        if path_fields(label).keys() == {"path"}:
            raise NonCanonicalError("a path that is UTF-8 is written as path")
    parts = label.split(b"/")
    if b"\x00" in label or any(part in (b"", b".", b"..") for part in parts):
        raise FormatError("a path that is not relative, or has empty, . or .. parts")
    return label


def _number_label(number: int) -> bytes:
    if number < 1:
        raise FormatError("record numbers start at 1")
    return str(number).encode()


def _check_file(value: Mapping[str, Any]) -> None:
    if value["size"] < 0:
        raise FormatError("a negative size")
    from_hex(value["sha256"], 32)
    from_hex(value["sm3"], 32)
    if "modified_at" in value:
        parse_instant(value["modified_at"])


def _check_link(value: Mapping[str, Any]) -> None:
    if ("target" in value) == ("target_bytes" in value):
        raise FormatError("a link needs exactly one of target and target_bytes")
    if "target_bytes" in value:
        from_base64(value["target_bytes"])


def _check_measure(value: Mapping[str, Any]) -> None:
    _one_of(value["type"], MEASURE_TYPES)
    _optional_digest(value["proof_sha256"])


def _check_corroboration(value: Mapping[str, Any]) -> None:
    _one_of(value["type"], CORROBORATION_TYPES)
    _optional_digest(value["sha256"])


def _check_environment(value: Mapping[str, Any]) -> None:
    seen: set[str] = set()
    for item in value["observations"]:
        require_fields(item, {"check": str, "state": str, "value": (str, type(None)), "how": str})
        _one_of(item["state"], OBSERVATION_STATES)
        if item["check"] in seen:
            raise FormatError("an environment record that names one check twice")
        seen.add(item["check"])


def _one_of(value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise FormatError("a value that is not one of: {allowed}", allowed=", ".join(allowed))


def _optional_digest(value: str | None) -> None:
    if value is not None:
        from_hex(value, 32)


def _check_authority(value: Mapping[str, Any]) -> None:
    from_hex(value["sha256"], 32)


def _check_supplement(value: Mapping[str, Any]) -> None:
    _one_of(value["type"], SUPPLEMENT_TYPES)
    from_hex(value["envelope_sha256"], 32)


def _check_previous(value: Mapping[str, Any]) -> None:
    from_hex(value["envelope_sha256"], 32)


_CONTENT_CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "file": _check_file,
    "link": _check_link,
    "measure": _check_measure,
    "corroboration": _check_corroboration,
    "supplement": _check_supplement,
    "environment": _check_environment,
    "authority": _check_authority,
    "previous": _check_previous,
}
