"""A new issuer key: what the old one enrolled stays good, and nobody follows to the new one blindly."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.notary.keys import load_earlier_issuers, load_keys, rotate_issuer
from mizheng.notary.trust_export import trusted_issuers

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer

SETUP = 78
VALID, UNDETERMINED = 0, 2


def verify(mizheng: Mizheng, bundle: str, trust: Path) -> tuple[int, dict[str, str]]:
    """The exit code, and for each check its result."""
    done = mizheng("verify", bundle, "--trust", trust, "--json")
    checks: list[dict[str, Any]] = done.json["checks"]
    return done.code, {check["code"]: check["status"] for check in checks}


def issuers_in(path: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads(path.read_text("utf-8"))["issuers"]
    return found


def seal_and_wait(mizheng: Mizheng, name: str) -> None:
    (mizheng.cwd / name).write_bytes(name.encode())
    mizheng("notarize", name).ok()
    mizheng("status", f"{name}.seal", "--wait", "--timeout", "90").ok()
    mizheng("bundle", f"{name}.seal", "--open", name, "-o", f"{name}.zip").ok()


def test_a_new_issuer_key(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    company = Mizheng(tmp_path / "home", work)
    with NotaryServer(tmp_path / "notary") as server:
        _org, api_key = server.add_org()
        company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
        seal_and_wait(company, "before")
        first = server.export_trust(tmp_path / "first.toml")
        assert verify(company, "before.zip", first)[0] == VALID
        busy = server.run("key", "rotate-issuer", check=False)
        assert busy.returncode == 1
        assert "another notary is serving" in busy.stderr

        server.stop()
        old_private = (server.data_dir / "keys" / "issuer.pem").read_bytes()
        server.run("key", "rotate-issuer")
        kept = [path.read_bytes() for path in (server.data_dir / "keys").iterdir()]
        assert old_private not in kept, "nothing is signed with it again"
        server.start()

        # A notary that merely says so is not followed, and nothing of its answers is kept.
        (work / "after").write_bytes(b"after")
        company("notarize", "after").ok()
        for arguments in (("status", "after.seal", "--wait", "--timeout", "90"), ("init",)):
            refused = company(*arguments)
            assert refused.code == SETUP, refused.err
            assert "mizheng init --trust FILE" in refused.err
        assert company("init", "--trust", first).code == SETUP, "the new key is not in the old file"

        second = server.export_trust(tmp_path / "second.toml")
        company("init", "--trust", second).ok()
        company("init").ok()
        company("status", "after.seal", "--wait", "--timeout", "90").ok()
        company("bundle", "after.seal", "--open", "after", "-o", "after.zip").ok()
        second = server.export_trust(tmp_path / "second.toml")
        listed = issuers_in(second)
        assert [item["public_key"] for item in listed[:1]] == [issuers_in(first)[0]["public_key"]]
        assert len(listed) == 2
        assert len({item["name"] for item in listed}) == 1

        # Enrolled and spoken for by the old key; enrolled by the old one and spoken for by the new one.
        assert verify(company, "before.zip", second)[0] == VALID
        code, checks = verify(company, "after.zip", second)
        assert code == VALID
        assert checks["depositor.enrolment"] == checks["depositor.key-status"] == "PASS"

        # Under two names they are two issuers, and the word of the one says nothing of the other's log.
        apart = tmp_path / "apart.toml"
        name = listed[0]["name"]
        apart.write_text(
            second.read_text("utf-8").replace(f'name = "{name}"\npublic_key', 'name = "x"\npublic_key', 1)
        )
        code, checks = verify(company, "after.zip", apart)
        assert (code, checks["depositor.key-status"]) == (UNDETERMINED, "NOT_CHECKED")

        # The next rotation of a company's key is enrolled by the new one.
        company("key", "rotate").ok()
        seal_and_wait(company, "later")
        third = server.export_trust(tmp_path / "third.toml")
        for bundle in ("before.zip", "after.zip", "later.zip"):
            assert verify(company, bundle, third)[0] == VALID, bundle

        # A backup knows the earlier keys too.
        server.run("backup", str(tmp_path / "backup"))
    restored = NotaryServer(tmp_path / "restored")
    restored.run("restore", str(tmp_path / "backup"))
    assert load_earlier_issuers(tmp_path / "restored" / "keys") == load_earlier_issuers(
        server.data_dir / "keys"
    )


def test_every_key_that_ever_spoke_is_listed(instance: Instance) -> None:
    """Also one under which nobody was enrolled: it signed key statuses."""
    keys_dir = instance.settings.keys_dir
    first = instance.keys.issuer.public
    second = rotate_issuer(keys_dir)
    third = rotate_issuer(keys_dir)
    assert load_keys(keys_dir).issuer.public == third
    assert load_earlier_issuers(keys_dir) == [first, second]
    assert (keys_dir / "issuer.pem").stat().st_mode & 0o777 == 0o600
    listed = [issuer.key for issuer in trusted_issuers(instance)]
    assert set(listed) == {first, second}, "an instance that is open goes on with the key it has"
    (keys_dir / "issuers.pub").write_text("nonsense\n")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_earlier_issuers(keys_dir)


def test_a_lost_issuer_key(instance: Instance) -> None:
    keys_dir = instance.settings.keys_dir
    (keys_dir / "issuer.pem").unlink()
    with pytest.raises(ConfigurationError, match="is missing"):
        rotate_issuer(keys_dir)
    assert rotate_issuer(keys_dir, is_lost=True) == load_keys(keys_dir).issuer.public


def test_dying_between_list_and_key(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """The present key is listed as an earlier one too; that changes nothing, and the next try finishes."""
    keys_dir, present = instance.settings.keys_dir, instance.keys.issuer.public
    rename = Path.replace

    def die(self: Path, target: Path) -> Path:
        if target.name == "issuer.pem":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            rotate_issuer(keys_dir)
    assert load_keys(keys_dir).issuer.public == present
    assert [issuer.key for issuer in trusted_issuers(instance)] == [present]
    fresh = rotate_issuer(keys_dir)
    assert load_keys(keys_dir).issuer.public == fresh
    assert load_earlier_issuers(keys_dir) == [present]
