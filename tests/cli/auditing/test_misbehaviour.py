"""Every way in which a log can be wrong: found, named, with evidence that others can check."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mizheng.cli.auditing.faults import MisbehaviourFault, UndecidedFault
from mizheng.verifier.canonical import from_base64
from mizheng.verifier.checkpoint import Checkpoint, open_checkpoint
from mizheng.verifier.merkle import verify_consistency
from mizheng.verifier.note import NoteSigner, NoteVerifier
from mizheng.verifier.signature import PrivateKey

from tests.cli.auditing.conftest import Auditor
from tests.cli.runner import Mizheng
from tests.support.staticlog import ORIGIN, StaticLog, make_entry

Branch = Callable[[int, int], StaticLog]


def test_a_bit_in_an_entry(log: StaticLog, auditor: Auditor) -> None:
    log.flip(log.bundle(1), 7 * 91 + 50)
    fault = auditor.finds(log.folder, log.vkey)
    assert (fault.kind, fault.values["entry"]) == ("entry", 256 + 7)
    # What stands before it is kept as checked, the fault is found again.
    assert json.loads(auditor.state.read_bytes())["audited"] == 256
    assert auditor.finds(log.folder).kind == "entry"


@pytest.mark.parametrize("position", [0, 1, 91 * 200, -1])
def test_a_bit_anywhere_in_a_bundle(position: int, log: StaticLog, auditor: Auditor) -> None:
    # Also in the lengths, after which the rest reads as something else.
    log.flip(log.bundle(0), position)
    assert auditor.finds(log.folder, log.vkey).kind == "entry"


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data[:-91], lambda data: data + data[:91]]
)
def test_a_bundle_cut_short_or_longer(
    change: Callable[[bytes], bytes], log: StaticLog, auditor: Auditor
) -> None:
    for index in (0, 2):
        place = log.folder / log.bundle(index)
        whole = place.read_bytes()
        place.write_bytes(change(whole))
        assert auditor.finds(log.folder, log.vkey).kind == "entry"
        place.write_bytes(whole)
    assert auditor(log.folder).checked


@pytest.mark.parametrize("index", [0, 1])
def test_a_bit_in_a_full_tile(index: int, log: StaticLog, auditor: Auditor) -> None:
    log.flip(log.tile(0, index), 1000)
    fault = auditor.finds(log.folder, log.vkey)
    assert (fault.kind, fault.values["path"]) == ("tile", f"tile/0/00{index}")


def test_entry_and_tile_changed_alike(log: StaticLog, auditor: Auditor, branch: Branch) -> None:
    # Consistent with each other, not with what was signed.
    other = branch(3, 700)
    for path in (log.bundle(0), log.tile(0, 0)):
        log.write(path, (other.folder / path).read_bytes())
    assert auditor.finds(log.folder, log.vkey).kind == "tile"


@pytest.mark.parametrize(("level", "index"), [(0, 2), (1, 0)])
def test_a_bit_in_the_right_edge(level: int, index: int, log: StaticLog, auditor: Auditor) -> None:
    log.flip(log.tile(level, index), 5)
    assert auditor.finds(log.folder, log.vkey).kind == "root"


def test_a_bit_in_a_full_tile_of_level_1(big: StaticLog, auditor: Auditor) -> None:
    big.flip("tile/1/000", 4000)
    fault = auditor.finds(big.folder, big.vkey)
    assert (fault.kind, fault.values["path"]) == ("tile", "tile/1/000")


@pytest.mark.parametrize("cut", [1, 32, 8191])
def test_a_tile_cut_short(cut: int, log: StaticLog, auditor: Auditor) -> None:
    place = log.folder / log.tile(0, 1)
    place.write_bytes(place.read_bytes()[:-cut])
    assert auditor.finds(log.folder, log.vkey).kind == "tile"


@pytest.mark.parametrize("path", ["tile/1/000.p/2", "tile/0/002.p/188"])
@pytest.mark.parametrize("change", [lambda data: data[:-32], lambda data: data + data[:32], lambda data: b""])
def test_a_tile_at_the_edge_cut_short_or_longer(
    path: str, change: Callable[[bytes], bytes], log: StaticLog, auditor: Auditor
) -> None:
    place = log.folder / path
    place.write_bytes(change(place.read_bytes()))
    assert auditor.finds(log.folder, log.vkey).kind == "root"


@pytest.mark.parametrize("which", ["bundle", "tile"])
@pytest.mark.parametrize("index", [0, 2])
def test_a_file_that_is_missing(which: str, index: int, log: StaticLog, auditor: Auditor) -> None:
    path = log.bundle(index) if which == "bundle" else log.tile(0, index)
    (log.folder / path).unlink()
    fault = auditor.finds(log.folder, log.vkey)
    assert (fault.kind, fault.values["path"]) == ("missing", path)


def test_a_full_tile_of_level_1_that_is_missing(big: StaticLog, auditor: Auditor) -> None:
    (big.folder / "tile/1/000").unlink()
    assert auditor.finds(big.folder, big.vkey).kind == "missing"


def test_a_signed_root_that_is_not_the_trees(log: StaticLog, auditor: Auditor) -> None:
    log.sign(Checkpoint(ORIGIN, 700, bytes(32)))
    assert auditor.finds(log.folder, log.vkey).kind == "root"


def test_an_empty_tree_with_a_root(log: StaticLog, auditor: Auditor) -> None:
    log.sign(Checkpoint(ORIGIN, 0, bytes(32)))
    assert auditor.finds(log.folder, log.vkey).kind == "root"


def test_one_size_two_roots(log: StaticLog, auditor: Auditor, branch: Branch) -> None:
    auditor(log.folder, log.vkey)
    fault = auditor.finds(branch(650, 700).folder)
    assert fault.kind == "equivocation"
    check_equivocation(fault, log.vkey)
    # The state stays with what was seen first.
    assert auditor(log.folder).checked == 0


@pytest.mark.parametrize(
    ("at", "size"), [(0, 701), (5, 900), (256, 1000), (512, 701), (699, 2000), (699, 66_000)]
)
def test_a_fork_that_grew(at: int, size: int, log: StaticLog, auditor: Auditor, branch: Branch) -> None:
    auditor(log.folder, log.vkey)
    fault = auditor.finds(branch(at, size).folder)
    assert fault.kind == "equivocation"
    check_equivocation(fault, log.vkey)


@pytest.mark.parametrize(("at", "size"), [(5, 600), (500, 512), (255, 256)])
def test_a_fork_that_is_smaller(at: int, size: int, log: StaticLog, auditor: Auditor, branch: Branch) -> None:
    auditor(log.folder, log.vkey)
    # It shows the other branch's checkpoint, and still the tiles of its own.
    log.write("checkpoint", (branch(at, size).folder / "checkpoint").read_bytes())
    fault = auditor.finds(log.folder)
    assert fault.kind == "equivocation"
    check_equivocation(fault, log.vkey)


def test_a_fork_met_in_the_middle_of_an_audit(log: StaticLog, auditor: Auditor, branch: Branch) -> None:
    log.flip(log.bundle(2), 40)
    auditor.finds(log.folder, log.vkey)
    # 512 entries were checked under a head of 700; another branch of that head is one all the same.
    assert auditor.finds(branch(690, 800).folder).kind == "equivocation"


def test_a_log_that_went_back(log: StaticLog, auditor: Auditor) -> None:
    old = (log.folder / "checkpoint").read_bytes()
    log.grow(900)
    auditor(log.folder, log.vkey)
    log.write("checkpoint", old)
    fault = auditor.finds(log.folder)
    assert fault.kind == "shrunk"
    sizes = [open_checkpoint(note, [NoteVerifier.from_vkey(log.vkey)])[0].size for note in fault.notes]
    assert sizes == [900, 700]


def test_a_log_restored_from_a_backup(log: StaticLog, auditor: Auditor, tmp_path: Path) -> None:
    auditor(log.folder, log.vkey)
    assert auditor.finds(StaticLog(tmp_path / "old", log.signer).grow(300).folder).kind == "shrunk"
    # And from there on another way.
    lost = StaticLog(tmp_path / "lost", log.signer).grow(300).grow(800, b"again")
    assert auditor.finds(lost.folder).kind == "equivocation"


def test_the_same_checkpoint_over_other_tiles(log: StaticLog, auditor: Auditor, branch: Branch) -> None:
    auditor(log.folder, log.vkey)
    other = branch(5, 900)
    log.grow(900)
    (other.folder / "checkpoint").write_bytes((log.folder / "checkpoint").read_bytes())
    fault = auditor.finds(other.folder)
    assert fault.kind == "root"
    assert len(fault.notes) == 2


def test_the_key_signs_for_another_log(log: StaticLog, auditor: Auditor) -> None:
    log.sign(Checkpoint("log.example/other", 700, log.root))
    assert auditor.finds(log.folder, log.vkey).kind == "origin"


@pytest.mark.parametrize("name", [ORIGIN, "log.example/other"])
def test_another_key_says_nothing_about_the_log(name: str, log: StaticLog, auditor: Auditor) -> None:
    log.sign(Checkpoint(name, 700, log.root), NoteSigner(name, PrivateKey.generate()))
    with pytest.raises(UndecidedFault):
        auditor(log.folder, log.vkey)
    assert not auditor.state.exists()


@pytest.mark.parametrize("position", [0, 20, 30, -10])
def test_a_bit_in_the_checkpoint(position: int, log: StaticLog, auditor: Auditor) -> None:
    log.flip("checkpoint", position)
    with pytest.raises(UndecidedFault):
        auditor(log.folder, log.vkey)


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff" * 100, b"a" * (1 << 20)])
def test_what_is_no_checkpoint(data: bytes, log: StaticLog, auditor: Auditor) -> None:
    log.write("checkpoint", data)
    with pytest.raises(UndecidedFault):
        auditor(log.folder, log.vkey)


def test_evidence_is_written_once_and_never_over_another(
    log: StaticLog, bare: Mizheng, tmp_path: Path, branch: Branch
) -> None:
    state = tmp_path / "audits" / "state.json"
    bare("audit", str(log.folder), "--key", log.vkey, "--since", state).ok()
    fork = branch(9, 900)
    first = bare("audit", str(fork.folder), "--since", state)
    assert first.code == 1
    assert "error: equivocation: the log signed 700 entries and 900 entries" in first.err
    (path,) = state.parent.glob("state-equivocation-*.json")
    assert f"evidence: {path}" in first.err
    evidence = json.loads(path.read_bytes())
    assert (evidence["type"], evidence["kind"]) == ("mizheng/audit-evidence/v1", "equivocation")
    assert evidence["vkeys"] == [log.vkey] and len(evidence["checkpoints"]) == 2
    again = bare("audit", str(fork.folder), "--since", state, "--json")
    assert (again.code, again.json["result"], again.json["evidence"]) == (1, "misbehaved", str(path))
    assert (again.json["finding"], again.json["checked"]) == ("equivocation", 0)
    assert list(state.parent.glob("state-equivocation-*.json")) == [path]
    path.write_bytes(b"something else")
    third = bare("audit", str(fork.folder), "--since", state, "--json")
    assert third.json["evidence"] != str(path)
    assert path.read_bytes() == b"something else"


def test_undecided_is_told_apart(log: StaticLog, bare: Mizheng) -> None:
    other = NoteSigner(ORIGIN, PrivateKey.generate())
    result = bare("audit", str(log.folder), "--key", other.vkey, "--json")
    assert (result.code, result.json["result"], result.json["evidence"]) == (2, "undetermined", None)
    assert "nothing is held against the log" in result.err


def test_evidence_that_cannot_be_written_is_said(
    log: StaticLog, bare: Mizheng, tmp_path: Path, branch: Branch
) -> None:
    folder = tmp_path / "audits"
    state = folder / "state.json"
    bare("audit", str(log.folder), "--key", log.vkey, "--since", state).ok()
    log.flip(log.bundle(1), 100)
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    result = bare("audit", str(log.folder), "--key", log.vkey, "--since", state)
    assert result.code in (66, 73, 74)


def check_equivocation(fault: MisbehaviourFault, vkey: str) -> None:
    """As a stranger would: both notes signed by the key, and no tree has both for heads."""
    verifier = NoteVerifier.from_vkey(vkey)
    one, two = (open_checkpoint(note, [verifier])[0] for note in fault.notes)
    old, new = sorted((one, two), key=lambda head: head.size)
    if old.size == new.size:
        assert old.root != new.root
        return
    details = fault.details
    assert (details["old_size"], details["new_size"]) == (old.size, new.size)
    proof = details["consistency_proof"]
    assert isinstance(proof, list)
    root_in_new = from_base64(details["old_root_in_new_tree"])
    verify_consistency(old.size, root_in_new, new.size, new.root, [from_base64(item) for item in proof])
    assert root_in_new != old.root


def test_entries_are_91_bytes_in_these_tests() -> None:
    assert len(make_entry(0)) + 2 == 91
