"""A company whose notary changes the log's key: planned, after a theft, after a loss."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from mizheng.verifier.logkeys import parse_log_keys

from tests.cli.runner import Mizheng
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS

VALID, UNDETERMINED, SETUP, SOFTWARE = 0, 2, 78, 70


class Scene:
    """One company, one notary, and every bundle made so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        work = folder / "work"
        work.mkdir()
        self.company = Mizheng(folder / "home", work)
        self.server = NotaryServer(folder / "notary")
        self.bundles: list[str] = []

    def change_key(self, *options: str) -> None:
        self.server.stop()
        self.server.run("key", "rotate-log", *options)
        self.server.start()

    def notarize(self, name: str) -> None:
        (self.company.cwd / name).write_bytes(name.encode())
        self.company("notarize", name).ok()

    def bundle(self, seal: str, name: str) -> None:
        self.company("status", f"{seal}.seal", "--wait", "--timeout", "90").ok()
        self.company("bundle", f"{seal}.seal", "--open", seal, "-o", name).ok()
        self.bundles.append(name)

    def trust(self) -> Path:
        return self.server.export_trust(self.folder / "trust.toml")

    def verify(self, bundle: str, trust: Path) -> tuple[int, dict[str, str]]:
        done = self.company("verify", bundle, "--trust", trust, "--json")
        checks: list[dict[str, Any]] = done.json["checks"]
        return done.code, {check["code"]: check["status"] for check in checks}

    def check_all(self) -> None:
        """Every bundle that was ever made is valid by the trust file of now."""
        trust = self.trust()
        for bundle in self.bundles:
            code, checks = self.verify(bundle, trust)
            assert code == VALID, (bundle, checks)

    def logs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = tomllib.loads(self.trust().read_text("utf-8"))["logs"]
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_one_key_after_the_other(scene: Scene, tmp_path: Path) -> None:
    company, server = scene.company, scene.server
    with server:
        _org, api_key = server.add_org()
        company("init", "--notary", server.url, "--store", "file", stdin=api_key).ok()
        scene.notarize("before")
        scene.bundle("before", "before.zip")
        scene.notarize("underway")
        first = scene.trust()
        old_trust = tmp_path / "old.toml"
        shutil.copy(first, old_trust)
        vkey = scene.logs()[0]["vkey"]
        state = tmp_path / "audit.json"
        company("audit", server.url, "--key", vkey, "--since", state).ok()
        busy = server.run("key", "rotate-log", check=False)
        assert busy.returncode == 1
        assert "another notary is serving" in busy.stderr
        server.stop()
        shutil.copytree(server.data_dir, tmp_path / "rolled-back")
        old_private = (server.data_dir / "keys" / "log.pem").read_bytes()
        said = server.run("key", "rotate-log").stdout
        assert "witnesses" in said
        assert old_private not in [path.read_bytes() for path in (server.data_dir / "keys").iterdir()]
        server.start()

        # Planned: nobody has to do anything. One line says so, once.
        (company.cwd / "after").write_bytes(b"after")
        done = company("notarize", "after").ok()
        assert done.err.count("the notary's log has a new key") == 1
        assert "new key" not in company("status", "after.seal").ok().err
        scene.bundle("after", "after.zip")
        # Deposited under the old key, anchored under either, bundled now.
        scene.bundle("before", "again.zip")
        scene.bundle("underway", "underway.zip")
        company("init").ok()
        scene.check_all()
        # Bundles of the old key are good by the old trust file too; those of the new one need the new one.
        assert scene.verify("before.zip", old_trust)[0] == VALID
        code, checks = scene.verify("after.zip", old_trust)
        assert (code, checks["checkpoint.signature"]) == (UNDETERMINED, "NOT_CHECKED")
        logs = scene.logs()
        assert logs[1]["first_size"] == logs[0]["last_size"] + 1

        # Auditors follow as well, from the key or from where they were.
        assert company("audit", server.url, "--since", state, "--json").ok().json["result"] == "consistent"
        fresh = tmp_path / "fresh.json"
        company("audit", server.url, "--key", vkey, "--since", fresh).ok()
        company("audit", server.url, "--trust", scene.trust(), "--since", tmp_path / "third.json").ok()

        # A machine that is set up now knows the earlier key too: its old seals are of use.
        second = Mizheng(tmp_path / "second", company.cwd)
        shutil.copytree(company.home / "keys", second.home / "keys")
        config = (company.home / "config.toml").read_text()
        (second.home / "config.toml").write_text(config.partition("\n[organisation]")[0])
        second("init", MIZHENG_API_KEY=api_key).ok()
        second(
            "bundle", "before.seal", "--open", "before", "-o", "elsewhere.zip", MIZHENG_API_KEY=api_key
        ).ok()
        scene.bundles.append("elsewhere.zip")

        # The notary as it was before, with the old key: its answers prove nothing any more.
        server.stop()
        rolled = NotaryServer(tmp_path / "rolled-back")
        with rolled:
            (company.cwd / "late").write_bytes(b"late")
            refused = company("notarize", "late", "--notary", rolled.url)
            assert refused.code == SOFTWARE, refused.err
            assert "not trusted for tree size" in refused.err
            assert company("init", "--notary", rolled.url).code == SETUP
            fault = company("audit", rolled.url, "--since", state)
            assert fault.code != 0
        company("init", "--notary", server.url, "--store", "file")
        server.start()

        company("key", "rotate").ok()

        # Stolen: the old key's word is worth nothing, so the new one comes by another channel.
        scene.notarize("meanwhile")
        scene.change_key("--stolen")
        (company.cwd / "later").write_bytes(b"later")
        refused = company("notarize", "later")
        assert refused.code == SETUP
        assert "key was stolen" in refused.err
        assert "mizheng init --trust FILE" in refused.err
        assert company("init", "--trust", old_trust).code == SETUP
        company("init", "--trust", scene.trust()).ok()
        company("notarize", "later.seal").ok()
        scene.bundle("later", "later.zip")
        # What the stolen key signed last is not believed; what it held is, under the new key.
        scene.bundle("meanwhile", "meanwhile.zip")
        scene.check_all()

        # Lost: the issuer signs in its place, and again nobody follows by himself.
        server.stop()
        (server.data_dir / "keys" / "log.pem").unlink()
        refused_here = server.run("key", "rotate-log", check=False)
        assert "is missing" in refused_here.stderr
        server.run("key", "rotate-log", "--lost")
        server.start()
        (company.cwd / "last").write_bytes(b"last")
        refused = company("notarize", "last")
        assert (refused.code, "key was lost" in refused.err) == (SETUP, True)
        company("init", "--trust", scene.trust()).ok()
        company("notarize", "last.seal").ok()
        scene.bundle("last", "last.zip")
        scene.check_all()
        history = parse_log_keys(_get(server, "/v1/log-keys"))
        assert [item.change.reason for item in history.changes] == ["scheduled", "stolen", "lost"]
        export = tmp_path / "export"
        trust = scene.trust()
    # With no notary left.
    server.run("export-static", str(export))
    assert (export / "v1" / "log-keys").read_bytes() == history.dump()
    company("audit", export, "--trust", trust, "--since", tmp_path / "exported.json").ok()
    index = json.loads((export / "index.json").read_bytes())
    assert len(index["log_keys"]) == 4
    followed = company("audit", export, "--key", vkey, "--since", tmp_path / "old-key.json")
    assert (followed.code, "key was stolen" in followed.err) == (2, True)
    present = history.present.vkey
    company("audit", export, "--key", present, "--since", tmp_path / "new-key.json").ok()


def _get(server: NotaryServer, path: str) -> bytes:
    import httpx

    with httpx.Client(trust_env=False, verify=NO_TLS) as client:
        answer = client.get(server.url + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.content
