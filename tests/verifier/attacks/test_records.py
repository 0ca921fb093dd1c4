"""Records, proofs and files that belong elsewhere, in bundles that their depositor signed in due form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.verifier.canonical import dump
from mizheng.verifier.checkpoint import TlogProof, parse_tlog_proof, sign_checkpoint
from mizheng.verifier.digests import compute_digests
from mizheng.verifier.manifest import Manifest, OpenedRecord, parse_opened_record
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.note import NoteSigner, NoteVerifier
from mizheng.verifier.record import build_record, compute_salt
from mizheng.verifier.report import Verdict
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import TrustedLog

from tests.support.world import FILES, Deposit, failed, judge, statuses

from .places import changed_proofs, log_proofs
from .scene import OPENED, Scene, refuse, relist, words

RECORD = "records/0001.json"
HEAD = "heads/5.tlog-proof"


def with_record(scene: Scene, record: OpenedRecord) -> dict[str, bytes]:
    members = {**scene.honest, RECORD: record.dump()}
    # The original goes with the record it was for.
    del members["originals/0001"]
    return relist(members, scene.acme)


def test_the_depositor_may_make_his_list_anew(scene: Scene) -> None:
    assert judge(relist(scene.honest, scene.acme), scene.trust).verdict is Verdict.VALID


@pytest.mark.parametrize("which", ["second", "other", "later", "abroad"])
def test_a_record_of_another_manifest(scene: Scene, which: str) -> None:
    deposit: Deposit = getattr(scene, which)
    report = refuse(with_record(scene, deposit.open(OPENED[0])), scene.trust)
    assert failed(report) == {"record.inclusion"}


CASES = list(changed_proofs(OpenedRecord(b"", 0, 1024, (bytes(32),) * 10)))


@pytest.mark.parametrize("case", CASES)
def test_a_record_at_another_place_in_its_manifest(scene: Scene, case: str) -> None:
    opened = changed_proofs(parse_opened_record(scene.honest[RECORD]))[case]
    report = refuse(with_record(scene, opened), scene.trust, case)
    assert failed(report) == {"record.inclusion"}
    assert report.is_unchanged_since_anchored is False


@pytest.mark.parametrize("case", list(log_proofs(TlogProof(2, (), b""))))
def test_an_entry_at_another_place_in_the_log(scene: Scene, case: str) -> None:
    proof = log_proofs(parse_tlog_proof(scene.honest[HEAD]))[case]
    report = refuse({**scene.honest, HEAD: proof.dump()}, scene.trust, case)
    assert "log.inclusion" in failed(report)
    assert report.latest is None


@pytest.mark.parametrize("size", [4, 6, 2**63 - 1])
def test_a_head_under_another_size(scene: Scene, size: int) -> None:
    members = scene.honest
    members[f"heads/{size}.tlog-proof"] = members.pop(HEAD)
    assert "log.inclusion" in failed(refuse(members, scene.trust))


def test_a_head_of_the_forked_tree_of_a_stolen_log_key(scene: Scene) -> None:
    """Signed and of the anchored size, but another tree: the chain knows better."""
    world, leaves = scene.world, scene.world.leaves
    try:
        world.leaves = [leaf_hash(b"forked"), *leaves[1:]]
        fork = world.proof(scene.first.index, 5)
    finally:
        world.leaves = leaves
    report = refuse({**scene.honest, HEAD: fork}, scene.trust)
    assert "anchor.checkpoint" in failed(report)
    assert report.latest is None


def test_one_envelope_logged_twice_is_proven_at_one_place(scene: Scene) -> None:
    """Two heads of one bundle with the entry at two places: which of them counts for a revocation?"""
    world, deposit = scene.world, scene.first
    size, again = world.append(deposit.envelope) + 1, len(world.leaves) - 1
    members = {**scene.honest, f"heads/{size}.tlog-proof": world.proof(again, size)}
    report = refuse(members, scene.trust)
    assert failed(report) == {"log.inclusion"}
    same = {**scene.honest, f"heads/{size}.tlog-proof": world.proof(deposit.index, size)}
    assert judge(same, scene.trust).verdict is Verdict.VALID


def test_two_heads_of_two_logs(scene: Scene) -> None:
    """The same tree under another log's name and key: its proof is not one of this log."""
    size, _ = scene.late_anchor
    other = NoteSigner("log.example/other", PrivateKey.generate())
    proof = parse_tlog_proof(scene.world.proof(scene.first.index, size))
    note = sign_checkpoint(replace(proof.checkpoint, origin=other.verifier.name), other)
    trust = scene.world.trust(
        logs=(*scene.world.trust().logs, TrustedLog(NoteVerifier.from_vkey(other.vkey), 0, None))
    )
    members = {**scene.honest, f"heads/{size}.tlog-proof": replace(proof, note=note).dump()}
    assert failed(refuse(members, trust)) == {"log.inclusion"}


def test_a_commitment_copied_by_another_company_opens_nothing(scene: Scene) -> None:
    """The thief's statement, key, enrolment, entry and anchor are all real; only the manifest is not his."""
    world, victim, thief = scene.world, scene.first, scene.rival
    stolen = victim.statement.commitment
    deposit = world.deposit(thief, change=lambda statement: replace(statement, commitment=stolen))
    deposit = replace(deposit, records=victim.records, manifest=victim.manifest)
    report = refuse(world.bundle(deposit, [world.anchor()], OPENED), world.trust())
    assert failed(report) == {"record.inclusion"}
    assert statuses(report, "envelope.signature") == ["PASS"]
    assert statuses(report, "depositor.enrolment") == ["PASS"]
    assert report.is_unchanged_since_anchored is False


def test_a_stolen_statement_in_ones_own_bundle(scene: Scene) -> None:
    """Whoever sees an envelope cannot make a bundle of it: the list must be signed by its key."""
    report = refuse(relist(scene.honest, scene.rival), scene.trust)
    assert "bundle.signature" in failed(report)


def test_a_record_of_a_kind_from_a_later_version(scene: Scene) -> None:
    """Its inclusion is proven; what it says is left to a later verifier."""
    world, key = scene.world, bytes(32)
    salt = compute_salt(key, "hologram", b"1")
    record = dump({"kind": "hologram", "salt": salt, "facets": [1, {"of": "light"}]})
    manifest = Manifest([leaf_hash(record)], key)
    deposit = world.deposit(
        scene.acme, change=lambda s: replace(s, commitment=manifest.commitment(scene.acme.key.public))
    )
    deposit = replace(deposit, records={"it": record}, manifest=manifest)
    report = judge(world.bundle(deposit, [world.anchor()], ("it",)), world.trust())
    assert statuses(report, "record.inclusion") == ["PASS"]
    assert statuses(report, "record.content") == ["NOT_CHECKED"]
    assert report.verdict is Verdict.VALID
    assert "hologram" in words(report)


def test_two_records_of_one_name_contradict_each_other(scene: Scene) -> None:
    world, key = scene.world, bytes(32)

    def record(content: bytes) -> bytes:
        found = compute_digests([content])
        fields = {"size": found.size, "sha256": found.sha256, "sm3": found.sm3}
        return build_record(key, "file", b"a.txt", fields)

    both = {"old": record(b"old"), "new": record(b"new")}
    manifest = Manifest([leaf_hash(data) for data in both.values()], key)
    deposit = world.deposit(
        scene.acme, change=lambda s: replace(s, commitment=manifest.commitment(scene.acme.key.public))
    )
    deposit = replace(deposit, records=both, manifest=manifest)
    anchor = world.anchor()
    assert judge(world.bundle(deposit, [anchor], ("old",)), world.trust()).verdict is Verdict.VALID
    report = refuse(world.bundle(deposit, [anchor], ("old", "new")), world.trust())
    assert failed(report) == {"record.content"}


# Files

NOT_THE_ONE = "this file is not the one that was sealed"


@pytest.mark.parametrize("content", [b"formule", b"formula2", b"", b"x" * 5_000_000])
def test_a_wrong_original_is_said_to_be_the_wrong_file(scene: Scene, content: bytes) -> None:
    members = relist({**scene.honest, "originals/0001": content}, scene.acme)
    report = refuse(members, scene.trust)
    assert failed(report) == {"original.match"}
    assert NOT_THE_ONE in words(report)


def test_originals_of_each_other(scene: Scene) -> None:
    one, two = scene.honest["originals/0001"], scene.honest["originals/0002"]
    members = relist({**scene.honest, "originals/0001": two, "originals/0002": one}, scene.acme)
    assert statuses(refuse(members, scene.trust), "original.match") == ["FAIL", "FAIL"]


def test_an_original_without_a_record(scene: Scene) -> None:
    members = relist({**scene.honest, "originals/0003": b"formula"}, scene.acme)
    assert failed(refuse(members, scene.trust)) == {"original.match"}


def test_a_wrong_file_beside_the_bundle(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_bytes(b"something else")
    report = judge(scene.honest, scene.trust, files=[path])
    assert failed(report) == {"original.match"}
    assert statuses(report, "original.match") == ["PASS", "PASS", "FAIL"]
    text = words(report)
    assert NOT_THE_ONE in text and "says nothing about the evidence itself" in " ".join(text.split())


def test_the_right_files_beside_the_bundle(scene: Scene, tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    members = scene.world.bundle(scene.first, [scene.anchor], OPENED)
    assert statuses(judge(members, scene.trust), "original.match") == ["NOT_PROVIDED"] * 2
    for files in ([tmp_path], [tmp_path / name for name in OPENED]):
        report = judge(members, scene.trust, files=files)
        assert statuses(report, "original.match") == ["PASS"] * 2
        assert report.verdict is Verdict.VALID
    (tmp_path / OPENED[0]).write_bytes(b"another")
    assert failed(judge(members, scene.trust, files=[tmp_path])) == {"original.match"}


@pytest.mark.parametrize("path", ["x" * 300, "/".join(["y" * 200] * 30), "a\nb", "~/x", "C:/x"])
def test_a_name_that_no_folder_can_hold_is_a_file_that_was_not_given(
    scene: Scene, tmp_path: Path, path: str
) -> None:
    """A record says what it likes: looking for its file must not end the whole verification."""
    world = scene.world
    deposit = world.deposit(scene.acme, {path: b"formula"})
    report = judge(world.bundle(deposit, [world.anchor()], (path,)), world.trust(), files=[tmp_path])
    assert statuses(report, "original.match") == ["NOT_PROVIDED"]
    assert report.verdict is Verdict.VALID


# The depositor's list


@pytest.mark.parametrize(
    "name", ["exhibits.pdf", "verify.html", "records/0009.json", "originals/0009", "records/1000000.json"]
)
def test_a_member_of_the_depositors_that_he_did_not_list(scene: Scene, name: str) -> None:
    data = scene.honest[RECORD] if name.startswith("records") else b"more"
    assert "bundle.members" in failed(refuse({**scene.honest, name: data}, scene.trust))


def test_a_list_for_another_statement(scene: Scene) -> None:
    members = relist(scene.honest, scene.acme, envelope_sha256="00" * 32)
    assert "bundle.signature" in failed(refuse(members, scene.trust))


@pytest.mark.parametrize(
    "name", ["anchors/0001.json", "bundle.dsse.json", "../x", "README.TXT", "originals/1"]
)
def test_a_list_with_a_name_that_is_not_the_depositors(scene: Scene, name: str) -> None:
    listed = {"README.txt": "00" * 32, name: "00" * 32}
    assert "bundle.signature" in failed(refuse(relist(scene.honest, scene.acme, members=listed), scene.trust))


def test_what_proves_itself_is_added_later_without_the_company(scene: Scene) -> None:
    """A newer head with its anchor, a fresher key status, observers: the list stays as it was."""
    world = scene.world
    members = scene.honest
    size, anchor = scene.late_anchor
    members[f"heads/{size}.tlog-proof"] = world.proof(scene.first.index, size)
    members["anchors/0002.json"] = anchor
    members["observations/0001.dsse.json"] = world.observe(scene.anchor_block)
    members["key-status.dsse.json"] = scene.bundles["second"]["key-status.dsse.json"]
    report = judge(members, scene.trust)
    assert report.verdict is Verdict.VALID
    assert statuses(report, "anchor.canonical") == ["PASS", "PASS"]
    before = judge(scene.honest, scene.trust)
    # The earliest anchor is the one that counts.
    assert report.latest == before.latest


def test_a_bundle_that_opens_nothing_proves_no_content(scene: Scene) -> None:
    members = relist(
        {n: d for n, d in scene.honest.items() if not n.startswith(("records/", "originals/"))}, scene.acme
    )
    report = refuse(members, scene.trust)
    assert report.verdict is Verdict.UNDETERMINED
    assert report.is_unchanged_since_anchored is False
