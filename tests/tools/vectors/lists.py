"""The depositor's list of members, and the places that records say they have in their tree."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace

from mizheng.verifier import dsse
from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE
from mizheng.verifier.manifest import OpenedRecord, parse_opened_record
from mizheng.verifier.merkle import leaf_hash

from tests.verifier.attacks.places import changed_proofs
from tests.verifier.attacks.scene import relist

from .case import Bundle, Case, Cases, slug
from .setting import DOCUMENT, ORIGINAL, RECORD, STATEMENT, Members, Setting, ordered


def cases() -> list[Case]:
    return [*_list(), *_places()]


def _list() -> list[Case]:
    found = Cases("list")

    def put(name: str, why: str, code: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, code, build)

    members = "bundle.members"
    put("readme-missing", "the README was taken out", members, lambda s: left_out(s, "README.txt"))
    put(
        "record-missing",
        "a record was taken out, and its original",
        members,
        lambda s: left_out(s, RECORD, ORIGINAL),
    )
    put(
        "readme-changed",
        "one byte of the README is another",
        members,
        lambda s: {**s.small, "README.txt": b"A test vector of Mizhenh.\n"},
    )
    put(
        "exhibits-not-listed",
        "a member of the depositor's that he did not list",
        members,
        lambda s: ordered({**s.small, "exhibits.pdf": b"%PDF"}),
    )
    put(
        "page-not-listed",
        "a checking page that the depositor did not list",
        members,
        lambda s: ordered({**s.small, "verify.html": b"<html>"}),
    )
    put(
        "digest-of-another",
        "the list gives another digest for the README",
        members,
        lambda s: relist(s.small, s.acme, members={**listed(s.small), "README.txt": "00" * 32}),
    )
    put(
        "statement-not-listed",
        "the list leaves the statement out",
        members,
        lambda s: relist(
            s.small, s.acme, members={k: v for k, v in listed(s.small).items() if k != STATEMENT}
        ),
    )
    put("empty", "a list of nothing", members, lambda s: relist(s.small, s.acme, members={}))
    signature = "bundle.signature"
    put(
        "of-another-statement",
        "a list that was made for another statement",
        signature,
        lambda s: relist(s.small, s.acme, envelope_sha256="00" * 32),
    )
    put(
        "signed-by-another",
        "a list that another company signed",
        signature,
        lambda s: relist(s.small, s.scene.rival),
    )
    put(
        "names-an-anchor",
        "a list with a member that is not the depositor's",
        signature,
        lambda s: relist(
            s.small,
            s.acme,
            members={**listed(s.small), "beacon.json": hashlib.sha256(s.small["beacon.json"]).hexdigest()},
        ),
    )
    put(
        "names-the-unknown",
        "a list with a name that the format does not have",
        signature,
        lambda s: relist(s.small, s.acme, members={**listed(s.small), "records/1.json": "00" * 32}),
    )
    put(
        "upper-case-digest",
        "a digest in capitals",
        signature,
        lambda s: relist(s.small, s.acme, members={n: d.upper() for n, d in listed(s.small).items()}),
    )
    put(
        "of-another-bundle",
        "the list of the company's other bundle",
        signature,
        lambda s: {**s.small, DOCUMENT: s.scene.bundles["second"][DOCUMENT]},
    )
    put("recipient-changed", "the recipient was changed after signing", signature, recipient_changed)
    return found.all


def listed(members: Members) -> dict[str, str]:
    own = ("README.txt", STATEMENT, RECORD, ORIGINAL)
    return {name: hashlib.sha256(members[name]).hexdigest() for name in own}


def left_out(s: Setting, *names: str) -> Members:
    return {name: data for name, data in s.small.items() if name not in names}


def recipient_changed(s: Setting) -> Members:
    envelope = dsse.parse(s.small[DOCUMENT], BUNDLE_PAYLOAD_TYPE)
    payload = envelope.payload.replace(b'"recipient":null', b'"recipient":"x"')
    signed = dsse.sign(payload, BUNDLE_PAYLOAD_TYPE, s.acme.key)
    outer = dsse.parse(signed, BUNDLE_PAYLOAD_TYPE)
    ((_, fresh),) = outer.signatures
    ((_, old),) = envelope.signatures
    return {**s.small, DOCUMENT: signed.replace(_base64(fresh), _base64(old))}


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data)


def _places() -> list[Case]:
    found = Cases("record-place")
    for name in changed_proofs(OpenedRecord(b"", 0, 1024, (bytes(32),) * 10)):
        found.fails(
            slug(name),
            f"a record that says another place in its tree than its own: {name}",
            "record.inclusion",
            lambda s, name=name: with_record(s, changed_proofs(opened(s))[name]),
        )
    found.fails(
        "node-as-leaf", "an inner node of the tree, handed in as a record", "record.inclusion", node_as_leaf
    )
    found.fails(
        "root-as-leaf",
        "the two halves of the tree, handed in as the only record",
        "record.inclusion",
        root_as_leaf,
    )
    return found.all


def opened(s: Setting) -> OpenedRecord:
    return parse_opened_record(s.small[RECORD])


def with_record(s: Setting, record: OpenedRecord) -> Members:
    """In a bundle that its depositor signed in due form; the original goes with the record it was for."""
    members = {**s.small, RECORD: record.dump()}
    del members[ORIGINAL]
    return relist(members, s.acme)


def node_as_leaf(s: Setting) -> Members:
    one = opened(s)
    sibling, *rest = one.hashes
    pair = (leaf_hash(one.record), sibling)
    node = b"".join(pair if one.index % 2 == 0 else pair[::-1])
    return with_record(s, replace(one, record=node, index=one.index // 2, hashes=tuple(rest)))


def root_as_leaf(s: Setting) -> Members:
    *_, left = s.scene.first.manifest.levels()[-2:][:1]
    return with_record(s, replace(opened(s), record=b"".join(left), index=0, hashes=()))
