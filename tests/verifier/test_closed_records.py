"""What stays closed shows nothing: no word of it in a bundle, and no guess at it can be confirmed.

With MIZHENG_SOAK=1 the dictionary has a million candidates.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.canonical import dump
from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.record import KINDS, MEASURE_TYPES, build_record, compute_salt
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import Depositor, Software, Statement

from tests.support.layers import layers, readable
from tests.support.scale import SOAK

AT = "2026-11-23T02:00:00Z"
# Times eight ways of making a salt from what the reader has.
CANDIDATES = 125_000 if SOAK else 2_500


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def records_of(manifest_key: bytes, mark: str) -> dict[str, bytes]:
    """A record of every kind, whose every field holds words of its own that begin with `mark`."""
    fields: dict[str, tuple[str, dict[str, Any]]] = {
        "file": (f"{mark}-folder/file.dwg", {"size": 4711, "sha256": digest(mark), "sm3": digest(mark * 2)}),
        "link": (f"{mark}-link", {"target": f"{mark}-target"}),
        "unreadable": (f"{mark}-unreadable", {"reason": f"{mark}-reason"}),
        "point": (
            "3",
            {name: f"{mark}-point-{name}" for name in ("title", "statement", "distinction", "level", "term")},
        ),
        "locator": ("5", {"point": 3, "path": f"{mark}-where-path", "where": f"{mark}-where"}),
        "measure": (
            "7",
            {
                "type": MEASURE_TYPES[0],
                "scope": f"{mark}-scope",
                "effective_from": "2025-01-06",
                "proof_sha256": digest(f"{mark}-proof"),
            },
        ),
        "carrier": (
            "2",
            {name: f"{mark}-carrier-{name}" for name in ("type", "serial", "place", "custodian")},
        ),
        "source": ("4", {name: f"{mark}-source-{name}" for name in ("who", "system", "how")}),
        "corroboration": (
            "6",
            {"type": "witness", "detail": f"{mark}-detail", "sha256": digest(f"{mark}-witness")},
        ),
        "supplement": (
            "8",
            {
                "matter": f"{mark}-matter",
                "type": "witness",
                "title": f"{mark}-title",
                "envelope_sha256": digest(f"{mark}-earlier"),
            },
        ),
        "environment": (
            "",
            {"observations": [{"check": "os.name", "state": "observed", "value": f"{mark}-os", "how": "x"}]},
        ),
        "authority": ("", {"sha256": digest(f"{mark}-authority")}),
        "previous": ("", {"envelope_sha256": digest(f"{mark}-previous")}),
    }
    assert set(fields) == set(KINDS)
    return {
        kind: build_record(manifest_key, kind, label.encode(), own) for kind, (label, own) in fields.items()
    }


def words_of(record: bytes) -> Iterator[bytes]:
    """Every text of a record that is its own: not its kind, nor what many records share."""

    def walk(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in ("kind", "type", "state", "check", "how", "effective_from"):
                    yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)
        elif isinstance(value, str):
            yield value

    for text in walk(json.loads(record)):
        yield text.encode()
        if len(text) == 64:
            yield bytes.fromhex(text)


def bundle_of(manifest: Manifest, key: PrivateKey, opened: list[bytes]) -> bytes:
    statement = Statement(
        key.public,
        manifest.commitment(key.public),
        Depositor("a company", "CN-USCC", "91420100MA4K00001U"),
        None,
        AT,
        None,
        Software("mizheng", "0.1.0", None),
        secrets.token_bytes(16),
    )
    target = io.BytesIO()
    proven = [manifest.open(record) for record in opened]
    write_bundle(target, key, statement.sign(key), proven, Evidence(), readme="README\n", created_at=AT)
    return target.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_no_word_of_a_closed_record_is_in_a_bundle(kind: str) -> None:
    """One record opened, eleven closed; looked for in the plain, in Base64 and in hex."""
    manifest_key, key = secrets.token_bytes(32), PrivateKey.generate()
    opened, closed = records_of(manifest_key, "opened"), records_of(manifest_key, "closed")
    # One of a kind for those that have no label.
    records = [opened[kind], *(record for other, record in closed.items() if other != kind)]
    manifest = Manifest(map(leaf_hash, records), manifest_key)
    seen = readable(bundle_of(manifest, key, [opened[kind]]))
    # Of the opened one every word is found: so one of a closed one would be, too.
    assert [word for word in words_of(opened[kind]) if word not in seen] == []
    told = [word for record in records[1:] for word in words_of(record) if word in seen]
    assert told == []
    assert manifest_key not in seen
    assert manifest_key.hex().encode() not in seen


def test_a_bundle_looks_the_same_however_many_records_stay_closed() -> None:
    """Every member has the same length for one closed record and for a thousand."""
    sizes = []
    for closed in (0, 1, 1000):
        manifest_key = secrets.token_bytes(32)
        records = [build_record(manifest_key, "authority", b"", {"sha256": digest("x")})]
        records += [
            build_record(manifest_key, "link", b"%04d" % number, {"target": "t"}) for number in range(closed)
        ]
        manifest = Manifest(map(leaf_hash, records), manifest_key)
        proof = json.loads(manifest.open(records[0]).dump())
        sizes.append((manifest.tree_size, len(proof["hashes"]), len(proof["record"])))
    assert len(set(sizes)) == 1, sizes


def test_a_dictionary_finds_no_closed_record() -> None:
    """The reader knows each closed record but for its salt, and the whole tree is full of them."""
    manifest_key, key = secrets.token_bytes(32), PrivateKey.generate()
    contents = [{"target": f"secret {number}"} for number in range(1023)]
    labels = [b"%d" % number for number in range(1023)]
    records = [
        build_record(manifest_key, "link", label, content)
        for label, content in zip(labels, contents, strict=True)
    ]
    opened = build_record(manifest_key, "authority", b"", {"sha256": digest("x")})
    manifest = Manifest(map(leaf_hash, [*records, opened]), manifest_key)
    assert manifest.tree_size == 1024, "no pads: what stands beside the opened record is a closed one"
    bundle = bundle_of(manifest, key, [opened])
    known = {layer for layer in layers(bundle) if len(layer) == 32}
    proof = manifest.open(opened)
    known |= set(proof.hashes)
    # With the salts, one guess in the dictionary hits: the opened record's neighbour.
    assert sum(leaf_hash(record) in known for record in records) == 1

    salts = [json.loads(opened)["salt"], digest(""), "00" * 32]
    keys = [
        bytes(32),
        proof.hashes[0],
        manifest.commitment(key.public),
        hashlib.sha256(key.public.spki).digest(),
    ]
    keys.append(bytes.fromhex(salts[0]))
    found = tried = 0
    for number in range(CANDIDATES):
        label = b"%d" % number
        value = {"kind": "link", "path": label.decode(), "target": f"secret {number}"}
        for salt in (*salts, *(compute_salt(item, "link", label) for item in keys)):
            tried += 1
            found += leaf_hash(dump({**value, "salt": salt})) in known
    assert tried == 8 * CANDIDATES
    assert found == 0


def test_a_salt_for_each_record_and_each_seal() -> None:
    """One opened record's salt says nothing of another's, nor of the same record in the next seal."""
    salts = {
        compute_salt(manifest_key, kind, label)
        for manifest_key in (secrets.token_bytes(32), secrets.token_bytes(32))
        for kind in ("file", "link")
        for label in (b"a", b"b")
    }
    assert len(salts) == 8
