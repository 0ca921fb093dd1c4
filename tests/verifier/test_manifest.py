"""The manifest: what an opened record's place and proof tell of the others, which is nothing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import replace
from typing import Any

import pytest
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.errors import FormatError, InclusionError, LimitError
from mizheng.verifier.manifest import (
    MIN_TREE_SIZE,
    Manifest,
    OpenedRecord,
    compute_commitment,
    compute_tree_size,
    parse_opened_record,
)
from mizheng.verifier.merkle import compute_root, leaf_hash
from mizheng.verifier.record import MAX_RECORD_BYTES, build_record
from mizheng.verifier.signature import PrivateKey

KEY = PrivateKey.generate()
PATHS = [f"file {number}".encode() for number in range(5)]


def records_of(manifest_key: bytes, paths: list[bytes] = PATHS) -> list[bytes]:
    fields = {"size": 0, "sha256": "00" * 32, "sm3": "00" * 32}
    return [build_record(manifest_key, "file", path, fields) for path in paths]


def manifest_of(manifest_key: bytes, paths: list[bytes] = PATHS) -> tuple[Manifest, list[bytes]]:
    records = records_of(manifest_key, paths)
    return Manifest([leaf_hash(record) for record in records], manifest_key), records


@pytest.mark.parametrize(
    ("records", "size"),
    [
        (0, 1024),
        (1, 1024),
        (1023, 1024),
        (1024, 1024),
        (1025, 2048),
        (2048, 2048),
        (2049, 4096),
        (10**6, 2**20),
    ],
)
def test_the_size_is_a_power_of_two_and_at_least_1024(records: int, size: int) -> None:
    assert compute_tree_size(records) == size


def test_root_and_commitment_are_those_of_the_specification() -> None:
    manifest_key = bytes(range(32))
    manifest, records = manifest_of(manifest_key)
    pads = [
        hmac.new(manifest_key, b"mizheng/pad/v1\n" + number.to_bytes(8, "big"), hashlib.sha256).digest()
        for number in range(MIN_TREE_SIZE - len(records))
    ]
    leaves = sorted([hashlib.sha256(b"\0" + record).digest() for record in records] + pads)
    assert manifest.root == compute_root(leaves)
    spki_digest = hashlib.sha256(KEY.public.spki).digest()
    preimage = b"mizheng/manifest/v1\n" + spki_digest + (1024).to_bytes(8, "big") + manifest.root
    assert manifest.commitment(KEY.public) == hashlib.sha256(preimage).digest()


def test_every_record_opens_and_belongs() -> None:
    manifest, records = manifest_of(secrets.token_bytes(32))
    commitment = manifest.commitment(KEY.public)
    for record in records:
        opened = manifest.open(record)
        opened.verify(commitment, KEY.public)
        assert parse_opened_record(opened.dump()) == opened
        assert (opened.tree_size, len(opened.hashes)) == (1024, 10)


def test_what_is_no_record_does_not_open() -> None:
    manifest, records = manifest_of(secrets.token_bytes(32))
    other, _ = manifest_of(secrets.token_bytes(32))
    for record in (b"", records[0] + b" ", b"{}"):
        with pytest.raises(InclusionError):
            manifest.open(record)
    with pytest.raises(InclusionError):
        other.open(records[0])


def test_a_commitment_is_bound_to_the_depositors_key() -> None:
    manifest, records = manifest_of(secrets.token_bytes(32))
    thief = PrivateKey.generate()
    commitment = manifest.commitment(KEY.public)
    assert manifest.commitment(thief.public) != commitment
    opened = manifest.open(records[0])
    with pytest.raises(InclusionError):
        opened.verify(commitment, thief.public)
    opened.verify(manifest.commitment(thief.public), thief.public)


def test_a_commitment_binds_size_and_root() -> None:
    root = bytes(32)
    found = {
        compute_commitment(key.public, size, value)
        for key in (KEY, PrivateKey.generate())
        for size in (1024, 2048)
        for value in (root, b"\1" * 32)
    }
    assert len(found) == 8


def test_two_manifests_of_equal_content_share_nothing() -> None:
    """Same names, same files, the same company: no digest, salt, leaf or proof node appears twice."""
    seen: list[set[bytes]] = []
    for _ in range(3):
        manifest, records = manifest_of(secrets.token_bytes(32))
        opened = [manifest.open(record) for record in records]
        salts = {str(parse(record)["salt"]).encode() for record in records}  # type: ignore[index,call-overload]
        nodes = {node for item in opened for node in item.hashes}
        leaves = {leaf_hash(record) for record in records}
        seen.append(salts | nodes | leaves | {manifest.root, manifest.commitment(KEY.public)})
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


def test_the_place_of_a_record_is_that_of_its_hash() -> None:
    """Not of its name, nor of the order in which files were found; so it tells nothing of either."""
    manifest_key = secrets.token_bytes(32)
    manifest, records = manifest_of(manifest_key)
    shuffled = Manifest([leaf_hash(record) for record in reversed(records)], manifest_key)
    assert shuffled.root == manifest.root
    places = {record: manifest.open(record).index for record in records}
    assert sorted(places, key=places.__getitem__) == sorted(records, key=leaf_hash)


def test_records_lie_among_the_pads_evenly() -> None:
    """A hundred manifests of one record: always first or last, it would say how many there are."""
    places = []
    for _ in range(100):
        manifest, (record,) = manifest_of(secrets.token_bytes(32), [b"only"])
        places.append(manifest.open(record).index)
    # Each quarter of the tree holds a quarter of them, give or take: fewer than five is one chance in 10^7.
    for quarter in range(4):
        assert sum(quarter * 256 <= place < (quarter + 1) * 256 for place in places) >= 5


def test_neighbours_in_the_tree_look_alike_whether_record_or_pad() -> None:
    """What stands beside an opened record is 32 bytes, however many records there are."""
    sizes = set()
    for count in (1, 2, 500, 1024):
        manifest, records = manifest_of(bytes(32), [b"%04d" % number for number in range(count)])
        opened = manifest.open(records[0])
        sizes.add((len(opened.hashes), opened.tree_size, {len(item) for item in opened.hashes} == {32}))
    assert sizes == {(10, 1024, True)}


def test_a_manifest_key_has_32_bytes() -> None:
    for length in (0, 16, 33):
        with pytest.raises(ValueError):
            Manifest([], bytes(length))


# The member records/NNNN.json


def fields(**changes: Any) -> bytes:
    manifest, records = manifest_of(bytes(32))
    value = parse(manifest.open(records[0]).dump())
    assert isinstance(value, dict)
    return dump({key: item for key, item in {**value, **changes}.items() if item is not ...})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        fields(extra=1),
        fields(index=...),
        fields(hashes=...),
        fields(index="0"),
        fields(index=None),
        fields(tree_size=0),
        fields(tree_size=-1024),
        fields(tree_size=512),
        fields(tree_size=1025),
        fields(tree_size=2**33),
        fields(tree_size="1024"),
        fields(record=None),
        fields(record="a"),
        fields(record="YQ"),
        fields(hashes={}),
        fields(hashes=[None]),
        fields(hashes=["00" * 31]),
        fields(hashes=["00" * 33]),
        fields(hashes=["AB" * 32]),
    ],
)
def test_a_member_that_is_none(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_opened_record(data)


def test_limits_on_both_sides() -> None:
    largest = OpenedRecord(bytes(MAX_RECORD_BYTES), 0, 2**32, (bytes(32),) * 32)
    assert parse_opened_record(largest.dump()) == largest
    with pytest.raises(LimitError):
        parse_opened_record(replace(largest, record=bytes(2 * MAX_RECORD_BYTES)).dump())
