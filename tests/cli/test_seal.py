"""`mizheng seal` on a real file system: what is recorded, what is left behind, what is told."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from mizheng.cli.sealfile.read import Seal
from mizheng.verifier.manifest import Manifest
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.record import Record, parse_record
from mizheng.verifier.signature import PublicKey

from tests.cli.runner import Mizheng
from tests.cli.seals import opened, record_lines
from tests.cli.test_walking import ODD_NAMES
from tests.support.scale import scaled


def read(mizheng: Mizheng, name: str) -> dict[tuple[str, bytes], Record]:
    records = [parse_record(line) for line in record_lines(mizheng, name)]
    return {(record.kind, record.label): record for record in records}


def test_a_folder_is_sealed(mizheng: Mizheng) -> None:
    folder = mizheng.cwd / "图纸"
    (folder / "子目录").mkdir(parents=True)
    (folder / "泵.dwg").write_bytes(b"pump")
    (folder / "子目录" / "空.txt").touch()
    (folder / "link").symlink_to("泵.dwg")
    result = mizheng("seal", "图纸", "--json").ok()
    found = read(mizheng, "图纸.seal")
    assert set(found) == {
        ("environment", b""),
        ("file", "图纸/泵.dwg".encode()),
        ("file", "图纸/子目录/空.txt".encode()),
        ("link", "图纸/link".encode()),
    }
    fields = found["file", "图纸/泵.dwg".encode()].fields
    assert fields["sha256"] == hashlib.sha256(b"pump").hexdigest()
    assert fields["sm3"] == hashlib.new("sm3", b"pump").hexdigest()
    assert fields["size"] == 4
    assert found["link", "图纸/link".encode()].fields["target"] == "泵.dwg"
    with Seal(mizheng.cwd / "图纸.seal") as seal:
        sealed = seal.state.sealed
    with opened(mizheng, "图纸.seal") as content:
        manifest = Manifest(map(leaf_hash, content.records()), content.manifest_key)
    assert manifest.tree_size == sealed.tree_size == 1024
    assert manifest.root.hex() == sealed.root_hash
    key = PublicKey.from_base64(sealed.public_key)
    assert manifest.commitment(key).hex() == sealed.commitment == result.json["commitment"]
    assert result.json["files"] == 2
    assert result.json["links"] == 1
    assert stat.S_IMODE((mizheng.cwd / "图纸.seal").stat().st_mode) == 0o600


def test_odd_names_are_recorded_byte_for_byte_and_shown_safely(mizheng: Mizheng) -> None:
    folder = bytes(mizheng.cwd / "odd")
    Path(os.fsdecode(folder)).mkdir()
    for name in ODD_NAMES:
        Path(os.fsdecode(folder + b"/" + name)).touch()
    mizheng("seal", "odd").ok()
    labels = {label for kind, label in read(mizheng, "odd.seal") if kind == "file"}
    assert labels == {b"odd/" + name for name in ODD_NAMES}
    listed = mizheng("bundle", "odd.seal", "--list").ok().out
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    assert len(listed.splitlines()) == len(ODD_NAMES) + 1


def test_what_cannot_be_read_is_recorded_listed_and_told(mizheng: Mizheng) -> None:
    folder = mizheng.cwd / "folder"
    folder.mkdir()
    (folder / "good").write_bytes(b"x")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(folder, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
        result = mizheng("seal", "folder")
    assert result.code == 66
    assert "folder/pipe: a named pipe" in result.err
    assert "folder/socket: a socket" in result.err
    assert "2 could not be read" in result.err
    found = read(mizheng, "folder.seal")
    assert found["unreadable", b"folder/pipe"].fields["reason"] == "a named pipe"
    assert ("file", b"folder/good") in found


def test_files_of_others_are_unreadable_for_a_person_without_rights(mizheng: Mizheng) -> None:
    """Run as somebody who is not root; the refusal is the kernel's."""
    folder = mizheng.cwd / "folder"
    (folder / "closed").mkdir(parents=True)
    (folder / "secret").write_bytes(b"x")
    (folder / "secret").chmod(0)
    (folder / "closed").chmod(0)
    command: list[Any] = ["seal", "folder", "-o", "out/folder.seal"]
    (mizheng.cwd / "out").mkdir()
    # Makes the key of the seals, as long as this person may write into his own home.
    (mizheng.cwd / "first").touch()
    mizheng("seal", "first").ok()
    if os.geteuid() == 0:
        _open_to_everybody(mizheng, folder)
        result = _run_as(65534, mizheng, command)
    else:
        result = mizheng(*command)
    folder.chmod(0o700)
    assert result.code == 66, result.err
    assert "folder/secret: permission denied" in result.err
    assert "folder/closed: permission denied" in result.err
    assert {kind for kind, _label in read(mizheng, "out/folder.seal")} == {"environment", "unreadable"}


def _open_to_everybody(mizheng: Mizheng, folder: Path) -> None:
    (mizheng.cwd / "out").chmod(0o777)
    for path in (mizheng.home, *mizheng.home.rglob("*")):
        path.chmod(0o777)
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)


def _run_as(user: int, mizheng: Mizheng, arguments: list[Any]) -> Any:
    from tests.cli.runner import Result

    # The first run imports all that is needed: the code may lie where only root reads.
    (mizheng.cwd / "warm").touch()
    script = (
        "import os, sys; from mizheng.cli.main import main; from mizheng.cli import software;"
        "assert main(['seal', 'warm', '-o', 'warm.seal']) == 0;"
        "digest = software.software_digest(); version = software.software_version();"
        "import mizheng.cli.environment.system as e;"
        "e.software_digest = lambda: digest; e.software_version = lambda: version;"
        f"os.setgroups([]); os.setgid({user}); os.setuid({user}); sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [mizheng.command()[0], "-c", script, *arguments],
        cwd=mizheng.cwd,
        env=mizheng.variables(MIZHENG_DEBUG="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_two_seals_of_the_same_share_nothing(mizheng: Mizheng) -> None:
    """No salt, leaf, root, key or commitment in common: nobody can tell that the content is the same."""
    (mizheng.cwd / "same").write_bytes(b"same")
    seals = []
    for name in ("one.seal", "two.seal"):
        mizheng("seal", "same", "-o", name).ok()
        with Seal(mizheng.cwd / name) as seal, opened(mizheng, name) as content:
            lines = list(content.records())
            salts = {parse_record(line).fields["salt"] for line in lines}
            leaves = {leaf_hash(line).hex() for line in lines}
            proofs = {item.hex() for found in content.prove(lines) for item in found.hashes}
            sealed = seal.state.sealed
            hexes = {sealed.commitment, sealed.root_hash, content.manifest_key.hex(), sealed.body_sha256}
            seals.append(salts | leaves | proofs | hexes)
    assert not seals[0] & seals[1]


def test_the_environment_says_what_was_not_checked(mizheng: Mizheng) -> None:
    (mizheng.cwd / "a").touch()
    mizheng("seal", "a").ok()
    observations = read(mizheng, "a.seal")["environment", b""].fields["observations"]
    states = {item["check"]: item["state"] for item in observations}
    assert states["os.kernel"] == states["software.version"] == "observed"
    assert states["malware.scan"] == states["clock.offset"] == "not_checked"
    text = str(observations)
    assert socket.gethostname() not in text.split()
    assert str(Path.home()) not in text


def test_a_seal_does_not_seal_itself(mizheng: Mizheng) -> None:
    (mizheng.cwd / "a").touch()
    for _ in range(2):
        mizheng("seal", ".", "--force", "-o", "self.seal").ok()
    labels = {label for kind, label in read(mizheng, "self.seal") if kind == "file"}
    assert labels == {b"work/a"}


def test_nothing_is_overwritten_without_force(mizheng: Mizheng) -> None:
    (mizheng.cwd / "a").touch()
    mizheng("seal", "a").ok()
    before = (mizheng.cwd / "a.seal").read_bytes()
    result = mizheng("seal", "a")
    assert result.code == 73
    assert "error: a.seal exists" in result.err
    assert (mizheng.cwd / "a.seal").read_bytes() == before
    mizheng("seal", "a", "--force").ok()
    assert (mizheng.cwd / "a.seal").read_bytes() != before


def test_errors_before_anything_is_written(mizheng: Mizheng, bare: Mizheng) -> None:
    (mizheng.cwd / "a").touch()
    assert mizheng("seal", "a", "missing").code == 66
    for name in ("x/same", "y/same"):
        (mizheng.cwd / name).mkdir(parents=True)
    assert mizheng("seal", "x/same", "y/same").code == 64
    assert mizheng("seal", "/").code == 64
    assert mizheng("seal", "a", "-o", "nowhere/a.seal").code == 73
    assert not [item for item in mizheng.cwd.iterdir() if "seal" in item.name or "part" in item.name]


def test_without_a_key_init_is_asked_for(bare: Mizheng) -> None:
    (bare.cwd / "a").touch()
    result = bare("seal", "a")
    assert result.code == 78
    assert "mizheng init" in result.err


def test_many_files_over_several_processes(mizheng: Mizheng) -> None:
    """Enough for the worker processes: the same records in the same order as one process makes."""
    count = scaled(2500, 100_000)
    folder = mizheng.cwd / "many"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:06}").write_bytes(b"%d" % number)
    os.mkfifo(folder / "pipe")
    result = mizheng("seal", "many", "--json")
    assert result.code == 66
    assert result.json["files"] == count
    records = [parse_record(line) for line in record_lines(mizheng, "many.seal")]
    assert [record.label for record in records[1:-1]] == [b"many/%06d" % number for number in range(count)]
    assert records[-1].kind == "unreadable"
    for number in (0, 249, 250, count - 1):
        assert records[number + 1].fields["sha256"] == hashlib.sha256(b"%d" % number).hexdigest()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("is_many", [False, True], ids=["in-place", "processes"])
def test_an_interrupted_seal_leaves_nothing_that_looks_whole(
    mizheng: Mizheng, name: str, is_many: bool
) -> None:
    folder = mizheng.cwd / "folder"
    folder.mkdir()
    if is_many:
        # Enough for the first of it to reach the disk.
        for number in range(4000):
            (folder / f"{number}").touch()
    with (folder / "huge").open("wb") as file:
        file.truncate(200 << 30)
    process = subprocess.Popen(
        mizheng.command("seal", "folder"),
        cwd=mizheng.cwd,
        env=mizheng.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    part = mizheng.cwd / ".folder.seal.part"
    while time.monotonic() < deadline and not (part.exists() and part.stat().st_size >= is_many):
        time.sleep(0.01)
    time.sleep(0.3)
    children = _children(process.pid)
    process.send_signal(getattr(signal, name))
    try:
        _out, error = process.communicate(timeout=30)
    finally:
        process.kill()
    assert not (mizheng.cwd / "folder.seal").exists()
    if name == "SIGKILL":
        (left,) = mizheng.cwd.glob(".folder.seal.part")
        assert mizheng("status", left.name).code == 65
    else:
        assert process.returncode == 130
        assert error.decode().endswith("error: interrupted\n")
        assert b"Traceback" not in error
        # Of many files, some were read: that is kept for the next run, and said so.
        assert (b"the same command again goes on" in error) == is_many
        assert bool(list(mizheng.cwd.glob(".*.part"))) == is_many
    while children and time.monotonic() < deadline:
        children = [child for child in children if Path(f"/proc/{child}/cmdline").exists()]
        time.sleep(0.05)
    assert not children


def _children(parent: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{parent}/task").glob("*/children"):
        found += [int(word) for word in path.read_text().split()]
    return found


def test_a_deposited_seal_is_not_replaced(mizheng: Mizheng) -> None:
    from mizheng.cli.sealfile.state import Deposit

    (mizheng.cwd / "a").touch()
    mizheng("seal", "a").ok()
    with Seal(mizheng.cwd / "a.seal", lock=True) as seal:
        seal.append(seal.state.with_deposit(Deposit("ZQ==", "e" * 64, "origin", None)))
    result = mizheng("seal", "a", "--force")
    assert result.code == 73
    assert "has been deposited" in result.err
