"""Looking after what is kept: loss, rot, what was swapped; repair; the record of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from mizheng.cli.errors import DataFault
from mizheng.cli.keeping.journal import Journal, path_of

from tests.cli.keeping.homes import FILES, Kept, make, tree
from tests.cli.runner import Mizheng


@pytest.fixture
def kept(mizheng: Mizheng) -> Kept:
    kept = make(mizheng)
    kept.keep("one", "two")
    return kept


def lose(kept: Kept) -> None:
    kept.ciphertexts("one")[0].unlink()


def rot(kept: Kept) -> None:
    path = kept.ciphertexts("one")[0]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut(kept: Kept) -> None:
    path = kept.ciphertexts("one")[0]
    path.write_bytes(path.read_bytes()[:-1])


def swap(kept: Kept) -> None:
    """By another valid ciphertext, for the same key."""
    first, second, _third = kept.ciphertexts("one")
    shutil.copyfile(second, first)


def break_sector(kept: Kept) -> None:
    """What a disk says of a sector it cannot read: EIO, as of this process' memory at address 0."""
    path = kept.ciphertexts("one")[0]
    path.unlink()
    path.symlink_to("/proc/self/mem")


HARM = {"lost": lose, "rotten": rot, "cut": cut, "swapped": swap, "unreadable": break_sector}


@pytest.mark.parametrize("harm", HARM)
def test_what_is_wrong_is_found_and_repaired_from_the_other_store(kept: Kept, harm: str) -> None:
    HARM[harm](kept)
    finding = harm if harm in ("lost", "unreadable") else "rotten"
    seen = kept.check(repair=False)
    assert [(fault.finding, fault.store) for fault in seen.faults] == [(finding, kept.store("one"))]
    assert seen.exit_code == 1
    repaired = kept.check()
    assert (repaired.exit_code, [fault.is_repaired for fault in repaired.faults]) == (3, [True])
    assert kept.check().exit_code == 0
    assert tree(Path(kept.store("one"))) == tree(Path(kept.store("two")))


@pytest.mark.parametrize("harm", HARM)
def test_retrieving_passes_over_a_copy_that_is_not_whole(kept: Kept, harm: str) -> None:
    HARM[harm](kept)
    done = kept.retrieve()
    assert (len(done.files), done.failed, len(done.passed_over)) == (3, [], 1)
    assert tree(kept.folder / "back" / "drawings") == FILES


@pytest.mark.parametrize("harm", HARM)
def test_without_another_copy_nothing_of_it_gets_a_name(mizheng: Mizheng, harm: str) -> None:
    kept = make(mizheng)
    kept.keep("one")
    HARM[harm](kept)
    done = kept.retrieve()
    assert (len(done.files), len(done.failed)) == (2, 1)
    assert sorted(tree(kept.folder / "back")) == sorted(
        str(path.relative_to(kept.folder / "back")) for path in done.files
    )
    assert kept.check().exit_code == 1


def test_a_copy_that_decrypts_to_another_sealed_file_is_refused(kept: Kept) -> None:
    """The record itself says so, as only its own key's holder could make it: the seal has the last word."""
    record = kept.record()
    first, second = record.originals[2], record.originals[3]
    with Journal(kept.seal, manifest_key(kept), write=True) as journal:
        what = second.ciphertext
        journal.append(
            {
                "at": "2026-11-23T02:00:00Z",
                "event": "kept",
                "record": 2,
                "sha256": what.sha256,
                "size": what.size,
                "recipients": [],
            },
            *(
                {
                    "at": "2026-11-23T02:00:00Z",
                    "event": "copied",
                    "record": 2,
                    "store": store,
                    "location": where,
                }
                for store, where in second.copies.items()
            ),
        )
    done = kept.retrieve()
    assert len(done.files) == 2
    assert "not the file that was sealed" in str(done.failed[0][1])
    assert first.ciphertext != second.ciphertext


def manifest_key(kept: Kept) -> bytes:
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal

    with Seal(kept.seal) as seal:
        return open_seal(seal, kept.mizheng.home).manifest_key


def test_every_check_is_written_down(kept: Kept) -> None:
    lose(kept)
    head = kept.check().head
    with Journal(kept.seal, manifest_key(kept), write=False) as journal:
        last = journal.events[-1]
        assert journal.head == head
    assert (last["event"], last["copies"], len(last["faults"])) == ("checked", 6, 1)
    assert last["faults"][0]["repaired"] is True
    assert kept.check().head != head


def test_the_command_says_what_is_wrong(kept: Kept) -> None:
    rot(kept)
    repaired = kept.mizheng("keep", "--check")
    assert repaired.code == 3
    assert "rotten, repaired" in repaired.err
    assert "pump" not in repaired.out + repaired.err
    for store in ("one", "two"):
        kept.ciphertexts(store)[0].unlink()
    lost = kept.mizheng("keep", "--check", "drawings.seal")
    assert lost.code == 1
    assert "hint:" in lost.err
    kept.mizheng("keep", "drawings.seal", "--anew", "--store", "one").ok()
    assert kept.mizheng("keep", "--check").code == 0
    assert kept.mizheng("keep", "--check", "--store", "x").code == 64


@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_a_record_that_was_changed_does_not_open(kept: Kept, where: str) -> None:
    path = path_of(kept.seal)
    lines = path.read_bytes().splitlines(keepends=True)
    place = {"first": 1, "middle": len(lines) // 2, "last": -1}[where]
    line = bytearray(lines[place])
    line[20] = ord("A") if line[20] != ord("A") else ord("B")
    lines[place] = bytes(line)
    path.write_bytes(b"".join(lines))
    with pytest.raises(DataFault, match="was changed"):
        kept.retrieve()


@pytest.mark.parametrize("trick", ["taken out", "twice", "exchanged", "magic"])
def test_events_keep_their_order_and_number(kept: Kept, trick: str) -> None:
    path = path_of(kept.seal)
    lines = path.read_bytes().splitlines(keepends=True)
    if trick == "taken out":
        del lines[2]
    elif trick == "twice":
        lines.insert(2, lines[2])
    elif trick == "exchanged":
        lines[2], lines[3] = lines[3], lines[2]
    else:
        lines[0] = b"mizheng-keeping/v9\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(DataFault):
        kept.check()


def test_a_line_that_was_half_written_is_dropped(kept: Kept) -> None:
    path = path_of(kept.seal)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[-1][:-5])
    assert kept.check().exit_code == 0
    assert path.read_bytes().startswith(whole)
    assert kept.check().exit_code == 0


def test_the_record_of_another_seal_does_not_open(kept: Kept, mizheng: Mizheng) -> None:
    (mizheng.cwd / "drawings" / "new").write_bytes(os.urandom(5))
    mizheng("seal", "drawings", "-o", "other.seal").ok()
    shutil.copyfile(path_of(kept.seal), mizheng.cwd / "other.keeping")
    assert mizheng("keep", "--check", "other.seal").code == 65
