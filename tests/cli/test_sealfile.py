"""The seal file: whole or not at all, and its append-only tail."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.cli.errors import DataFault, InputFault, OutputFault
from mizheng.cli.sealfile import MAGIC, Deposit, Seal, Sealed, SealWriter, State

from tests.support.scale import scaled

KEY = bytes(range(32))
RECORDS = b'{"kind":"file","path":"a"}\n{"kind":"file","path":"b"}\n'


def write(path: Path, *, force: bool = False) -> State:
    with SealWriter(path, KEY, "2026-11-23T02:00:00Z", force=force) as writer:
        writer.add(RECORDS)
        state = State(Sealed("c" * 64, "key", 2, writer.records_sha256, "d" * 64, 1024))
        writer.finish(state)
    return state


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "name.seal"


DEPOSIT = Deposit("ZW52ZWxvcGU=", "e" * 64, "origin", None)


def test_written_and_read_back(path: Path) -> None:
    state = write(path)
    with Seal(path) as seal:
        assert seal.state == state
        assert seal.manifest_key == KEY
        assert list(seal.records()) == RECORDS.splitlines()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["name.seal"]


def test_private_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        write(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_states_are_appended_and_the_last_counts(path: Path) -> None:
    state = write(path)
    size = path.stat().st_size
    for answer in (None, {"leaf_index": 3}, {"leaf_index": 4}):
        with Seal(path, lock=True) as seal:
            state = seal.state.with_deposit(replace(DEPOSIT, answer=answer))
            seal.append(state)
            assert seal.state == state
    with Seal(path) as seal:
        assert seal.state == state
        assert len(list(seal.records())) == 2
    assert path.stat().st_size > size


def test_a_torn_last_line_is_ignored_and_overwritten(path: Path) -> None:
    """At whatever byte the power went: the state before counts, and writing goes on."""
    before = write(path)
    base = path.read_bytes()
    with Seal(path, lock=True) as seal:
        seal.append(before.with_deposit(DEPOSIT))
    whole = path.read_bytes()
    for cut in {*range(len(base), len(whole), scaled(9, 1)), len(base), len(base) + 1, len(whole) - 1}:
        path.write_bytes(whole[:cut])
        with Seal(path, lock=True) as seal:
            assert seal.state == before
            seal.append(before.with_deposit(DEPOSIT))
        assert path.read_bytes() == whole


def test_a_file_that_was_never_finished_is_no_seal(path: Path) -> None:
    write(path)
    whole = path.read_bytes()
    for cut in range(0, len(whole), scaled(3, 1)):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataFault):
            Seal(path)


def test_every_changed_byte_is_noticed(path: Path) -> None:
    write(path)
    whole = path.read_bytes()
    key_start = whole.index(b'"manifest_key":"') + 16
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        in_key = key_start <= place < key_start + 64
        in_time = b"created_at" in whole[:place] and place < key_start - 16
        try:
            with Seal(path) as seal:
                seal.check_records()
        except DataFault:
            continue
        # The salts and the tree hold the manifest key; its time is a note for people.
        assert in_key or in_time, place


def test_a_damaged_state_before_the_last_does_not_matter_and_the_last_does(path: Path) -> None:
    state = write(path)
    with Seal(path, lock=True) as seal:
        seal.append(state.with_deposit(DEPOSIT))
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataFault, match="damaged"):
        Seal(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((MAGIC, b"mizheng-seal/v2\n"), "later version"),
        ((MAGIC, b"PK\x03\x04"), "not a seal"),
        ((b'"encryption":"none"', b'"encryption":"age"'), "encrypted in a way"),
        ((b'"created_at"', b'"created_by"'), "damaged"),
    ],
)
def test_other_versions_and_other_files(path: Path, change: tuple[bytes, bytes], message: str) -> None:
    write(path)
    path.write_bytes(path.read_bytes().replace(*change))
    with pytest.raises(DataFault, match=message):
        Seal(path)


def test_missing_and_unreadable_paths(tmp_path: Path) -> None:
    with pytest.raises(InputFault):
        Seal(tmp_path / "missing.seal")
    with pytest.raises(InputFault):
        Seal(tmp_path)
    with pytest.raises(OutputFault):
        write(tmp_path / "missing" / "name.seal")
    with pytest.raises(OutputFault):
        write(tmp_path)


def test_nothing_is_overwritten_without_force(path: Path) -> None:
    path.write_bytes(b"precious")
    with pytest.raises(OutputFault, match="exists"):
        write(path)
    assert path.read_bytes() == b"precious"
    write(path, force=True)
    with Seal(path):
        pass


def test_a_name_taken_while_sealing_is_not_overwritten(path: Path) -> None:
    with SealWriter(path, KEY, "2026-11-23T02:00:00Z", force=False) as writer:
        writer.add(RECORDS)
        path.write_bytes(b"precious")
        with pytest.raises(OutputFault, match="exists"):
            writer.finish(State(Sealed("c" * 64, "key", 2, writer.records_sha256, "d" * 64, 1024)))
    assert path.read_bytes() == b"precious"
    assert [item.name for item in path.parent.iterdir()] == ["name.seal"]


def test_an_abandoned_seal_leaves_nothing(path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        SealWriter(path, KEY, "2026-11-23T02:00:00Z", force=False) as writer,
    ):
        writer.add(RECORDS)
        raise KeyboardInterrupt
    assert not list(path.parent.iterdir())


def test_a_full_disk_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path)
    assert not list(path.parent.iterdir())


def test_two_processes_take_turns(path: Path) -> None:
    state = write(path)
    held, done = threading.Event(), threading.Event()

    def second() -> None:
        held.wait()
        with Seal(path, lock=True) as seal:
            assert seal.state.deposit == DEPOSIT
            done.set()

    thread = threading.Thread(target=second)
    thread.start()
    with Seal(path, lock=True) as seal:
        held.set()
        assert not done.wait(0.2)
        seal.append(state.with_deposit(DEPOSIT))
    thread.join()
    assert done.is_set()


def test_large_states_are_found(path: Path) -> None:
    state = write(path)
    big = replace(state, evidence={"text": "x" * 3_000_000})
    with Seal(path, lock=True) as seal:
        seal.append(big)
        seal.append(big.with_deposit(DEPOSIT))
    with Seal(path) as seal:
        assert seal.state == big.with_deposit(DEPOSIT)
