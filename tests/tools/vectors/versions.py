"""Documents of versions to come, and of versions that never were."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mizheng.verifier import dsse
from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE
from mizheng.verifier.canonical import dump
from mizheng.verifier.enrolment import ENROLMENT_PAYLOAD_TYPE, KEY_STATUS_PAYLOAD_TYPE
from mizheng.verifier.observation import PAYLOAD_TYPE as OBSERVATION_PAYLOAD_TYPE
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE

from .case import Bundle, Case, Cases
from .setting import (
    ANCHOR,
    BEACON,
    DOCUMENT,
    ENROLMENT,
    STATEMENT,
    STATUS,
    Members,
    Setting,
    ordered,
)

_OBSERVATION = "observations/0001.dsse.json"


def cases() -> list[Case]:
    return _versions()


def value_of(s: Setting, name: str) -> dict[str, Any]:
    kind = _SIGNED.get(name)
    data = base_of(s, name)[name]
    found: dict[str, Any] = json.loads(dsse.parse(data, kind[0]).payload if kind else data)
    return found


_SIGNED: dict[str, tuple[str, Callable[[Setting], PrivateKey]]] = {
    DOCUMENT: (BUNDLE_PAYLOAD_TYPE, lambda s: s.acme.key),
    STATEMENT: (STATEMENT_PAYLOAD_TYPE, lambda s: s.acme.key),
    ENROLMENT: (ENROLMENT_PAYLOAD_TYPE, lambda s: s.world.issuer),
    STATUS: (KEY_STATUS_PAYLOAD_TYPE, lambda s: s.world.issuer),
    _OBSERVATION: (OBSERVATION_PAYLOAD_TYPE, lambda s: s.world.observers[0]),
}
_CODES = {
    DOCUMENT: "bundle.signature",
    STATEMENT: "envelope.signature",
    ENROLMENT: "depositor.enrolment",
    STATUS: "depositor.key-status",
    _OBSERVATION: "observation.signature",
    ANCHOR: "anchor.header",
    BEACON: "beacon.block",
}


def put(s: Setting, name: str, value: dict[str, Any], payload_type: str | None = None) -> Members:
    """The base bundle with this document in its place, signed by whoever signs such."""
    data = dump(value)
    if name in _SIGNED:
        kind, key = _SIGNED[name]
        data = dsse.sign(data, payload_type or kind, key(s))
    return {**base_of(s, name), name: data}


def base_of(s: Setting, name: str) -> Members:
    return s.base if name in (ANCHOR, _OBSERVATION) else s.small


def versioned(name: str, version: str) -> Callable[[Setting], Bundle]:
    def build(s: Setting) -> Members:
        value = value_of(s, name)
        return put(s, name, {**value, "type": value["type"].replace("v1", version)})

    return build


def _versions() -> list[Case]:
    found = Cases("version")
    for name, code in _CODES.items():
        short = name.partition("/")[0].partition(".")[0]
        found.stays_open(f"{short}-later", f"{name} of a version to come", code, versioned(name, "v2"))
        found.fails(
            f"{short}-v0",
            f"{name} of a version that never was: no way back to older rules",
            code,
            versioned(name, "v0"),
        )
    for name, (kind, _) in _SIGNED.items():
        short = name.partition("/")[0].partition(".")[0]
        later = kind.replace(".v1+", ".v2+")
        found.stays_open(
            f"{short}-later-envelope",
            f"{name} in an envelope of a version to come",
            _CODES[name],
            lambda s, name=name, later=later: put(s, name, value_of(s, name), later),
        )
    for name in (STATUS, ENROLMENT):
        short = name.partition(".")[0]
        found.fails(
            f"{short}-for-another-purpose",
            f"{name} signed under another document's payload type",
            _CODES[name],
            lambda s, name=name: put(
                s, name, value_of(s, name), "application/vnd.mizheng.revocation.v1+json"
            ),
        )
    found.stays_open(
        "later-anchor-beside",
        "an anchor of a version to come beside one of today's",
        "anchor.header",
        later_anchor_beside,
    )
    found.stays_open(
        "later-bundle-with-new-names",
        "a bundle of a version to come, with a member of a new name",
        "bundle.structure",
        later_bundle,
    )
    found.fails(
        "new-name-in-this-version",
        "a member of a new name in a bundle of this version",
        "bundle.structure",
        lambda s: {**s.small, "light-client/0001.json": b"{}"},
    )
    found.stays_open("later-kind-of-chain", "a kind of chain to come", "anchor.header", later_chain)
    return found.all


def later_anchor_beside(s: Setting) -> Members:
    value = value_of(s, ANCHOR)
    return ordered({**s.base, "anchors/0002.json": dump({**value, "type": "mizheng/anchor/v2"})})


def later_bundle(s: Setting) -> Members:
    later = BUNDLE_PAYLOAD_TYPE.replace(".v1+", ".v2+")
    document = dsse.sign(b"of a form that is not known today", later, s.acme.key)
    return {**s.small, DOCUMENT: document, "light-client/0001.json": b"{}"}


def later_chain(s: Setting) -> Members:
    value = value_of(s, ANCHOR)
    return put(s, ANCHOR, {**value, "chain": {**value["chain"], "kind": "rollup"}})
