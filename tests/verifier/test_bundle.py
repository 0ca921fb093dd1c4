"""The bundle: which names there are, whose they are, and what is written."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mizheng.verifier import dsse
from mizheng.verifier.bundle import BUNDLE_PAYLOAD_TYPE, Bundle, BundleDocument, parse_bundle_document
from mizheng.verifier.bundlewriting import Evidence, write_bundle
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.digests import compute_digests
from mizheng.verifier.errors import FormatError, LimitError, MizhengError, VersionError
from mizheng.verifier.manifest import Manifest, OpenedRecord
from mizheng.verifier.members import MAX_NUMBER, member_group, number_of
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.record import build_record
from mizheng.verifier.signature import PrivateKey

from tests.support.world import AT, pack, unpack

KEY = PrivateKey.generate()
CONTENT = b"formula"
DOCUMENT = BundleDocument("ab" * 32, "a court", "a case", AT, {"README.txt": "cd" * 32})
LISTED = {
    "README.txt": "readme",
    "bundle.dsse.json": "document",
    "statement.dsse.json": "statement",
    "enrolment.dsse.json": "enrolment",
    "enrolment.tlog-proof": "enrolment-proof",
    "key-status.dsse.json": "key-status",
    "x509/0001.der": "x509",
    "records/0001.json": "records",
    "originals/0001": "originals",
    "heads/0.tlog-proof": "heads",
    "heads/9223372036854775807.tlog-proof": "heads",
    "timestamps/0001.tsr": "timestamps",
    "timestamps/0001.txt": "timestamps",
    "anchors/0001.json": "anchors",
    "observations/0001.dsse.json": "observations",
    "beacon.json": "beacon",
    "renewals/0001.ers": "renewals",
    "custody/0001.dsse.json": "custody",
    "custody/0001.event.dsse.json": "custody",
    "custody/0001.tlog-proof": "custody",
    "disclosure.dsse.json": "disclosure",
    "disclosure.event.dsse.json": "disclosure",
    "disclosure.tlog-proof": "disclosure",
    "platform.dsse.json": "platform",
    "certificate.pdf": "certificate",
    "exhibits.pdf": "exhibits",
    "verify.html": "page",
}


@pytest.mark.parametrize("name", LISTED)
def test_names_on_the_list(name: str) -> None:
    assert member_group(name) == LISTED[name]


@pytest.mark.parametrize("number", ["0001", "9999", "10000", "999999", str(MAX_NUMBER)])
def test_numbers_of_four_or_more_digits(number: str) -> None:
    name = f"records/{number}.json"
    assert member_group(name) == "records"
    assert number_of(name) == int(number)


@pytest.mark.parametrize(
    "number",
    ["1", "001", "00001", "09999", "1000001", "9999999", "99999999", "-001", "+001", "1e10", "٠٠٠١", ""],
)
def test_other_spellings_of_numbers(number: str) -> None:
    for name in (f"records/{number}.json", f"originals/{number}", f"anchors/{number}.json"):
        with pytest.raises(FormatError):
            member_group(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "readme.txt",
        "README.txt\n",
        " README.txt",
        "records/0001.JSON",
        "records/0001.json.bak",
        "records/",
        "heads/01.tlog-proof",
        "heads/-1.tlog-proof",
        "heads/.tlog-proof",
        "originals/0001.txt",
        "timestamps/0001.pdf",
        "a/README.txt",
        "records\\0001.json",
    ],
)
def test_names_that_are_not_on_the_list(name: str) -> None:
    with pytest.raises(FormatError):
        member_group(name)


# What is written


def opened(content: bytes = CONTENT) -> OpenedRecord:
    digests = compute_digests([content])
    fields = {"size": digests.size, "sha256": digests.sha256, "sm3": digests.sm3}
    record = build_record(bytes(32), "file", "配方.txt".encode(), fields)
    return Manifest([leaf_hash(record)], bytes(32)).open(record)


def write(**more: Any) -> dict[str, bytes]:
    target = io.BytesIO()
    evidence = Evidence(heads={12: b"h", 7: b"g"}, anchors=[b"a", b"b"], observations=[b"o"], beacon=b"n")
    write_bundle(
        target,
        KEY,
        b"envelope",
        [opened()],
        more.pop("evidence", evidence),
        readme="read me",
        created_at=AT,
        **more,
    )
    with opening(target.getvalue()) as bundle:
        assert bundle.is_canonical
    return unpack(target.getvalue())


@contextmanager
def opening(data: bytes) -> Iterator[Bundle]:
    with Bundle(data) as bundle:
        yield bundle


def document_of(members: dict[str, bytes]) -> BundleDocument:
    envelope = dsse.parse(members["bundle.dsse.json"], BUNDLE_PAYLOAD_TYPE)
    return parse_bundle_document(envelope.verify(KEY.public))


def test_members_stand_in_the_order_of_the_specification() -> None:
    """Heads by their size, not by the letters of it."""
    assert list(write()) == [
        "README.txt",
        "bundle.dsse.json",
        "statement.dsse.json",
        "records/0001.json",
        "heads/7.tlog-proof",
        "heads/12.tlog-proof",
        "anchors/0001.json",
        "anchors/0002.json",
        "observations/0001.dsse.json",
        "beacon.json",
    ]


def test_the_list_names_the_depositors_members_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "any name"
    path.write_bytes(CONTENT)
    extra = {"exhibits.pdf": b"%PDF", "certificate.pdf": b"%PDF"}
    members = write(originals={0: path}, extra_members=extra, recipient="court", purpose="case")
    document = document_of(members)
    assert (document.recipient, document.purpose, document.created_at) == ("court", "case", AT)
    assert document.envelope_sha256 == hashlib.sha256(b"envelope").hexdigest()
    own = ["README.txt", "statement.dsse.json", "records/0001.json", "originals/0001", "exhibits.pdf"]
    assert document.members == {name: hashlib.sha256(members[name]).hexdigest() for name in own}
    assert members["certificate.pdf"] == b"%PDF"


def test_nothing_of_a_closed_record_is_written() -> None:
    """Of two records one is opened: neither name nor digest of the other is anywhere in the file."""
    key = bytes(32)
    digests = compute_digests([CONTENT])
    fields = {"size": digests.size, "sha256": digests.sha256, "sm3": digests.sm3}
    secret = compute_digests([b"secret"])
    hidden_fields = {"size": secret.size, "sha256": secret.sha256, "sm3": secret.sm3}
    shown = build_record(key, "file", b"shown.txt", fields)
    hidden = build_record(key, "file", b"hidden.txt", hidden_fields)
    manifest = Manifest([leaf_hash(shown), leaf_hash(hidden)], key)
    target = io.BytesIO()
    write_bundle(target, KEY, b"e", [manifest.open(shown)], Evidence(), readme="", created_at=AT)
    members = unpack(target.getvalue())
    everything = b"".join(members.values()) + b"".join(name.encode() for name in members)
    for what in (b"hidden", secret.sha256.encode(), secret.sm3.encode(), hidden, key.hex().encode()):
        assert what not in everything
    assert [name for name in members if name.startswith("records")] == ["records/0001.json"]


def test_a_file_that_is_no_longer_what_was_sealed_is_not_handed_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"Formula", b"formul", b"formulas", b""):
        path.write_bytes(content)
        with pytest.raises((MizhengError, ValueError)):
            write(originals={0: path})


def test_a_bundle_is_opened_by_its_groups(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with opening(pack(write(originals={0: path}))) as bundle:
        assert bundle.group("heads") == ["heads/7.tlog-proof", "heads/12.tlog-proof"]
        assert bundle.group("custody") == []
        assert bundle.has("beacon.json")
        assert not bundle.has("enrolment.dsse.json")
        assert bundle.size("originals/0001") == len(CONTENT)
        assert bundle.sha256("originals/0001") == hashlib.sha256(CONTENT).hexdigest()
        assert b"".join(bundle.chunks("originals/0001")) == CONTENT
        own = ["README.txt", "statement.dsse.json", "records/0001.json", "originals/0001"]
        assert bundle.depositor_members == own
        with pytest.raises(LimitError):
            bundle.read("originals/0001", len(CONTENT) - 1)


def test_members_in_another_order_are_another_form() -> None:
    with opening(pack(dict(reversed(write().items())))) as bundle:
        assert not bundle.is_canonical


# The list itself


def test_the_list_is_read_back() -> None:
    assert parse_bundle_document(dsse.parse(DOCUMENT.sign(KEY), BUNDLE_PAYLOAD_TYPE).payload) == DOCUMENT


def changed(**changes: Any) -> bytes:
    value = parse(dsse.parse(DOCUMENT.sign(KEY), BUNDLE_PAYLOAD_TYPE).payload)
    assert isinstance(value, dict)
    return dump({name: item for name, item in {**value, **changes}.items() if item is not ...})


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": 1},
        {"envelope_sha256": ...},
        {"envelope_sha256": "ab"},
        {"created_at": "today"},
        {"recipient": 1},
        {"members": []},
        {"members": {"README.txt": "ab"}},
        {"members": {"README.txt": None}},
        {"members": {"unknown.txt": "cd" * 32}},
        {"members": {"bundle.dsse.json": "cd" * 32}},
        {"members": {"anchors/0001.json": "cd" * 32}},
        {"members": {"records/1000001.json": "cd" * 32}},
        {"type": "mizheng/deposit/v1"},
    ],
)
def test_what_is_no_list(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as caught:
        parse_bundle_document(changed(**changes))
    assert not isinstance(caught.value, VersionError)


def test_a_list_of_a_later_version() -> None:
    with pytest.raises(VersionError):
        parse_bundle_document(changed(type="mizheng/bundle/v2", members=...))


def test_a_list_may_be_long() -> None:
    """Half a million files opened at once make a list past the limit of other envelopes."""
    members = {f"records/{number:04}.json": "cd" * 32 for number in range(1, 5000)}
    document = BundleDocument("ab" * 32, None, None, AT, members)
    data = document.sign(KEY)
    assert len(data) > dsse.MAX_ENVELOPE_BYTES
    payload = dsse.parse(data, BUNDLE_PAYLOAD_TYPE, max_bytes=10**7).verify(KEY.public)
    assert parse_bundle_document(payload) == document
