"""Keeping in folders: what reaches the store, what comes back, what is refused."""

from __future__ import annotations

import errno
import hashlib
import io
import mmap
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
import pytest
from click.testing import CliRunner
from mizheng.cli.commands.retrieve import retrieve
from mizheng.cli.errors import (
    DataFault,
    OutputFault,
    PermissionFault,
    ReadWriteFault,
    UnavailableFault,
    UsageFault,
    WaitingFault,
)
from mizheng.cli.keeping import encrypting
from mizheng.cli.keeping import retrieve as retrieving
from mizheng.cli.keeping.record import SPOOL
from mizheng.cli.keeping.retrieve import place_for
from mizheng.cli.keeping.stores.address import normal_address
from mizheng.cli.keeping.stores.directory import DirectoryStore, Incoming
from mizheng.cli.keeping.stores.interface import Ciphertext
from pyrage import x25519

from tests.cli.keeping.homes import FILES, Kept, make, tree
from tests.cli.runner import Mizheng


@pytest.fixture
def kept(mizheng: Mizheng) -> Kept:
    return make(mizheng)


def test_the_command_keeps_checks_and_brings_back(mizheng: Mizheng) -> None:
    make(mizheng)
    done = mizheng("keep", "drawings.seal", "--json").ok().json["seals"][0]
    assert (done["originals"], done["new"], done["failed"]) == (3, 3, [])
    assert done["stores"] == [str(mizheng.home / "originals")]
    assert mizheng("keep", "drawings.seal", "--json").ok().json["seals"][0]["new"] == 0
    listed = mizheng("keep", "--list", "--json").ok().json["seals"][0]
    assert {item["name"] for item in listed["originals"]} == {f"drawings/{name}" for name in FILES}
    checked = mizheng("keep", "--check", "--json").ok().json["seals"][0]
    assert (checked["copies"], checked["faults"]) == (3, [])
    shutil.rmtree(mizheng.cwd / "drawings")
    mizheng("retrieve", "drawings.seal", "-o", "back").ok()
    assert tree(mizheng.cwd / "back" / "drawings") == FILES
    assert "0 originals retrieved" in mizheng("retrieve", "drawings.seal", "-o", "back").ok().out


def test_notarize_keeps_what_it_seals(company: Mizheng) -> None:
    (company.cwd / "deep").mkdir()
    (company.cwd / "deep" / "thing").write_bytes(b"the thing")
    done = company("notarize", "deep/thing", "--keep", "--json").ok().json
    assert (done["kept"]["originals"], done["state"]) == (1, "deposited")
    (company.cwd / "deep" / "thing").unlink()
    company("retrieve", "thing.seal", "-o", "back").ok()
    assert (company.cwd / "back" / "thing").read_bytes() == b"the thing"


def test_a_store_sees_ciphertext_and_no_names(kept: Kept) -> None:
    kept.keep("store")
    for path, data in tree(Path(kept.store("store"))).items():
        if not path.startswith("mizheng-store"):
            assert data.startswith(b"age-encryption.org/v1\n")
        for name, content in FILES.items():
            assert Path(name).stem not in path
            assert not content or content not in data
    for path in kept.folder.glob("store/??/*"):
        assert path.stat().st_mode & 0o077 == 0
    assert b"pump" not in kept.seal.with_suffix(".keeping").read_bytes()


def test_stock_age_opens_what_is_kept_for_the_escrow(kept: Kept, tmp_path: Path) -> None:
    identity = tmp_path / "escrow.txt"
    made = subprocess.run(["age-keygen", "-o", identity], capture_output=True, text=True, check=True)
    kept.mizheng("escrow", "add", made.stderr.split()[-1]).ok()
    kept.keep("store")
    opened = [
        subprocess.run(["age", "-d", "-i", identity, path], capture_output=True, check=True).stdout
        for path in kept.ciphertexts("store")
    ]
    assert sorted(opened) == sorted(FILES.values())


PIECE, MOST = encrypting._PIECE, encrypting._MOST


@pytest.mark.parametrize("size", [0, 1, PIECE, MOST - 1, MOST, MOST + 1, 9 * PIECE + 5])
def test_any_size_is_encrypted_whole(tmp_path: Path, size: int) -> None:
    """Around the size of what is read at once, and with every buffer used more than once."""
    data = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    identity = x25519.Identity.generate()
    written, ticks = bytearray(), []
    with path.open("rb", buffering=0) as file:
        made = encrypting.encrypt(file, [identity.to_public()], written.extend, ticks.append)
    assert pyrage.decrypt(bytes(written), [identity]) == data
    assert (made.original_sha256, made.original_size) == (hashlib.sha256(data).hexdigest(), size)
    assert made.ciphertext == Ciphertext(hashlib.sha256(written).hexdigest(), len(written))
    assert sum(ticks) == size


def test_a_file_that_gives_less_than_it_is_asked_for() -> None:
    """read(2) may, before the end too."""
    data = os.urandom(MOST + 5)

    class Stingy(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            return super().readinto(memoryview(buffer)[:70_000])

    identity = x25519.Identity.generate()
    written = bytearray()
    encrypting.encrypt(Stingy(data), [identity.to_public()], written.extend)
    assert pyrage.decrypt(bytes(written), [identity]) == data


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ours: a file that is forty times as large takes no more buffers."""
    made: list[int] = []
    honest = encrypting.mmap.mmap

    def count(fileno: int, size: int) -> mmap.mmap:
        made.append(size)
        return honest(fileno, size)

    monkeypatch.setattr(encrypting.mmap, "mmap", count)
    with (tmp_path / "file").open("w+b", buffering=0) as file:
        file.truncate(40 * PIECE)
        encrypting.encrypt(file, [x25519.Identity.generate().to_public()], lambda _data: None)
    assert sum(made) < 18 * PIECE


@pytest.mark.parametrize("size", [10, 9 * PIECE], ids=["small", "large"])
def test_a_file_that_cannot_be_read(size: int) -> None:
    """The error is the file's own, and no thread stays."""
    before = threading.active_count()

    class Broken(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            if self.tell() >= size // 2:
                raise OSError(errno.EIO, "broken")
            return super().readinto(buffer)

    with pytest.raises(OSError, match="broken") as caught:
        encrypting.encrypt(Broken(bytes(size)), [x25519.Identity.generate().to_public()], lambda _data: None)
    assert caught.value.errno == errno.EIO
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=["full", "Ctrl-C"]
)
@pytest.mark.parametrize("side", ["read", "written"])
def test_what_ends_it_midway_ends_its_threads_too(tmp_path: Path, error: BaseException, side: str) -> None:
    before = threading.active_count()
    pieces: list[int] = []

    def count(where: str, size: int) -> None:
        if where == side:
            pieces.append(size)
            if len(pieces) == 4:
                raise error

    with (tmp_path / "file").open("w+b", buffering=0) as file:
        file.truncate(9 * PIECE)
        with pytest.raises(type(error)) as caught:
            encrypting.encrypt(
                file,
                [x25519.Identity.generate().to_public()],
                lambda data: count("written", len(data)),
                lambda size: count("read", size),
            )
    assert caught.value is error
    assert threading.active_count() == before


def test_a_disk_that_takes_less_than_it_is_given(tmp_path: Path) -> None:
    """write(2) may: what is left is given again, not left out."""

    class Stingy(io.FileIO):
        def write(self, data: Any) -> int:
            return super().write(bytes(data[:1000]))

    with Stingy(tmp_path / "x", "w") as file:
        incoming = Incoming(tmp_path, tmp_path / "x", file)  # type: ignore[arg-type]
        incoming.write(memoryview(bytes(range(256)) * 20))
        location = incoming.finish("ab" * 32)
    assert (tmp_path / location).read_bytes() == bytes(range(256)) * 20


def test_what_is_not_what_was_sealed_is_not_kept(kept: Kept) -> None:
    (kept.folder / "drawings" / "pump.dwg").write_bytes(b"the pimp")
    (kept.folder / "drawings" / "empty").unlink()
    (kept.folder / "drawings" / "empty").symlink_to("/dev/zero")
    done = kept.keep("store")
    assert {label for label, _reason in done.failed} == {b"drawings/pump.dwg", b"drawings/empty"}
    assert len(kept.record().originals) == done.originals == 1
    # Nothing of it stays in the store.
    assert len(list(kept.folder.glob("store/*/*"))) == 1
    assert not list(kept.folder.glob("store/.*"))


def test_only_some_and_the_rest_later(kept: Kept) -> None:
    assert kept.keep("store", patterns=["drawings/pump.dwg"]).new == 1
    done = kept.retrieve()
    assert (len(done.files), done.not_kept) == (1, 2)
    assert kept.keep("store").new == 2


def test_what_is_encrypted_anew_replaces_what_was(kept: Kept) -> None:
    kept.keep("store")
    before = kept.ciphertexts("store")
    assert kept.keep("store", anew=True).new == 3
    after = kept.ciphertexts("store")
    assert not set(before) & set(after)
    assert set(kept.folder.glob("store/*/*")) == set(after)


def test_a_second_store_gets_the_same_ciphertexts(kept: Kept) -> None:
    kept.keep("one")
    shutil.rmtree(kept.folder / "drawings")
    assert kept.keep("one", "two").new == 0
    one, two = tree(Path(kept.store("one"))), tree(Path(kept.store("two")))
    assert one == two
    assert len(one) == 4


def test_a_store_that_dies_between_two_leaves_what_is_gone_on_with(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second store breaks at its second ciphertext, in the middle of it."""
    honest, calls = DirectoryStore.put, []

    def break_off(store: DirectoryStore, what, read):  # type: ignore[no-untyped-def]
        calls.append(what)
        if len(calls) != 2:
            return honest(store, what, read)

        def half(start: int):  # type: ignore[no-untyped-def]
            yield next(iter(read(start)))[: what.size // 2]
            raise KeyboardInterrupt

        return honest(store, what, half)

    monkeypatch.setattr(DirectoryStore, "put", break_off)
    with pytest.raises(KeyboardInterrupt):
        kept.keep("one", "two")
    monkeypatch.undo()
    (part,) = kept.folder.glob("two/*/.*.part")
    half = part.read_bytes()
    assert half
    done = kept.keep("one", "two")
    assert done.failed == []
    assert tree(Path(kept.store("one"))) == tree(Path(kept.store("two")))


@pytest.mark.parametrize("left", ["half", "other bytes", "too many"])
def test_half_an_upload_goes_on_or_is_done_anew(kept: Kept, left: str) -> None:
    kept.keep("one")
    original = kept.record().originals[2]
    data = Path(kept.store("one"), original.copies[kept.store("one")]).read_bytes()
    store = DirectoryStore(Path(kept.store("two")), is_known=False)
    part = Path(kept.store("two"), original.ciphertext.sha256[:2], f".{original.ciphertext.sha256}.part")
    part.parent.mkdir()
    part.write_bytes({"half": data[: len(data) // 2], "other bytes": b"x" * 5, "too many": data + b"x"}[left])
    starts: list[int] = []

    def read(start: int):  # type: ignore[no-untyped-def]
        starts.append(start)
        yield data[start:]

    if left == "other bytes":
        # What stands there is not its beginning: told once, then begun anew.
        with pytest.raises(DataFault):
            store.put(original.ciphertext, read)
    location = store.put(original.ciphertext, read)
    assert b"".join(store.read(location)) == data
    assert starts[0] == {"half": len(data) // 2, "other bytes": 5, "too many": 0}[left]
    # The same once more is harmless, and nothing is sent.
    count = len(starts)
    assert store.put(original.ciphertext, read) == location
    assert len(starts) == count


def test_a_store_that_was_there_and_is_not(kept: Kept) -> None:
    """A disk that is not mounted: its mount point is an empty folder, which must not become the store."""
    kept.keep("store")
    (kept.folder / "store").rename(kept.folder / "unmounted")
    (kept.folder / "store").mkdir()
    with pytest.raises(UnavailableFault, match="cannot be reached") as caught:
        kept.keep("store", "other")
    assert caught.value.hint
    assert list((kept.folder / "store").iterdir()) == []
    assert kept.check().exit_code == 2
    assert kept.retrieve().failed
    # Where it is now can be said.
    assert len(kept.retrieve(more_stores=[kept.store("unmounted")]).files) == 3


@pytest.mark.parametrize("place", ["one", "two"])
def test_a_store_that_is_full(kept: Kept, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """The first, in which age files are made, or the second, into which they are copied."""
    if place == "two":
        kept.keep("one")
    honest = os.fsync

    def full(descriptor: int) -> None:
        if (kept.folder / place) in Path(f"/proc/self/fd/{descriptor}").readlink().parents:
            raise OSError(errno.ENOSPC, "No space left on device")
        honest(descriptor)

    with monkeypatch.context() as patch:
        # The mark of a new store fits.
        DirectoryStore(kept.folder / place, is_known=False)
        patch.setattr(os, "fsync", full)
        with pytest.raises(ReadWriteFault, match="is full") as caught:
            kept.keep("one", "two")
    assert "make room" in caught.value.hint
    assert kept.keep("one", "two").failed == []
    assert tree(Path(kept.store("one"))) == tree(Path(kept.store("two")))
    assert not [path for path in kept.folder.rglob(".*") if path.is_file()]


def test_another_key_opens_nothing(kept: Kept, mizheng: Mizheng, tmp_path: Path) -> None:
    """Whoever opens the seal but was no recipient of an original: the escrow that came later."""
    kept.keep("store")
    identity = tmp_path / "escrow.txt"
    made = subprocess.run(["age-keygen", "-o", identity], capture_output=True, text=True, check=True)
    mizheng("escrow", "add", made.stderr.split()[-1]).ok()
    mizheng("escrow", "apply", "drawings.seal").ok()
    refused = mizheng("retrieve", "drawings.seal", "-o", "back", MIZHENG_SEAL_IDENTITY=str(identity))
    assert refused.code == PermissionFault.exit_code
    assert "MIZHENG_SEAL_IDENTITY" in refused.err
    assert tree(kept.folder / "back") == {}


def test_told_to_end_while_it_is_decrypted(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM in the middle of the command: nothing of the plaintext stays."""
    kept.keep("store")
    written: list[Path] = []

    def told_to_end(_source: object, _identities: object, file: BinaryIO) -> None:
        file.write(b"the pu")
        file.flush()
        written.extend(path for path in (kept.folder / "back").rglob("*") if path.is_file())
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(retrieving, "decrypt", told_to_end)
    monkeypatch.setenv("MIZHENG_HOME", str(kept.mizheng.home))
    back = str(kept.folder / "back")
    before = signal.getsignal(signal.SIGTERM)
    try:
        ended = CliRunner().invoke(retrieve, [str(kept.seal), "-o", back])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.exit_code != 0
    assert len(written) == 1
    assert [path for path in Path(back).rglob("*") if path.is_file()] == []


def test_nothing_is_overwritten_unasked(kept: Kept) -> None:
    kept.keep("store")
    mine = kept.folder / "back" / "drawings" / "pump.dwg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"my own")
    done = kept.retrieve()
    assert len(done.files) == 2
    assert isinstance(done.failed[0][1], OutputFault)
    assert mine.read_bytes() == b"my own"
    assert len(kept.retrieve(force=True).files) == 1
    assert mine.read_bytes() == FILES["pump.dwg"]


def test_a_link_on_the_way_leads_nowhere(kept: Kept, tmp_path: Path) -> None:
    kept.keep("store")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (kept.folder / "back").mkdir()
    (kept.folder / "back" / "drawings").symlink_to(elsewhere)
    done = kept.retrieve()
    assert len(done.failed) == 3
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("label", [b"../x", b"a/../../x", b"/x", b"a//x", b"a/./x", b""])
def test_names_that_lead_out_are_refused(tmp_path: Path, label: bytes) -> None:
    with pytest.raises(OutputFault):
        place_for(tmp_path / "back", label)
    assert not list(tmp_path.glob("x"))


def test_two_runs_at_once(kept: Kept) -> None:
    from mizheng.cli.keeping.record import KeepingRecord
    from mizheng.cli.keys.sealing import open_seal
    from mizheng.cli.sealfile.read import Seal

    with Seal(kept.seal) as seal:
        key = open_seal(seal, kept.mizheng.home).manifest_key
    with KeepingRecord(kept.seal, key, write=True), pytest.raises(WaitingFault):
        kept.keep("store")


def test_addresses(tmp_path: Path) -> None:
    assert normal_address("file:///srv/a%20b") == "/srv/a b"
    assert normal_address("s3://bucket/x/") == "s3://bucket/x"
    assert normal_address("ipfs+http://127.0.0.1:5001/") == "ipfs+http://127.0.0.1:5001"
    for text in ("s3://", "ftp://x", "ipfs+http://user:secret@host:1", "s3://bucket?x=y", "file://host/x"):
        with pytest.raises(UsageFault) as caught:
            normal_address(text)
        assert "secret" not in str(caught.value)


def test_the_spool_is_no_store() -> None:
    with pytest.raises(UsageFault):
        from mizheng.cli.keeping.stores.address import open_store

        open_store(f"{SPOOL}://", is_known=True)
