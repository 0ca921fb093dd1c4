"""The seal file: whole or not at all, and its append-only tail."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.cli.errors import DataFault, InputFault, OutputFault
from mizheng.cli.sealfile import flushing
from mizheng.cli.sealfile.box import Box, Secret
from mizheng.cli.sealfile.content import Content, unfinished_pieces
from mizheng.cli.sealfile.labels import NO_STAMP, Entry, Stamp, pack_entry
from mizheng.cli.sealfile.read import Seal, read_header
from mizheng.cli.sealfile.segments import MAGIC
from mizheng.cli.sealfile.state import Deposit, State
from mizheng.cli.sealfile.write import MIN_KEPT_TREE, Previous, SealWriter, part_path
from mizheng.cli.sealing.hashing import Digests
from mizheng.cli.sealing.records import RecordWriter
from mizheng.verifier.errors import FormatError, MizhengError
from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.signature import PrivateKey
from pyrage import x25519

from tests.support.scale import scaled

KEY = bytes(range(32))
SECRET = Secret(bytes(range(32, 64)), KEY)
NAMES = (b"a", b"folder/b", b"\xff")
PUBLIC_KEY = PrivateKey.generate("ed25519").public
IDENTITY = x25519.Identity.generate()
MADE_AT = "2026-11-23T02:00:00Z"


def record(name: bytes) -> bytes:
    digests = Digests(1, "a" * 64, "b" * 64, 0, NO_STAMP)
    return RecordWriter(KEY).file(name, digests)


RECORDS = [record(name) for name in NAMES]


def open_writer(path: Path, *, force: bool = False) -> SealWriter:
    return SealWriter(path, SECRET, [IDENTITY.to_public()], MADE_AT, force=force)


def add(writer: SealWriter, names: Sequence[bytes]) -> None:
    lines = b"".join(record(name) + b"\n" for name in names)
    writer.add(lines, b"".join(pack_entry("file", name, STAMP) for name in names), len(names))


STAMP = Stamp(1, 2, 3, 4)


def finish(writer: SealWriter, previous: Previous | None = None) -> State:
    return writer.finish(Manifest(map(leaf_hash, RECORDS), KEY), PUBLIC_KEY, previous)


def write(path: Path, *, force: bool = False) -> State:
    with open_writer(path, force=force) as writer:
        add(writer, NAMES[:1])
        add(writer, NAMES[1:])
        return finish(writer)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "name.seal"


DEPOSIT = Deposit("ZW52ZWxvcGU=", "e" * 64, "origin", None)


def test_written_and_read_back(path: Path) -> None:
    state = write(path)
    with Seal(path) as seal:
        assert seal.state == state
        assert seal.created_at == MADE_AT
        content = Content(seal, unwrap(seal))
        assert content.manifest_key == KEY
        assert list(content.records()) == RECORDS
        assert [entry for _place, entry in content.entries()] == [
            Entry("file", name, STAMP) for name in NAMES
        ]
        assert [content.record(place) for place, _entry in content.entries()] == RECORDS
        assert content.previous is None
        for opened in content.prove(RECORDS):
            opened.verify(bytes.fromhex(state.sealed.commitment), PUBLIC_KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["name.seal"]


def unwrap(seal: Seal, identity: x25519.Identity = IDENTITY) -> Secret:
    found = Secret.unwrap(seal.wrapped_keys, [identity])
    assert found is not None
    return found


def test_what_opens_a_seal_is_not_shown() -> None:
    """As a traceback or a log line would print it."""
    secret = Secret(b"S" * 32, b"M" * 32)
    assert repr(secret) == str(secret) == "Secret()"


def test_nothing_of_the_records_can_be_read_without_the_key(path: Path) -> None:
    write(path)
    data = path.read_bytes()
    for line in RECORDS:
        fields = json.loads(line)
        for secret in (fields["salt"], fields["sha256"], "folder", KEY.hex()):
            assert secret.encode() not in data
    with Seal(path) as seal:
        assert Secret.unwrap(seal.wrapped_keys, [x25519.Identity.generate()]) is None


def test_the_key_is_in_a_file_that_stock_age_opens(path: Path, tmp_path: Path) -> None:
    age = shutil.which("age")
    assert age, "Debian's age is missing: apt-get install age"
    write(path)
    with Seal(path) as seal:
        (tmp_path / "key.age").write_bytes(seal.wrapped_keys[0].age)
    (tmp_path / "identity.txt").write_text(f"{IDENTITY}\n")
    command = [age, "--decrypt", "-i", str(tmp_path / "identity.txt"), str(tmp_path / "key.age")]
    assert subprocess.run(command, capture_output=True, check=True).stdout == SECRET.segment_key + KEY


def test_a_further_recipient_opens_it_too(path: Path) -> None:
    write(path)
    escrow = x25519.Identity.generate()
    with Seal(path, lock=True) as seal:
        wrapped = unwrap(seal).wrap([escrow.to_public()])
        seal.append(replace(seal.state, keys=(wrapped,)))
    with Seal(path) as seal:
        assert list(Content(seal, unwrap(seal, escrow)).records()) == RECORDS


@pytest.mark.parametrize("count", [3, MIN_KEPT_TREE // 2 + 1, 40_000])
def test_proofs_from_kept_levels_are_those_of_the_tree(path: Path, count: int) -> None:
    names = [b"%d" % number for number in range(count)]
    records = [record(name) for name in names]
    manifest = Manifest(map(leaf_hash, records), KEY)
    with open_writer(path) as writer:
        for start in range(0, count, 1000):
            add(writer, names[start : start + 1000])
        writer.finish(manifest, PUBLIC_KEY)
    with Seal(path) as seal:
        content = Content(seal, unwrap(seal))
        asked = [records[0], records[count // 2], records[-1]]
        assert content.prove(asked) == [manifest.open(item) for item in asked]
        with pytest.raises(MizhengError):
            content.prove([record(b"never sealed")])


def test_an_unfinished_seal_gives_its_whole_pieces(path: Path) -> None:
    """At whatever byte it was cut: what comes back is what was written, as far as it goes."""
    with pytest.raises(KeyboardInterrupt), open_writer(path) as writer:
        add(writer, NAMES[:1])
        add(writer, NAMES[1:])
        raise KeyboardInterrupt
    assert [item.name for item in path.parent.iterdir()] == [".name.seal.part"]
    part = part_path(path)
    whole = part.read_bytes()
    counts = set()
    for cut in {*range(0, len(whole), scaled(7, 1)), len(whole)}:
        part.write_bytes(whole[:cut])
        with pytest.raises((DataFault, InputFault)):
            Seal(part)
        with part.open("rb") as file:
            try:
                _made_at, _keys, start = read_header(file, part)
            except DataFault:
                continue
            found = list(unfinished_pieces(file, start, SECRET))
        records = [line for _labels, lines in found for line in lines.splitlines()]
        assert records == RECORDS[: len(records)]
        counts.add(len(records))
    assert counts == {0, 1, 3}


def test_two_runs_do_not_write_one_seal(path: Path) -> None:
    with open_writer(path) as first:
        add(first, NAMES)
        with pytest.raises(OutputFault, match="another run"):
            open_writer(path)
        finish(first)
    with Seal(path) as seal:
        assert Content(seal, unwrap(seal)).count == 3


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
        assert list(Content(seal, unwrap(seal)).records()) == RECORDS
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
    """Before the states, without the key; and with the key, in whatever is read."""
    write(path)
    whole = path.read_bytes()
    for place in range(0, len(whole), scaled(3, 1)):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(DataFault), Seal(path) as seal:
            seal.check_body()


def test_segments_do_not_stand_in_for_each_other(path: Path) -> None:
    write(path)
    box = Box(SECRET)
    closed = box.close("records", 3, b"text")
    assert box.open("records", 3, closed) == b"text"
    for kind, number in (("labels", 3), ("records", 2)):
        with pytest.raises(FormatError):
            box.open(kind, number, closed)
    with pytest.raises(FormatError):
        Box(Secret.generate(KEY)).open("records", 3, closed)


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
        ((MAGIC, b"mizheng-seal/v3\n"), "another version"),
        ((MAGIC, b"PK\x03\x04"), "not a seal"),
        ((b'"encryption":"age"', b'"encryption":"gpg"'), "encrypted in a way"),
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
    with open_writer(path) as writer:
        add(writer, NAMES)
        path.write_bytes(b"precious")
        with pytest.raises(OutputFault, match="exists"):
            finish(writer)
    assert path.read_bytes() == b"precious"
    assert [item.name for item in path.parent.iterdir()] == ["name.seal"]


def test_a_seal_that_failed_leaves_nothing(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_writer(path) as writer:
        add(writer, NAMES)
        raise ZeroDivisionError
    assert not list(path.parent.iterdir())


def test_a_full_disk_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputFault, match="No space"):
        write(path)
    assert not list(path.parent.iterdir())


def test_a_part_that_did_not_reach_the_disk_is_not_forgotten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells it once, and here it tells it to the thread that flushed, not at the end."""
    told = iter([OSError(5, "Input/output error")])

    def lose_one(_descriptor: int) -> None:
        for error in told:
            raise error

    monkeypatch.setattr(os, "fsync", lose_one)
    monkeypatch.setattr(flushing, "_BYTES", 1)
    with pytest.raises(OutputFault, match="Input/output"):
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
