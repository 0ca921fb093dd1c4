"""The history of a log's keys: what a change says, and every way in which it may not be believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.checkpoint import parse_checkpoint
from mizheng.verifier.entry import entry_leaf
from mizheng.verifier.errors import (
    FormatError,
    KeyFormatError,
    NotBelievedError,
    ProofError,
    SignatureError,
)
from mizheng.verifier.logkeys import (
    LOST,
    STOLEN,
    KeyChange,
    LoggedChange,
    LogKeys,
    check_logged,
    issuer_name,
    open_believed,
    parse_key_change,
    parse_log_keys,
)
from mizheng.verifier.note import NoteSigner, NoteVerifier, join_note, parse_note, signature_line
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.witnessing import read_checkpoint

from tests.support.keychanges import ChangingLog

REFUSALS = (FormatError, ProofError, KeyFormatError)


def test_what_is_signed() -> None:
    log = ChangingLog().grow(3)
    logged = log.change()
    change = logged.change
    old, new = (signer.vkey for signer in log.signers)
    assert change.text().decode().split("\n") == [
        "mizheng/log-key-change/v1",
        "origin log.example/1",
        "size 3",
        f"root {change.text().decode().split()[6]}",
        "last 3",
        f"old {old}",
        f"new {new}",
        "reason scheduled",
        "at 2026-12-01T00:00:00Z",
        "",
    ]
    found = parse_key_change(logged.note)
    assert found.text() == change.text()
    assert (found.size, found.old.vkey, found.new.vkey) == (3, old, new)


def test_it_is_no_checkpoint_and_no_checkpoint_is_one() -> None:
    """Whatever a log is called: what its key signs as the one is never taken for the other."""
    for origin in ("log.example/1", "mizheng/log-key-change/v1", "7"):
        log = ChangingLog(origin).grow(2)
        note = log.change().note
        text = parse_note(note).text
        with pytest.raises(FormatError):
            parse_checkpoint(text)
        with pytest.raises(FormatError):
            # Also by the rules for other logs' checkpoints, which may have further lines.
            read_checkpoint(parse_note(note))
        with pytest.raises(FormatError):
            parse_key_change(log.head())


def test_a_key_that_was_never_changed() -> None:
    log = ChangingLog().grow(3)
    keys = parse_log_keys(log.keys.dump())
    assert [(item.first_size, item.last_size) for item in keys.ranges] == [(0, None)]
    assert keys.changes_after(log.signer.vkey) == ()


def test_ranges() -> None:
    log = ChangingLog().grow(3)
    log.change()
    log.grow(4)
    log.change(STOLEN, last=5)
    log.grow(1)
    log.change(LOST)
    keys = parse_log_keys(log.keys.dump())
    assert [(item.verifier.vkey, item.first_size, item.last_size) for item in keys.ranges] == [
        (log.signers[0].vkey, 0, 3),
        (log.signers[1].vkey, 4, 5),
        (log.signers[2].vkey, 9, 10),
        (log.signers[3].vkey, 11, None),
    ]
    assert [len(keys.changes_after(signer.vkey) or ()) for signer in log.signers] == [3, 2, 1, 0]
    assert keys.changes_after(ChangingLog().signer.vkey) is None
    assert keys.dump() == log.keys.dump()


def test_who_may_sign_which_size() -> None:
    log = ChangingLog().grow(3)
    log.change()
    old, new = log.signers
    ranges = log.keys.ranges
    assert open_believed(log.head(new), ranges)[0].size == 4
    with pytest.raises(ProofError, match="not trusted for tree size 4"):
        open_believed(log.head(old), ranges)
    log.leaves = log.leaves[:3]
    assert open_believed(log.head(old), ranges)[1].verifier.vkey == old.vkey
    with pytest.raises(ProofError, match="not trusted for tree size 3"):
        open_believed(log.head(new), ranges)
    # Of two ranges for one key either will do: a trust file may have been written so.
    twice = [dataclasses.replace(ranges[1], first_size=0, last_size=3), ranges[1]]
    assert open_believed(log.head(new), twice)[1].last_size == 3


def test_a_key_that_is_not_known_yet_is_no_failure() -> None:
    """A trust file may be older than the last change; a broken line of a known key is another matter."""
    log = ChangingLog().grow(3)
    log.change()
    old, new = log.signers
    known = log.keys.ranges[:1]
    with pytest.raises(NotBelievedError):
        open_believed(log.head(new), known)
    note = parse_note(log.head(new))
    renamed = signature_line(old.verifier.name, old.verifier.key_hash, note.signatures[0].signature)
    with pytest.raises(SignatureError):
        open_believed(join_note(note.text, [renamed]), known)


def wrong_signers(log: ChangingLog) -> bytes:
    return log.draft().sign(log.signer, NoteSigner(log.origin, PrivateKey.generate()))


def old_key_alone(log: ChangingLog) -> bytes:
    fresh = NoteSigner(log.origin, PrivateKey.generate())
    text = log.draft(new=fresh.verifier).text()
    return join_note(text, [log.signer.sign(text)])


def new_key_alone(log: ChangingLog) -> bytes:
    fresh = NoteSigner(log.origin, PrivateKey.generate())
    text = log.draft(new=fresh.verifier).text()
    return join_note(text, [fresh.sign(text)])


def made(log: ChangingLog, **values: object) -> bytes:
    """Well signed, by the old key and a new one."""
    fresh = NoteSigner(log.origin, PrivateKey.generate())
    return log.draft(**{"new": fresh.verifier, **values}).sign(log.signer, fresh)  # type: ignore[arg-type]


def other_order(log: ChangingLog) -> bytes:
    fresh = NoteSigner(log.origin, PrivateKey.generate())
    return log.draft(new=fresh.verifier).sign(fresh, log.signer)


def a_third_signature(log: ChangingLog) -> bytes:
    note = made(log)
    return note + log.issuer.sign(parse_note(note).text)


def to_itself(log: ChangingLog) -> bytes:
    return log.draft(new=log.signer.verifier).sign(log.signer, log.signer)


def of_another_log(log: ChangingLog) -> bytes:
    fresh = NoteSigner("log.example/2", PrivateKey.generate())
    return log.draft(new=fresh.verifier).sign(log.signer, fresh)


def lost_without_issuer(log: ChangingLog) -> bytes:
    return made(log, reason=LOST, issuer=None)


def issuer_without_loss(log: ChangingLog) -> bytes:
    fresh = NoteSigner(log.origin, PrivateKey.generate())
    return log.draft(new=fresh.verifier, issuer=log.issuer.verifier).sign(fresh, log.issuer)


def lost_by_itself(log: ChangingLog) -> bytes:
    """The new key under the issuer's name: whoever finds a log could take it over."""
    key = PrivateKey.generate()
    fresh, issuer = NoteSigner(log.origin, key), NoteSigner(issuer_name(log.origin), key)
    change = log.draft(LOST, new=fresh.verifier, issuer=issuer.verifier)
    return change.sign(fresh, issuer)


def issuer_of_another_name(log: ChangingLog) -> bytes:
    fresh, issuer = (NoteSigner(log.origin, PrivateKey.generate()) for _ in range(2))
    return log.draft(LOST, new=fresh.verifier, issuer=issuer.verifier).sign(fresh, issuer)


def ends_early(log: ChangingLog) -> bytes:
    return made(log, last_size=1)


def ends_late(log: ChangingLog) -> bytes:
    return made(log, reason=STOLEN, last_size=4)


def unknown_reason(log: ChangingLog) -> bytes:
    return made(log, reason="tired of it")


def short_root(log: ChangingLog) -> bytes:
    return made(log, root=b"abc")


def no_instant(log: ChangingLog) -> bytes:
    return made(log, changed_at="yesterday")


def one_bit(log: ChangingLog) -> bytes:
    return made(log).replace(b"size 3", b"size 2")


FORGERIES: list[Callable[[ChangingLog], bytes]] = [
    wrong_signers,
    old_key_alone,
    new_key_alone,
    other_order,
    a_third_signature,
    to_itself,
    of_another_log,
    lost_without_issuer,
    issuer_without_loss,
    lost_by_itself,
    issuer_of_another_name,
    ends_early,
    ends_late,
    unknown_reason,
    short_root,
    no_instant,
    one_bit,
]


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_what_is_no_change(forge: Callable[[ChangingLog], bytes]) -> None:
    log = ChangingLog().grow(3)
    parse_key_change(made(log))
    with pytest.raises(REFUSALS):
        parse_key_change(forge(log))


def test_it_has_to_stand_in_the_log() -> None:
    log = ChangingLog().grow(3)
    logged = log.change()
    assert check_logged(logged.change, logged.note, logged.tlog_proof) == logged
    other = ChangingLog().grow(3)
    theirs = other.change()
    for proof in (
        log.proof(2),  # another place
        log.proof(3, log.signers[0]),  # in a head that the old key signed
        theirs.tlog_proof,  # in another log
        log.grow(1).proof(3),  # in a later head
    ):
        with pytest.raises(ProofError):
            check_logged(logged.change, logged.note, proof)
    # Another change in its place.
    with pytest.raises(ProofError):
        check_logged(logged.change, made(log), logged.tlog_proof)


def edited(keys: LogKeys, edit: Callable[[list[object]], object]) -> bytes:
    value = parse(keys.dump())
    assert isinstance(value, dict)
    changes = value["changes"]
    assert isinstance(changes, list)
    edit(changes)
    return dump(value)


def test_a_history_goes_on_from_one_key_to_the_next() -> None:
    log = ChangingLog().grow(3)
    for _ in range(3):
        log.change()
        log.grow(2)
    parse_log_keys(log.keys.dump())
    for edit in (
        lambda changes: changes.pop(1),  # a step left out
        lambda changes: changes.pop(2),  # it does not end at the present key
        lambda changes: changes.reverse(),
        lambda changes: changes.append(changes[-1]),
    ):
        with pytest.raises(ProofError, match="does not go on"):
            parse_log_keys(edited(log.keys, edit))
    # Without its first step it may be the history of a log that began so; it leads from another key.
    later = parse_log_keys(edited(log.keys, lambda changes: changes.pop(0)))
    assert later.changes_after(log.signers[0].vkey) is None


def test_a_key_never_comes_back() -> None:
    log = ChangingLog().grow(3)
    first = log.signer
    log.change()
    second = log.signer
    change = log.draft(new=first.verifier)
    note = change.sign(second, first)
    log.leaves.append(entry_leaf(note))
    log.signer = first
    log.changes.append(LoggedChange(change, note, log.proof(change.size)))
    with pytest.raises(ProofError, match="does not go on"):
        parse_log_keys(log.keys.dump())


def test_the_history_of_another_log() -> None:
    log, other = ChangingLog().grow(1), ChangingLog("log.example/2").grow(1)
    log.change()
    other.change()
    value = parse(log.keys.dump())
    assert isinstance(value, dict)
    for name, foreign in (("origin", "log.example/2"), ("log_vkey", other.signer.vkey)):
        with pytest.raises(REFUSALS):
            parse_log_keys(dump({**value, name: foreign}))
    mixed = LogKeys(log.signer.verifier, (*other.changes, *log.changes))
    with pytest.raises(REFUSALS):
        parse_log_keys(mixed.dump())


def test_what_nobody_signed() -> None:
    """One flipped bit anywhere in the history and it is no history."""
    log = ChangingLog().grow(2)
    log.change()
    data = log.keys.dump()
    for place in range(0, len(data), 7):
        broken = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(REFUSALS):
            parse_log_keys(broken)


def test_signing_is_deterministic() -> None:
    """The entry is the note's digest: the same change has one note."""
    log = ChangingLog().grow(2)
    fresh = NoteSigner(log.origin, PrivateKey.generate())
    change: KeyChange = log.draft(new=fresh.verifier)
    assert change.sign(log.signer, fresh) == change.sign(log.signer, fresh)
    again = NoteVerifier.from_vkey(fresh.vkey)
    assert dataclasses.replace(change, new=again).text() == change.text()
