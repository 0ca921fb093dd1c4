"""The examples of the specification are what it says they are, and still check."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from mizheng.verifier import dsse
from mizheng.verifier.anchor import parse_anchor, verify_anchor
from mizheng.verifier.bundle import parse_bundle_document
from mizheng.verifier.checkpoint import open_checkpoint
from mizheng.verifier.enrolment import parse_enrolment, parse_key_status, parse_revocation
from mizheng.verifier.entry import dump_entry, entry_leaf
from mizheng.verifier.logkeys import parse_key_change, parse_log_keys
from mizheng.verifier.manifest import compute_commitment
from mizheng.verifier.merkle import compute_root, leaf_hash
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.observation import parse_observation
from mizheng.verifier.platform_facts import parse_platform
from mizheng.verifier.record import KINDS, parse_record
from mizheng.verifier.renewal.record import parse_record as parse_record_of_evidence
from mizheng.verifier.report import Report
from mizheng.verifier.signature import PublicKey
from mizheng.verifier.statement import parse_envelope
from mizheng.verifier.text import render
from mizheng.verifier.timestamp.token import parse_response, parse_token
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle

from tests.support.opensslts import verify_with_openssl
from tests.support.world import unpack
from tests.tools.documents import EXAMPLES

RECORDS = sorted((EXAMPLES / "records").iterdir())


def read(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def values() -> dict[str, object]:
    found = json.loads(read("values.json"))
    assert isinstance(found, dict)
    return found


def judge() -> Report:
    checked_at = values()["checked_at"]
    assert isinstance(checked_at, int)
    return verify_bundle(read("bundle.zip"), parse_trust(read("trust.toml")), now=checked_at)


def test_the_bundle_is_valid_and_says_trial() -> None:
    report = judge()
    assert report.verdict == "valid"
    assert report.is_trial


def test_the_token_passes_openssl(tmp_path: Path) -> None:
    """As page 6 says, with the roots of the example's trust file."""
    members = unpack(read("bundle.zip"))
    roots = [root.parsed for tsa in parse_trust(read("trust.toml")).tsas for root in tsa.roots]
    result = verify_with_openssl(
        members["timestamps/0001.tsr"],
        members["timestamps/0001.txt"],
        b"".join(root.public_bytes(Encoding.PEM) for root in roots),
        tmp_path,
        at=json.loads(read("values.json"))["checked_at"],
    )
    assert result.returncode == 0, result.stderr


def test_the_evidence_record_renews_that_token() -> None:
    members, shown = unpack(read("bundle.zip")), json.loads(read("evidence-record.json"))
    record = parse_record_of_evidence(members["renewals/0001.ers"])
    tokens = [parse_token(stamp.token) for chain in record.chains for stamp in chain]
    assert tokens[0].encoded == parse_response(members["timestamps/0001.tsr"])
    assert tokens[1].imprint == hashlib.sha256(tokens[0].encoded).digest()
    described = [item for chain in shown["archiveTimeStampSequence"] for item in chain]
    assert [item["messageImprint"]["hashedMessage"] for item in described] == [
        token.imprint.hex() for token in tokens
    ]
    assert described[0] == json.loads(read("time-stamp.json"))


def test_the_report_is_the_one_that_is_shown() -> None:
    report = judge()
    assert report.to_json() == json.loads(read("report.json"))
    assert render(report, lambda message: message).encode() == read("report.txt")


def test_the_members_are_those_of_the_bundle() -> None:
    folder = EXAMPLES / "bundle"
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    found |= {f"originals/{path.name}": path.read_bytes() for path in (folder / "originals").iterdir()}
    assert found == unpack(read("bundle.zip"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record(path: Path) -> None:
    record = parse_record(path.read_bytes())
    assert record.kind == path.stem
    key = bytes.fromhex(str(values()["manifest_key"]))
    message = b"mizheng/salt/v1\n" + record.kind.encode() + b"\0" + record.label
    assert record.fields["salt"] == hmac.digest(key, message, "sha256").hex()


def test_every_kind_of_record_has_an_example() -> None:
    assert {path.stem for path in RECORDS} == set(KINDS)


def test_the_manifest_is_made_as_the_page_says() -> None:
    known = values()
    key = bytes.fromhex(str(known["manifest_key"]))
    leaves = [leaf_hash(path.read_bytes()) for path in RECORDS]
    assert len(leaves) == known["records"]
    leaves += [
        hmac.digest(key, b"mizheng/pad/v1\n" + number.to_bytes(8, "big"), "sha256")
        for number in range(1024 - len(leaves))
    ]
    root = compute_root(sorted(leaves))
    assert root.hex() == known["root_hash"]
    owner = PublicKey.from_base64(known["depositor_public_key"])
    assert owner.keyid == known["depositor_keyid"]
    assert compute_commitment(owner, 1024, root).hex() == known["commitment"]


def test_statement_and_entry_belong_together() -> None:
    data, known = read("bundle/statement.dsse.json"), values()
    envelope, statement = parse_envelope(data)
    assert envelope.payload == read("payloads/statement.json")
    assert envelope.sha256 == known["envelope_sha256"]
    assert statement.commitment.hex() == known["commitment"]
    assert dump_entry(hashlib.sha256(data).digest()) == read("entry.txt")
    assert entry_leaf(data).hex() == known["leaf_hash"]
    encoding = dsse.pre_authentication_encoding(envelope.payload_type, envelope.payload)
    assert hashlib.sha256(encoding).hexdigest() == known["pre_authentication_encoding_sha256"]


def test_the_other_documents_are_signed() -> None:
    trust = parse_trust(read("trust.toml"))
    for document in (
        parse_enrolment(read("bundle/enrolment.dsse.json")),
        parse_key_status(read("bundle/key-status.dsse.json")),
        parse_revocation(read("revocation.dsse.json")),
        parse_platform(read("bundle/platform.dsse.json")),
    ):
        assert trust.issuer(document[1])
    assert trust.observer(parse_observation(read("bundle/observations/0001.dsse.json"))[1])
    assert parse_bundle_document(read("payloads/bundle.json")).envelope_sha256 == values()["envelope_sha256"]
    checkpoint, signed = open_checkpoint(
        read("checkpoint.txt"), [NoteVerifier.from_vkey(values()["log_vkey"])]
    )
    assert signed
    assert checkpoint.size == parse_anchor(read("bundle/anchors/0001.json")).tree_size


def test_the_key_change_goes_on_from_the_example_log() -> None:
    change = parse_key_change(read("log-key-change.txt"))
    assert change.old.vkey == values()["log_vkey"]
    keys = parse_log_keys(read("log-keys.json"))
    assert [item.note for item in keys.changes] == [read("log-key-change.txt")]
    assert change.size >= parse_anchor(read("bundle/anchors/0001.json")).tree_size


def test_the_anchor_checks_alone() -> None:
    evidence = parse_anchor(read("bundle/anchors/0001.json"))
    chain = parse_trust(read("trust.toml")).chains[0]
    verify_anchor(evidence, evidence.chain, chain.contract, chain.code_hash)


@pytest.mark.parametrize(
    ("payload", "member"),
    [
        ("bundle", "bundle/bundle.dsse.json"),
        ("enrolment", "bundle/enrolment.dsse.json"),
        ("key-status", "bundle/key-status.dsse.json"),
        ("observation", "bundle/observations/0001.dsse.json"),
        ("platform", "bundle/platform.dsse.json"),
        ("revocation", "revocation.dsse.json"),
        ("statement", "bundle/statement.dsse.json"),
    ],
)
def test_a_payload_is_that_of_its_envelope(payload: str, member: str) -> None:
    data = read(member)
    kind = json.loads(data)["payloadType"]
    assert dsse.parse(data, kind).payload == read(f"payloads/{payload}.json")
    assert f"`{kind.removeprefix('application/vnd.mizheng.')}`" in _row(
        json.loads(read(f"payloads/{payload}.json"))
    )


def _row(payload: dict[str, object]) -> str:
    """The row of the specification's table for this type; it names exactly the payload's fields."""
    text = (EXAMPLES.parent / "README.md").read_text("utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("|") and f"`{payload['type']}`" in line]
    fields = row.split("|")[4]
    assert {name.strip(" `") for name in fields.split(",")} == payload.keys() - {"type"}
    return row
