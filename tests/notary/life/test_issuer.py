"""A new issuer key: what the old one enrolled stays good, and nobody follows to the new one blindly."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mizheng.notary.companies.enrolments import KeyRegister
from mizheng.notary.config import load_settings
from mizheng.notary.database import writing
from mizheng.notary.errors import ConfigurationError, Problem
from mizheng.notary.exports.trust import trusted_issuers
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.keys.rotation import rotate_issuer
from mizheng.notary.models import issuer_keys
from mizheng.verifier.signature import PrivateKey
from sqlalchemy import delete

from tests.cli.runner import Mizheng
from tests.notary.life.test_backup import back_up, restore
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


def test_a_new_issuer_key(tmp_path: Path, passphrase_file: Path) -> None:
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
        keys = back_up(server, tmp_path / "backup", passphrase_file)
        listed = issuers_in(server.export_trust(tmp_path / "third.toml"))
    restored = NotaryServer(tmp_path / "restored")
    restore(restored, tmp_path / "backup", keys, passphrase_file)
    assert issuers_in(restored.export_trust(tmp_path / "fourth.toml")) == listed


def reopened(instance: Instance) -> Instance:
    return open_instance(instance.settings)


def test_every_key_that_ever_spoke_is_listed(instance: Instance) -> None:
    """Also one under which nobody was enrolled: it signed key statuses."""
    first = instance.keys.issuer.public
    second = rotate_issuer(instance.settings)
    third = rotate_issuer(instance.settings)
    opened = reopened(instance)
    assert opened.keys.issuer.public == third
    assert [issuer.key for issuer in trusted_issuers(opened)] == [first, second, third]
    assert (instance.settings.keys_dir / "issuer.pem").stat().st_mode & 0o777 == 0o600


def test_what_an_earlier_release_kept_in_a_file(instance: Instance) -> None:
    """Before the database knew: the earlier keys are taken up from the file, once."""
    keys_dir, present = instance.settings.keys_dir, instance.keys.issuer.public
    earlier = [PrivateKey.generate().public for _ in range(2)]
    with writing(instance.engine) as connection:
        connection.execute(delete(issuer_keys))
    (keys_dir / "issuers.pub").write_text("nonsense\n")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        reopened(instance)
    (keys_dir / "issuers.pub").write_text("".join(f"{key.to_base64()}\n" for key in (*earlier, present)))
    assert [issuer.key for issuer in trusted_issuers(reopened(instance))] == [*earlier, present]
    (keys_dir / "issuers.pub").unlink()
    assert [issuer.key for issuer in trusted_issuers(reopened(instance))] == [*earlier, present]


def test_a_lost_issuer_key(instance: Instance) -> None:
    lost = instance.keys.issuer.public
    (instance.settings.keys_dir / "issuer.pem").unlink()
    with pytest.raises(ConfigurationError, match="is missing"):
        rotate_issuer(instance.settings)
    made = rotate_issuer(instance.settings, is_lost=True)
    assert [issuer.key for issuer in trusted_issuers(reopened(instance))] == [lost, made]


def test_a_process_that_was_left_behind(instance: Instance, tmp_path: Path) -> None:
    """Its issuer key was replaced while it ran, or while it slept: it is told so, and enrols nobody."""
    left = tmp_path / "left"
    shutil.copytree(instance.settings.keys_dir, left / "keys")
    register = KeyRegister(instance.engine, instance.keys, instance.signer, instance.guard)
    rotate_issuer(instance.settings)
    with pytest.raises(Problem, match="the issuer's key was replaced"):
        register.revoke("0" * 64, "stolen")
    database = {"MIZHENG_DATA_DIR": str(left), "MIZHENG_DATABASE_URL": instance.settings.database_url}
    with pytest.raises(ConfigurationError, match="that was replaced"):
        open_instance(load_settings(database))
    # Nor is somebody else's key the issuer's because it lies in the right place.
    (left / "keys" / "issuer.pem").write_bytes(PrivateKey.generate().to_pem())
    with pytest.raises(ConfigurationError, match="is not the key of this notary's issuer"):
        open_instance(load_settings(database))
    (left / "keys" / "issuer.pem").write_bytes((instance.settings.keys_dir / "issuer.pem").read_bytes())
    assert open_instance(load_settings(database)).keys.issuer.public == reopened(instance).keys.issuer.public
