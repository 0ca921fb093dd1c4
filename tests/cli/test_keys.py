"""Where keys are kept, how they are unlocked, and what is said when they are not."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from mizheng.cli.config import Config, Organisation, load_config, save_config, toml_string
from mizheng.cli.errors import ConfigurationFault, PermissionFault
from mizheng.cli.keys.signing import KeyEntry, create_key, list_entries, load_entry, unlock

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer

AT = "2026-11-23T02:00:00Z"
PASSPHRASE = "correct horse battery staple 密"


@pytest.fixture
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\nanother line\n")
    monkeypatch.setenv("MIZHENG_PASSPHRASE_FILE", str(path))
    return path


def test_a_passphrase_encrypts_the_key(tmp_path: Path, passphrase: Path) -> None:
    entry, key = create_key(tmp_path, "passphrase", AT, None)
    pem = (tmp_path / "keys" / f"{key.public.keyid}.pem").read_bytes()
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert load_pem_private_key(pem, PASSPHRASE.encode())
    assert unlock(tmp_path, entry).public == key.public
    passphrase.write_text("wrong passphrase\n")
    with pytest.raises(PermissionFault, match="cannot be opened"):
        unlock(tmp_path, entry)
    passphrase.unlink()
    with pytest.raises(PermissionFault, match="cannot be read"):
        unlock(tmp_path, entry)


def test_the_encryption_is_slow_to_guess(tmp_path: Path, passphrase: Path) -> None:
    """OpenSSL names the algorithms: PBES2 with AES-256 and scrypt or many rounds of PBKDF2."""
    _entry, key = create_key(tmp_path, "passphrase", AT, None)
    path = tmp_path / "keys" / f"{key.public.keyid}.pem"
    text = subprocess.run(
        ["openssl", "asn1parse", "-in", path], capture_output=True, text=True, check=True
    ).stdout
    assert "PBES2" in text
    assert "aes-256-cbc" in text
    assert "scrypt" in text or "PBKDF2" in text


def test_short_passphrases_are_refused(tmp_path: Path, passphrase: Path) -> None:
    passphrase.write_text("short\n")
    with pytest.raises(PermissionFault, match="at least 8"):
        create_key(tmp_path, "passphrase", AT, None)
    assert not (tmp_path / "keys").exists()


def test_without_a_terminal_a_passphrase_cannot_be_asked(bare: Mizheng) -> None:
    result = bare("init", "--notary", "http://127.0.0.1:9", MIZHENG_API_KEY="mzk_x")
    assert result.code == 77
    assert "MIZHENG_PASSPHRASE_FILE" in result.err


def test_the_prompt_asks_twice_and_shows_nothing(bare: Mizheng, notary: NotaryServer) -> None:
    _org, api_key = notary.add_org()
    shown, code = _on_terminal(
        bare, ["init", "--notary", notary.url], [PASSPHRASE, PASSPHRASE], MIZHENG_API_KEY=api_key
    )
    assert code == 0, shown
    assert "New passphrase for the signing key:" in shown
    assert PASSPHRASE not in shown
    (bare.cwd / "a").touch()
    bare("seal", "a").ok()
    shown, code = _on_terminal(bare, ["notarize", "a.seal"], [PASSPHRASE])
    assert code == 0, shown
    assert "Passphrase for key" in shown
    assert bare("notarize", "a.seal").ok().out.startswith("deposited before")


def test_two_different_passphrases_make_no_key(bare: Mizheng) -> None:
    shown, code = _on_terminal(
        bare, ["init", "--notary", "http://127.0.0.1:9"], [PASSPHRASE, "another"], MIZHENG_API_KEY="mzk_x"
    )
    assert code == 77
    assert "the two passphrases differ" in shown
    assert not list(bare.home.glob("keys/*"))


def _on_terminal(
    mizheng: Mizheng, arguments: list[str], answers: list[str], **environment: str
) -> tuple[str, int]:
    """Run on a pseudo-terminal and type each answer at its prompt."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(mizheng.cwd)
        command = [str(word) for word in mizheng.command(*arguments)]
        os.execve(command[0], command, mizheng.variables(**environment))
    shown = b""
    waiting = list(answers)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        if waiting and shown.rstrip(b" ").endswith(b":"):
            # getpass drops what was typed before its prompt.
            time.sleep(0.1)
            os.write(terminal, waiting.pop(0).encode() + b"\n")
    _pid, status = os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(status)


def test_a_file_key_is_private_and_said_aloud(bare: Mizheng, notary: NotaryServer) -> None:
    _org, api_key = notary.add_org()
    result = bare("init", "--notary", notary.url, "--store", "file", stdin=api_key).ok()
    assert "lies unencrypted" in result.err
    (path,) = bare.home.glob("keys/*.pem")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_that_are_not_here_or_not_right(tmp_path: Path) -> None:
    entry, key = create_key(tmp_path, "file", AT, None)
    other, _key = create_key(tmp_path, "file", AT, key.public.keyid)
    assert {item.public.keyid for item in list_entries(tmp_path)} == {entry.public.keyid, other.public.keyid}
    with pytest.raises(ConfigurationFault, match="not on this machine"):
        load_entry(tmp_path, "0" * 64)
    pem = tmp_path / "keys" / f"{entry.public.keyid}.pem"
    pem.write_bytes((tmp_path / "keys" / f"{other.public.keyid}.pem").read_bytes())
    with pytest.raises(PermissionFault, match="is another one"):
        unlock(tmp_path, entry)
    pem.write_bytes(b"garbage")
    with pytest.raises(PermissionFault, match="cannot be opened"):
        unlock(tmp_path, entry)
    pem.unlink()
    with pytest.raises(PermissionFault, match="cannot be read"):
        unlock(tmp_path, entry)
    description = tmp_path / "keys" / f"{entry.public.keyid}.json"
    description.write_bytes(description.read_bytes().replace(b"file", b"cloud"))
    with pytest.raises(ConfigurationFault, match="damaged"):
        load_entry(tmp_path, entry.public.keyid)


class _Ring:
    """A keyring in memory, in the place of the platform's."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, name: str, text: str) -> None:
        self.kept[service, name] = text

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))


def test_the_platform_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    ring = _Ring()
    monkeypatch.setattr(keyring, "set_password", ring.set_password)
    monkeypatch.setattr(keyring, "get_password", ring.get_password)
    entry, key = create_key(tmp_path, "keyring", AT, None)
    assert [path.suffix for path in (tmp_path / "keys").iterdir()] == [".json"]
    assert unlock(tmp_path, entry).public == key.public
    ring.kept.clear()
    with pytest.raises(PermissionFault, match="does not have the key"):
        unlock(tmp_path, entry)


def test_no_keyring_on_this_machine(bare: Mizheng) -> None:
    result = bare(
        "init", "--store", "keyring", "--notary", "http://127.0.0.1:9",
        MIZHENG_API_KEY="mzk_x", PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )  # fmt: skip
    assert result.code == 78
    assert "the platform keyring does not answer" in result.err


def test_no_keyring_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationFault, match="extra package") as caught:
        create_key(tmp_path, "keyring", AT, None)
    assert "mizheng[keyring]" in caught.value.hint


def test_an_unknown_store(bare: Mizheng) -> None:
    result = bare("init", "--store", "cloud", "--notary", "http://127.0.0.1:9", MIZHENG_API_KEY="mzk_x")
    assert result.code == 64
    assert not bare.home.exists()


def test_settings_are_written_and_read_back(tmp_path: Path) -> None:
    odd = 'a "quoted" \\ name\n\x7f 密'
    organisation = Organisation(odd, "CN-USCC", "91350100M000100Y43", "origin", "vkey", "issuer")
    config = Config("https://notary.example", odd, "file", "0" * 64, organisation)
    save_config(tmp_path, config)
    assert load_config(tmp_path) == config
    assert stat.S_IMODE((tmp_path / "config.toml").stat().st_mode) == 0o600
    assert load_config(tmp_path / "nowhere") == Config()
    assert toml_string("plain") == '"plain"'


@pytest.mark.parametrize(
    "text", ["", "format = 1", 'format = "mizheng/config/v2"', "x", 'format = "mizheng/config/v1"\nodd = "x"']
)
def test_settings_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigurationFault):
        load_config(tmp_path)


def test_descriptions_hold_nothing_secret(tmp_path: Path) -> None:
    entry, key = create_key(tmp_path, "file", AT, None)
    text = (tmp_path / "keys" / f"{entry.public.keyid}.json").read_text()
    assert "PRIVATE" not in text
    assert isinstance(entry, KeyEntry)
    assert "PRIVATE" not in repr(entry)
    assert key.to_pem().decode().split("\n")[1] not in text
