"""Who can open a seal: the person who made it, wherever the key is kept, and the escrow."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.cli.config import load_config, save_config
from pyrage import x25519

from tests.cli.runner import Mizheng
from tests.cli.seals import record_lines


@pytest.fixture
def sealed(mizheng: Mizheng) -> Mizheng:
    (mizheng.cwd / "a").write_text("a")
    mizheng("seal", "a").ok()
    return mizheng


def escrow_identity(path: Path) -> str:
    """A fresh identity in a file; its recipient."""
    identity = x25519.Identity.generate()
    path.write_text(f"# escrow\n{identity}\n")
    return str(identity.to_public())


def without_keys(mizheng: Mizheng, tmp_path: Path) -> Mizheng:
    """The same person's work on a machine that has none of his keys."""
    return Mizheng(tmp_path / "elsewhere", mizheng.cwd)


def test_the_key_is_made_once_private_and_of_use_to_stock_age(sealed: Mizheng) -> None:
    kept = sealed.home / "keys" / "seals.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    before = kept.read_bytes()
    sealed("seal", "a", "-o", "b.seal").ok()
    assert kept.read_bytes() == before
    keygen = shutil.which("age-keygen")
    assert keygen, "Debian's age is missing: apt-get install age"
    done = subprocess.run([keygen, "-y", str(kept)], capture_output=True, text=True, check=True)
    assert done.stdout == (sealed.home / "keys" / "seals.pub").read_text()


def test_without_the_key_nothing_opens_and_the_state_can_be_read(sealed: Mizheng, tmp_path: Path) -> None:
    elsewhere = without_keys(sealed, tmp_path)
    result = elsewhere("bundle", "a.seal", "--list")
    assert result.code == 77
    assert "escrow" in result.err
    assert "sealed" in elsewhere("status", "a.seal").ok().out


def test_a_passphrase_opens_it_and_another_one_does_not(mizheng: Mizheng, tmp_path: Path) -> None:
    config = load_config(mizheng.home)
    save_config(mizheng.home, replace(config, seal_store="passphrase"))
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("a sentence that is long\n")
    wrong.write_text("another sentence as long\n")
    (mizheng.cwd / "a").write_text("a")
    mizheng("seal", "a", MIZHENG_PASSPHRASE_FILE=str(right)).ok()
    assert b"AGE-SECRET-KEY" not in (mizheng.home / "keys" / "seals.age").read_bytes()
    assert not (mizheng.home / "keys" / "seals.txt").exists()
    # Sealing again asks for nothing: the public half is enough.
    mizheng("seal", "a", "-o", "b.seal").ok()
    listed = mizheng("bundle", "a.seal", "--list", MIZHENG_PASSPHRASE_FILE=str(right)).ok()
    assert "file\ta" in listed.out
    refused = mizheng("bundle", "a.seal", "--list", MIZHENG_PASSPHRASE_FILE=str(wrong))
    assert refused.code == 77
    assert "check the passphrase" in refused.err


def test_the_escrow_opens_new_seals_and_old_ones_once_they_are_given_to_it(
    sealed: Mizheng, tmp_path: Path
) -> None:
    identity = tmp_path / "escrow.txt"
    recipient = escrow_identity(identity)
    elsewhere = without_keys(sealed, tmp_path)
    assert sealed("escrow", "apply", "a.seal").code == 78
    sealed("escrow", "add", recipient, "--name", "法务部").ok()
    assert "already" in sealed("escrow", "add", recipient).ok().out
    assert sealed("escrow", "list", "--json").ok().json["recipients"] == [recipient]
    sealed("seal", "a", "-o", "new.seal").ok()
    listed = elsewhere("bundle", "new.seal", "--list", MIZHENG_SEAL_IDENTITY=str(identity)).ok()
    assert "file\ta" in listed.out
    assert elsewhere("bundle", "a.seal", "--list", MIZHENG_SEAL_IDENTITY=str(identity)).code == 77
    before = record_lines(sealed, "a.seal")
    assert "1 recipients added" in sealed("escrow", "apply", "a.seal", "new.seal").ok().out
    size = (sealed.cwd / "a.seal").stat().st_size
    assert "a.seal: 0 recipients added" in sealed("escrow", "apply", "a.seal").ok().out
    assert (sealed.cwd / "a.seal").stat().st_size == size
    assert record_lines(sealed, "a.seal") == before
    assert "file\ta" in elsewhere("bundle", "a.seal", "--list", MIZHENG_SEAL_IDENTITY=str(identity)).ok().out
    assert recipient in sealed("escrow", "list", "a.seal").ok().out


def test_what_is_no_recipient_or_identity(sealed: Mizheng, tmp_path: Path) -> None:
    assert sealed("escrow", "add", "age1nonsense").code == 64
    (tmp_path / "empty").write_text("# nothing\n")
    for name, code in (("empty", 65), ("missing", 77)):
        result = sealed("bundle", "a.seal", "--list", MIZHENG_SEAL_IDENTITY=str(tmp_path / name))
        assert result.code == code, result.err
    (sealed.home / "keys" / "escrow.txt").write_text("not a key\n")
    assert sealed("seal", "a", "-o", "b.seal").code == 64
    assert not (sealed.cwd / "b.seal").exists()
