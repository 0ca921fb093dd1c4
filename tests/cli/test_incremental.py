"""A later seal of the same: only what changed is read, and the result is that of reading everything."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mizheng.cli.sealfile.labels import pack_entry
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealing.chunks import Chunk, Part, join_earlier, walk_key
from mizheng.cli.sealing.lineage import compare
from mizheng.cli.sealing.recording import known_files
from mizheng.cli.sealing.walking import walk

from tests.cli.runner import Mizheng
from tests.cli.seals import opened, record_lines


def contents(mizheng: Mizheng, name: str) -> dict[str, dict[str, Any]]:
    """Path records without their salts, by name."""
    found = {}
    for line in record_lines(mizheng, name):
        fields = json.loads(line)
        fields.pop("salt")
        if "path" in fields:
            found[fields["path"]] = fields
    return found


def salts(mizheng: Mizheng, name: str) -> set[str]:
    return {json.loads(line)["salt"] for line in record_lines(mizheng, name)}


@pytest.fixture
def folder(mizheng: Mizheng) -> Path:
    """drawings/ of five files in two folders, sealed in old.seal."""
    drawings = mizheng.cwd / "drawings"
    (drawings / "old").mkdir(parents=True)
    for name in ("a", "b", "c", "old/d", "old/e"):
        (drawings / name).write_text(name)
    mizheng("seal", "drawings", "-o", "old.seal").ok()
    return drawings


def test_only_what_changed_is_read_and_every_digest_is_that_of_a_full_seal(
    mizheng: Mizheng, folder: Path
) -> None:
    (folder / "b").write_text("another b")
    (folder / "old" / "d").unlink()
    (folder / "old" / "new").write_text("new")
    # Out of reach: what is read again would be unreadable, whoever runs this.
    fast = mizheng("seal", "drawings", "--since", "old.seal", "-o", "fast.seal", "--json").ok().json
    mizheng("seal", "drawings", "-o", "full.seal").ok()
    assert fast["reused"] == 3
    assert fast["files"] == 5
    assert contents(mizheng, "fast.seal") == contents(mizheng, "full.seal")
    with opened(mizheng, "old.seal") as old, opened(mizheng, "fast.seal") as new:
        assert old.manifest_key != new.manifest_key
    assert not salts(mizheng, "old.seal") & salts(mizheng, "fast.seal")


def test_nothing_that_did_not_change_is_opened(mizheng: Mizheng, folder: Path) -> None:
    (folder / "b").write_text("another b")
    trace = mizheng.cwd / "trace"
    command = mizheng.command("seal", "drawings", "--since", "old.seal", "-o", "new.seal")
    strace = ["strace", "-f", "-e", "trace=openat", "-o", str(trace), *command]
    subprocess.run(strace, cwd=mizheng.cwd, env=mizheng.variables(), check=True, capture_output=True)
    # Files that are sealed are opened without waiting, which nothing else is; folders are not opened so.
    files = [
        line for line in trace.read_text().splitlines() if "O_NONBLOCK" in line and "O_DIREC" not in line
    ]
    assert len(files) == 1, files
    assert '"b"' in files[0]


def test_a_change_that_hides_its_modification_time_is_seen(mizheng: Mizheng, folder: Path) -> None:
    before = (folder / "a").stat()
    (folder / "a").write_text("A")
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert mizheng("seal", "drawings", "--since", "old.seal", "--json").ok().json["reused"] == 4


def test_paranoid_reads_everything_and_still_names_the_version_before(own_company: Mizheng) -> None:
    (own_company.cwd / "a").write_text("a")
    own_company("notarize", "a").ok()
    result = own_company("seal", "a", "--since", "a.seal", "--paranoid", "-o", "b.seal", "--json").ok().json
    with Seal(own_company.cwd / "a.seal") as seal:
        assert seal.state.deposit is not None
        envelope = seal.state.deposit.id
    assert (result["reused"], result["previous"]) == (0, envelope)
    previous = [json.loads(line) for line in record_lines(own_company, "b.seal") if b'"previous"' in line]
    assert [item["envelope_sha256"] for item in previous] == [envelope]


def test_a_version_before_that_was_never_deposited_is_not_named(mizheng: Mizheng, folder: Path) -> None:
    result = mizheng("seal", "drawings", "--since", "old.seal").ok()
    assert "is not deposited yet" in result.err
    assert not [line for line in record_lines(mizheng, "drawings.seal") if b'"previous"' in line]


def test_what_cannot_be_an_earlier_seal(mizheng: Mizheng, folder: Path, tmp_path: Path) -> None:
    (mizheng.cwd / "text").write_text("not a seal")
    assert mizheng("seal", "drawings", "--since", "text").code == 65
    assert mizheng("seal", "drawings", "--since", "missing").code == 66
    for path in (mizheng.home / "keys").glob("seals.*"):
        path.unlink()
    result = mizheng("seal", "drawings", "--since", "old.seal")
    assert result.code == 77
    assert "escrow" in result.err
    assert not (mizheng.cwd / "drawings.seal").exists()


def test_an_interrupted_seal_goes_on(mizheng: Mizheng) -> None:
    """Killed in the middle of a file too large to end: the rest was read once and is not read again."""
    folder = mizheng.cwd / "folder"
    folder.mkdir()
    for number in range(4000):
        (folder / f"{number:04}").write_bytes(b"%d" % number)
    with (folder / "huge").open("wb") as file:
        file.truncate(200 << 30)
    process = subprocess.Popen(
        mizheng.command("seal", "folder"), cwd=mizheng.cwd, env=mizheng.variables(), stderr=subprocess.PIPE
    )
    part = mizheng.cwd / ".folder.seal.part"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (part.exists() and part.stat().st_size > 0):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    (folder / "huge").unlink()
    (folder / "0000").write_bytes(b"changed meanwhile")
    result = mizheng("seal", "folder", "--json").ok().json
    assert 2000 <= result["reused"] < 4000
    assert not list(mizheng.cwd.glob(".folder.seal.*"))
    mizheng("seal", "folder", "-o", "full.seal").ok()
    assert contents(mizheng, "folder.seal") == contents(mizheng, "full.seal")


def test_the_lineage_of_a_secret(own_company: Mizheng) -> None:
    drawings = own_company.cwd / "drawings"
    drawings.mkdir()
    for name in ("kept", "changed", "gone", "moved"):
        (drawings / name).write_text(f"content of {name}")
    own_company("notarize", "drawings", "-o", "1.seal").ok()
    (drawings / "changed").write_text("otherwise")
    (drawings / "gone").unlink()
    (drawings / "moved").rename(drawings / "renamed")
    (drawings / "added").write_text("new")
    own_company("seal", "drawings", "--since", "1.seal", "-o", "2.seal").ok()
    first, second = reversed(own_company("log", "2.seal", "--json").ok().json["versions"])
    assert (first["state"], second["state"]) == ("deposited", "sealed")
    assert first["changes"] is None
    assert second["changes"] == {
        "added": ["drawings/added"],
        "changed": ["drawings/changed"],
        "removed": ["drawings/gone"],
        "renamed": [["drawings/moved", "drawings/renamed"]],
    }
    shown = own_company("log", "2.seal", "--files").ok().out
    assert "> drawings/moved → drawings/renamed" in shown
    # Found beside the later one, whatever it was called when that was made; not found, it is said.
    moved = own_company.cwd / "archive"
    moved.mkdir()
    for name in ("1.seal", "2.seal"):
        shutil.move(own_company.cwd / name, moved / name)
    assert len(own_company("log", "archive/2.seal", "--json").ok().json["versions"]) == 2
    (moved / "1.seal").unlink()
    alone = own_company("log", "archive/2.seal").ok()
    assert "the version before archive/2.seal is not here" in alone.err


def test_a_renamed_file_is_followed_only_where_it_cannot_be_another() -> None:
    found = compare({b"a": b"1", b"b": b"1", b"c": b"2"}, {b"x": b"1", b"y": b"2"})
    assert found.renamed == ((b"c", b"y"),)
    assert (found.added, set(found.removed)) == ((b"x",), {b"a", b"b"})


part = st.sampled_from([b"a", b"b", b"c", b"a-", b"\xff"])
labels = st.sets(st.lists(part, min_size=1, max_size=3).map(b"/".join), max_size=12)


@given(labels, labels, st.integers(1, 4), st.integers(1, 4))
def test_a_chunk_gets_every_piece_that_may_hold_a_name_of_its_own(
    old: set[bytes], new: set[bytes], old_size: int, new_size: int
) -> None:
    before, after = (sorted(names, key=walk_key) for names in (old, new))
    pieces = [
        (b"".join(pack_entry("file", label) for label in some), b"".join(label + b"\n" for label in some))
        for some in (before[start : start + old_size] for start in range(0, len(before), old_size))
    ]
    told = (pack_entry("environment", b""), b"{}\n")
    chunks = [
        Chunk(tuple(Part(b"", b"", label, {}) for label in some), len(some))
        for some in (after[start : start + new_size] for start in range(0, len(after), new_size))
    ]
    joined = list(join_earlier(chunks, [told, *pieces]))
    assert [chunk.parts for chunk in joined] == [chunk.parts for chunk in chunks]
    for chunk in joined:
        known = known_files(chunk.earlier)
        for name in (item.names for item in chunk.parts):
            assert known.get(pack_entry("file", name)) == (name if name in old else None)
    # Not more than that: each piece with its beginning, and one that reaches in from before.
    assert sum(len(chunk.earlier) for chunk in joined) <= len(pieces) + len(chunks)


def test_the_walk_comes_in_the_order_of_its_key(tmp_path: Path) -> None:
    for name in ("b/x", "a/y", "a/b/z", "a-/q", "a.txt", "c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    arguments = [bytes(tmp_path / name) for name in ("c", "b", "a.txt", "a", "a-")]
    found = [item.label for item in walk(arguments)]
    assert found == sorted(found, key=walk_key)
    assert found == [item.label for item in walk(reversed(arguments))]


def test_a_version_that_was_not_deposited_is_passed_over_in_the_line(own_company: Mizheng) -> None:
    path = own_company.cwd / "a"
    path.write_text("1")
    own_company("notarize", "a", "-o", "1.seal").ok()
    path.write_text("2")
    own_company("seal", "a", "--since", "1.seal", "-o", "2.seal").ok()
    path.write_text("3")
    third = own_company("seal", "a", "--since", "2.seal", "-o", "3.seal", "--json").ok()
    assert "2.seal is not deposited yet" in third.err
    versions = own_company("log", "3.seal", "--json").ok().json["versions"]
    assert [Path(version["seal"]).name for version in versions] == ["3.seal", "1.seal"]
    assert third.json["previous"] == versions[1]["deposit"]
