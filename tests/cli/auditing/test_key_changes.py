"""A log whose key changes is followed from the old key, and held to what its keys said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mizheng.cli.auditing.faults import UndecidedFault
from mizheng.cli.auditing.run import Audit
from mizheng.cli.auditing.source import open_source
from mizheng.cli.auditing.state import load_state, only_audit
from mizheng.cli.errors import DataFault, WaitingFault
from mizheng.cli.terminal.output import Progress
from mizheng.verifier.canonical import dump
from mizheng.verifier.logkeys import LOST, STOLEN
from mizheng.verifier.note import NoteSigner, NoteVerifier
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import Trust, TrustedLog

from tests.cli.auditing.changing import ChangingFiles
from tests.cli.auditing.conftest import NOW, Auditor
from tests.support.staticlog import ORIGIN, StaticLog


@pytest.fixture
def changing(tmp_path: Path) -> ChangingFiles:
    """300 entries, signed by the first key."""
    return ChangingFiles.at(tmp_path / "log")


def trust_of(*logs: TrustedLog) -> Trust:
    return Trust("t", "2026-11-23T00:00:00Z", "2036-11-23T00:00:00Z", logs, (), (), 1, ())


def test_followed_from_the_old_key(changing: ChangingFiles, auditor: Auditor) -> None:
    """On its very first audit, over two changes; later ones need no key."""
    changing.change()
    changing.log.grow(310)
    changing.change()
    changing.log.grow(320)
    found = auditor(changing.folder, changing.vkeys[0])
    assert (found.checked, found.vkeys) == (320, changing.vkeys)
    kept = load_state(auditor.state, ())
    assert kept is not None
    assert kept.head.verifier.vkey == changing.vkeys[2]
    assert kept.key_changes == tuple(item.note for item in changing.changes)
    changing.log.grow(330)
    assert auditor(changing.folder).checked == 10
    # The old key goes on being a way to name the log.
    assert auditor(changing.folder, changing.vkeys[0]).checked == 0


def test_resumed_across_a_change(changing: ChangingFiles, auditor: Auditor) -> None:
    assert auditor(changing.folder, changing.vkeys[0]).checked == 300
    assert b"key_changes" not in auditor.state.read_bytes()
    changing.change()
    changing.log.grow(340)
    found = auditor(changing.folder)
    assert found.checked == 40
    assert found.head is not None
    assert found.head.verifier.vkey == changing.vkeys[1]


def test_interrupted_in_between(changing: ChangingFiles, auditor: Auditor) -> None:
    """The head was remembered, its entries were not read yet, and then the key changed."""

    class Cut(Progress):
        def advance(self, *_counts: int) -> None:
            raise KeyboardInterrupt

    source = open_source(str(changing.folder))
    audit = Audit(source, auditor.state, (NoteVerifier.from_vkey(changing.vkeys[0]),))
    with pytest.raises(KeyboardInterrupt):
        audit.run(Cut("auditing"), now=NOW)
    changing.change()
    # The first bundle was checked before; what follows is signed by the new key.
    assert auditor(changing.folder).checked == 301 - 256


@pytest.mark.parametrize(("reason", "word"), [(STOLEN, "stolen"), (LOST, "lost")])
def test_no_key_hands_over_after_theft_or_loss(
    changing: ChangingFiles, auditor: Auditor, reason: str, word: str
) -> None:
    auditor(changing.folder, changing.vkeys[0])
    change = changing.change(reason)
    changing.log.grow(310)
    with pytest.raises(UndecidedFault, match=f"its key was {word}") as caught:
        auditor(changing.folder)
    assert "new trust file" in caught.value.hint
    # With one, the audit goes on where it was.
    ranges = [
        TrustedLog(change.change.old, 0, change.change.last_size),
        TrustedLog(change.change.new, 301, None),
    ]
    assert auditor(changing.folder, trust=trust_of(*ranges)).checked == 10


def test_a_trust_file_is_not_added_to(changing: ChangingFiles, auditor: Auditor) -> None:
    old = changing.log.signer.verifier
    auditor(changing.folder, trust=trust_of(TrustedLog(old, 0, None)))
    change = changing.change()
    with pytest.raises(UndecidedFault, match="which the trust file does not name"):
        auditor(changing.folder, trust=trust_of(TrustedLog(old, 0, None)))
    # Nor is a key believed for sizes that it gives to another one.
    late = trust_of(TrustedLog(old, 0, 400), TrustedLog(change.change.new, 401, None))
    with pytest.raises(UndecidedFault, match="does not believe this key for a log of 301 entries"):
        auditor(changing.folder, trust=late)
    new = trust_of(TrustedLog(old, 0, 300), TrustedLog(change.change.new, 301, None))
    assert auditor(changing.folder, trust=new).checked == 1


def test_what_no_believed_key_signed(changing: ChangingFiles, auditor: Auditor, tmp_path: Path) -> None:
    """A stranger's log under the same name, with a history of keys of its own, or one that is none."""
    auditor(changing.folder, changing.vkeys[0])
    theirs = ChangingFiles.at(tmp_path / "theirs")
    theirs.change()
    with pytest.raises(UndecidedFault, match="not signed by a key that you believe"):
        auditor(theirs.folder)
    # Claiming that the believed key was lost: an issuer of that name can be made by anybody.
    fake = ChangingFiles(StaticLog(tmp_path / "fake", NoteSigner(ORIGIN, PrivateKey.generate())).grow(300))
    own = fake.log.signer
    fake.log.signer = changing.log.signer
    fake.change(LOST, own)
    with pytest.raises(UndecidedFault, match="its key was lost"):
        auditor(fake.folder)
    for data in (b"", b"{}", b"<html>not here</html>", bytes(100)):
        changing.show_bytes(data)
        auditor(changing.folder)


def test_the_old_key_signs_on(changing: ChangingFiles, auditor: Auditor) -> None:
    """After it had signed that another key takes its place: whoever holds it broke that word."""
    old = changing.log.signer
    changing.change()
    new, changing.log.signer = changing.log.signer, old
    changing.log.grow(310)
    fault = auditor.finds(changing.folder, changing.vkeys[0])
    assert fault.kind == "key-change"
    assert "a log of 310 entries" in str(fault)
    assert fault.notes == ((changing.folder / "checkpoint").read_bytes(),)
    assert fault.details["key_change"] == changing.changes[0].note.decode()
    # The new key's own head is well; but what was seen of the old one stays seen.
    changing.log.signer = new
    changing.log.publish()
    Auditor(auditor.state.with_name("other.json"))(changing.folder, changing.vkeys[0])


def test_what_the_old_key_signed_was_seen(changing: ChangingFiles, auditor: Auditor) -> None:
    """An auditor saw 310 entries of the old key; then the log shows that it ended at 300."""
    honest = ChangingFiles.at(changing.folder.with_name("copy"))
    honest.log.signer = changing.log.signer
    auditor(changing.log.grow(310).folder, changing.vkeys[0])
    honest.change()
    honest.log.grow(320)
    fault = auditor.finds(honest.folder, changing.vkeys[0])
    # The trees differ as well: the entry of the change stands where another one was seen.
    assert fault.kind in ("key-change", "equivocation")
    assert len(fault.notes) >= 1


def test_two_changes_of_one_key(changing: ChangingFiles, auditor: Auditor, tmp_path: Path) -> None:
    other = ChangingFiles(StaticLog(tmp_path / "other", changing.log.signer).grow(300))
    first = changing.change()
    auditor(changing.folder, changing.vkeys[0])
    second = other.change()
    changing.show(other.changes, other.log.signer)
    fault = auditor.finds(changing.folder)
    assert fault.kind == "key-change"
    assert fault.details["key_changes"] == sorted([first.note.decode(), second.note.decode()])
    # And where everything is another history: both heads convict it.
    fault = auditor.finds(other.folder, changing.vkeys[0])
    assert fault.kind == "equivocation"
    assert len(fault.notes) == 2


def test_a_change_that_is_not_in_the_tree(changing: ChangingFiles, auditor: Auditor, tmp_path: Path) -> None:
    """The keys are the same; the change was announced in another history."""
    fresh = NoteSigner(ORIGIN, PrivateKey.generate())
    elsewhere = ChangingFiles(StaticLog(tmp_path / "elsewhere", changing.log.signer).grow(300, b"other"))
    elsewhere.change(fresh=fresh)
    alike = ChangingFiles(StaticLog(tmp_path / "alike", changing.log.signer).grow(300))
    alike.change(fresh=fresh)
    changing.log.signer = fresh
    changing.log.grow(310)
    for shown, expected in (
        (elsewhere, "names another root for 300"),
        (alike, "entry 300 of the log is not"),
    ):
        changing.show(shown.changes, fresh)
        fault = auditor.finds(changing.folder, changing.vkeys[0])
        assert fault.kind == "key-change"
        assert expected in str(fault)
        assert fault.details["key_change"] == shown.changes[0].note.decode()
        assert fault.notes


def test_a_state_that_was_written_by_hand(changing: ChangingFiles, auditor: Auditor) -> None:
    changing.change()
    auditor(changing.folder, changing.vkeys[0])
    value = json.loads(auditor.state.read_bytes())
    for wrong in ([1], ["no note"], [value["key_changes"][0].replace("last 300", "last 299")]):
        auditor.state.write_bytes(dump({**value, "key_changes": wrong}))
        with pytest.raises(DataFault, match="is not the state of an audit"):
            auditor(changing.folder)


def test_two_audits_of_one_state(changing: ChangingFiles, auditor: Auditor) -> None:
    """The second would take the first one's place in the file, and each forget what the other one saw."""
    with only_audit(auditor.state):
        with pytest.raises(WaitingFault, match="another audit"):
            auditor(changing.folder, changing.vkeys[0])
        assert not auditor.state.exists()
    assert auditor(changing.folder, changing.vkeys[0]).checked == 300


def test_a_theft_behind_a_planned_change(changing: ChangingFiles, auditor: Auditor) -> None:
    """Followed as far as the keys handed over, and no further; the auditor is told why."""
    changing.change()
    changing.log.grow(310)
    changing.change(STOLEN)
    with pytest.raises(UndecidedFault, match="its key was stolen"):
        auditor(changing.folder, changing.vkeys[0])
    assert auditor(changing.folder, changing.vkeys[2]).checked == 311
