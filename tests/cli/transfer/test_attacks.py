"""What a recipient must refuse, with nothing of it left on his disk and nothing signed."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest
from mizheng.cli.errors import CommandError, DataFault, PermissionFault
from mizheng.cli.files import refuse_existing
from mizheng.cli.terminal.ending import end_in_order
from mizheng.cli.transfer import receiving, store
from mizheng.cli.transfer.container import CUSTODY, DOCUMENT, Measured, Papers, encrypt, measure
from mizheng.cli.transfer.documents import BUNDLE_MEMBER, Acceptance, Sent, Withdrawal, parse_transfer
from mizheng.cli.transfer.names import check_distinct, check_name
from mizheng.cli.transfer.receiving import Received, receive
from mizheng.verifier.errors import FormatError
from mizheng.verifier.signature import PrivateKey
from pyrage import x25519

from tests.cli.transfer import forging
from tests.cli.transfer.forging import closed, forged, left_behind, opened, session, signed_anew
from tests.cli.transfer.sides import Sides

Members = dict[str, bytes]
NOW = "2026-11-30T00:00:00Z"


@pytest.fixture
def sent(sides: Sides) -> Sides:
    sides.send()
    return sides


def take(sides: Sides, path: Path, now: int = 0) -> Received:
    import time

    return receive(
        session(sides.court), path, None, now or int(time.time()), folder=sides.court.cwd / "taken"
    )


def refused(sides: Sides, path: Path, fault: type[CommandError], text: str, now: int = 0) -> None:
    with pytest.raises(fault) as found:
        take(sides, path, now)
    assert text in str(found.value)
    assert left_behind(sides) == []
    assert not store.load_all(sides.court.home, store.ReceivedTransfer)


def test_what_is_changed_nowhere_is_received(sent: Sides) -> None:
    """So that the others fail for their defect alone."""
    assert take(sent, forged(sent, lambda found: None)).record.acceptance is not None


def test_encrypted_to_another(sent: Sides) -> None:
    import pyrage

    path = sent.court.cwd / "other.age"
    path.write_bytes(pyrage.encrypt(opened(sent), [x25519.Identity.generate().to_public()]))
    refused(sent, path, PermissionFault, "another key than yours")


def test_made_for_another_and_passed_on(sent: Sides) -> None:
    other = str(x25519.Identity.generate().to_public())
    path = forged(sent, lambda found: signed_anew(sent, found, recipient_age=other))
    refused(sent, path, PermissionFault, "made for somebody else")


def test_expired(sent: Sides) -> None:
    refused(sent, sent.court.cwd / "court.age", PermissionFault, "this transfer expired", now=4_000_000_000)


def test_withdrawn(sent: Sides) -> None:
    identifier = sent.sender("transfers", "--json").ok().json["transfers"][0]["id"]
    sent.sender("transfers", "withdraw", identifier[:8], "-o", sent.court.cwd / "back.json").ok()
    assert sent.sender("transfers", "--json").ok().json["transfers"][0]["state"] == "withdrawn"
    sent.court("transfers", "import", "back.json").ok()
    refused(sent, sent.court.cwd / "court.age", PermissionFault, "has withdrawn this transfer")


def test_withdrawn_by_somebody_else_is_not_withdrawn(sent: Sides) -> None:
    stranger = PrivateKey.generate()
    identifier = sent.sender("transfers", "--json").ok().json["transfers"][0]["id"]
    withdrawal = Withdrawal(stranger.public, identifier, NOW).sign(stranger)
    store.keep_withdrawal(sent.court.home, withdrawal)
    assert take(sent, sent.court.cwd / "court.age").record.acceptance is not None


@pytest.mark.parametrize("left", [0, 10, 150, 70_000, -1])
def test_cut_short(sent: Sides, left: int) -> None:
    data = (sent.court.cwd / "court.age").read_bytes()
    path = sent.court.cwd / "cut.age"
    path.write_bytes(data[:left])
    with pytest.raises(DataFault):
        take(sent, path)
    assert left_behind(sent) == []


@pytest.mark.parametrize("place", [60, 300, 100_000, -1])
def test_one_byte_changed(sent: Sides, place: int) -> None:
    data = bytearray((sent.court.cwd / "court.age").read_bytes())
    data[place] ^= 1
    path = sent.court.cwd / "changed.age"
    path.write_bytes(data)
    with pytest.raises(CommandError):
        take(sent, path)
    assert left_behind(sent) == []


def test_another_transfer_in_its_place(sent: Sides) -> None:
    """An earlier one of the same sender is a transfer of its own: its number tells it apart."""
    first = sent.sender("transfers", "--json").ok().json["transfers"][0]["id"]
    second = sent.send(name="second.age")
    (sent.court.cwd / "second.age").write_bytes((sent.court.cwd / "court.age").read_bytes())
    assert take(sent, sent.court.cwd / "second.age").record.id == first != second["id"]


def _document_changed(found: Members) -> None:
    found[DOCUMENT] = found[DOCUMENT].replace(b'"sig":"', b'"sig":"AA')


def _signature_swapped(found: Members) -> None:
    stranger = PrivateKey.generate()
    transfer = replace(parse_transfer(found[DOCUMENT]), public_key=stranger.public)
    found[DOCUMENT] = transfer.sign(stranger)


def test_signed_by_a_stranger(sent: Sides) -> None:
    refused(sent, forged(sent, _signature_swapped), PermissionFault, "nothing here says whose key")


def _other_content(found: Members) -> None:
    found["files/0001"] = b"X" + found["files/0001"][1:]


def test_a_file_that_was_not_signed_for(sent: Sides) -> None:
    refused(sent, forged(sent, _other_content), DataFault, "is not the file that the sender signed for")


_REFUSED: dict[str, Callable[[Members], Any]] = {
    "no document": lambda found: found.pop(DOCUMENT),
    "a broken document": _document_changed,
    "a file too many": lambda found: found.update({"files/0002": b""}),
    "a file that is missing": lambda found: found.pop("files/0001"),
    "a longer file": lambda found: found.update({"files/0001": found["files/0001"] + b"x"}),
    "a path that climbs": lambda found: found.update({"../escaped": b""}),
    "an absolute path": lambda found: found.update({"/tmp/escaped": b""}),
    "a hand-over that is not named": lambda found: found.update({CUSTODY: b"{}"}),
}


@pytest.mark.parametrize("defect", _REFUSED)
def test_members_are_what_the_transfer_says(sent: Sides, defect: str) -> None:
    refused(sent, forged(sent, _REFUSED[defect]), DataFault, "what was decrypted is not a transfer")


def _deflated(plain: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in forging.members(plain).items():
            archive.writestr(name, data)
    return made.getvalue()


def _bomb(plain: bytes) -> bytes:
    """A few kilobytes that say, and would unpack to, a gigabyte are never unpacked."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in forging.members(plain).items():
            archive.writestr(name, b"\0" * (8 << 20) if name == "files/0001" else data)
    return made.getvalue()


def _twice(plain: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive, pytest.warns(UserWarning):
        for name, data in [*forging.members(plain).items(), (DOCUMENT, b"{}")]:
            archive.writestr(name, data)
    return made.getvalue()


def _huge_size(plain: bytes) -> bytes:
    """The size of the last member in the directory, and nowhere else: four exbibytes less one."""
    at = plain.rfind(b"PK\x01\x02")
    return plain[: at + 20] + b"\xfe\xff\xff\xff" * 2 + plain[at + 28 :]


@pytest.mark.parametrize(
    "trick",
    [
        _deflated,
        _bomb,
        _twice,
        _huge_size,
        lambda plain: b"MZ" + plain,
        lambda plain: plain + b"PK",
        lambda plain: plain[:-30],
        lambda _plain: b"",
        lambda _plain: b"no ZIP at all",
    ],
    ids=["deflated", "bomb", "twice", "huge", "before", "after", "cut", "empty", "text"],
)
def test_tricks_with_the_zip(sent: Sides, trick: Callable[[bytes], bytes]) -> None:
    refused(sent, closed(sent, trick(opened(sent))), DataFault, "what was decrypted is not a transfer")


def test_a_size_beyond_all_disks_that_the_sender_signed(sent: Sides) -> None:
    def change(found: Members) -> None:
        files = parse_transfer(found[DOCUMENT]).files
        signed_anew(sent, found, files=(files[0], replace(files[1], size=2**52)))

    refused(sent, forged(sent, change), DataFault, "what was decrypted is not a transfer")


def test_a_bundle_that_is_invalid(sent: Sides) -> None:
    def change(found: Members) -> None:
        inner = forging.members(found[BUNDLE_MEMBER])
        inner["README.txt"] += b"and more"
        found[BUNDLE_MEMBER] = forging.pack(inner)
        digest = hashlib.sha256(found[BUNDLE_MEMBER]).hexdigest()
        files = parse_transfer(found[DOCUMENT]).files
        bundle = Sent(files[0].name, len(found[BUNDLE_MEMBER]), digest)
        signed_anew(sent, found, files=(bundle, *files[1:]))

    refused(sent, forged(sent, change), DataFault, "the bundle in this transfer is invalid")


def test_a_bundle_of_another_deposit_than_the_transfer_says(sent: Sides) -> None:
    path = forged(sent, lambda found: signed_anew(sent, found, envelope_sha256="ab" * 32))
    refused(sent, path, DataFault, "of another deposit")


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", ".hidden", "a/b", "a\\b", "/etc/passwd", "C:x", "nul", "COM1.txt", "a\nb", "a\x00b"),
        *("end.", "end ", "a\u202egnp.exe", "x" * 256, "acceptance.dsse.json", "Transfer.DSSE.json", "a*b"),
        "\udcff",
    ],
)
def test_names_that_could_be_more_than_a_name(name: str) -> None:
    with pytest.raises(FormatError):
        check_name(name)


def test_names_that_are_one_elsewhere() -> None:
    with pytest.raises(FormatError):
        check_distinct(["Pump.dwg", "pump.DWG"])
    assert check_name("图纸 (3).dwg") == "图纸 (3).dwg"


def test_a_file_that_changes_while_it_is_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before")
    found: Measured = measure(path, "a")
    path.write_bytes(b"after!")
    recipient = x25519.Identity.generate().to_public()
    with pytest.raises(DataFault, match="changed while it was read"):
        encrypt(io.BytesIO(), recipient, Papers(b"{}", None, None), [found])


def test_interrupted_while_it_is_encrypted(tmp_path: Path) -> None:
    """Ctrl-C is an interruption, and no fault of the encryption."""
    path = tmp_path / "a"
    path.write_bytes(b"whole")

    def interrupt(_size: int) -> None:
        raise KeyboardInterrupt

    recipient = x25519.Identity.generate().to_public()
    with pytest.raises(KeyboardInterrupt):
        encrypt(io.BytesIO(), recipient, Papers(b"{}", None, None), [measure(path, "a")], interrupt)


def test_told_to_end_while_it_is_decrypted(sent: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM in the middle: nothing of the plaintext stays."""

    def told_to_end(source: IO[bytes], target: IO[bytes], identities: object) -> None:
        target.write(opened(sent))
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(receiving, "decrypt", told_to_end)
    try:
        end_in_order()
        with pytest.raises(KeyboardInterrupt):
            take(sent, sent.court.cwd / "court.age")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert left_behind(sent) == []


def test_an_acceptance_counts_by_the_key_of_the_recipient_alone(sent: Sides) -> None:
    stranger = PrivateKey.generate()
    identifier = sent.sender("transfers", "--json").ok().json["transfers"][0]["id"]
    made = Acceptance(stranger.public, identifier, NOW, "valid", True, None, None, bytes(32))
    path = sent.sender.cwd / "acceptance.json"
    path.write_bytes(made.sign(stranger))
    refused_import = sent.sender("transfers", "import", path)
    assert refused_import.code == 77
    assert "signed by another key than that of court" in refused_import.err
    assert sent.sender("transfers", "--json").ok().json["transfers"][0]["state"] == "sent"


def test_an_acceptance_of_something_never_sent(sides: Sides) -> None:
    key = PrivateKey.generate()
    path = sides.sender.cwd / "acceptance.json"
    path.write_bytes(Acceptance(key.public, "ab" * 32, NOW, "valid", True, None, None, bytes(32)).sign(key))
    assert sides.sender("transfers", "import", path).code == 65


def test_the_target_is_never_written_over(sent: Sides) -> None:
    (sent.court.cwd / "taken").mkdir()
    with pytest.raises(CommandError):
        take(sent, sent.court.cwd / "court.age")
    assert list((sent.court.cwd / "taken").iterdir()) == []
    refuse_existing(sent.court.cwd / "free", force=False)


def test_an_acceptance_by_a_key_that_was_revoked(sent: Sides) -> None:
    """Whoever stole the recipient's keys signs for what he read with them."""
    identifier = sent.sender("transfers", "--json").ok().json["transfers"][0]["id"]
    sent.receive().ok()
    acceptance = sent.court.cwd / f"transfer-{identifier[:8]}" / "acceptance.dsse.json"
    sent.sender("recipients", "revoke", "court").ok()
    refused_import = sent.sender("transfers", "import", acceptance)
    assert refused_import.code == 77
    assert "was revoked here" in refused_import.err
    assert sent.sender("transfers", "--json").ok().json["transfers"][0]["state"] == "sent"
