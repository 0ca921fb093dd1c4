"""The depositor's whole job against a real notary: init, seal, notarize, status, bundle, verify."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.cli.keys.signing import load_entry, unlock
from mizheng.cli.sealfile.read import Seal
from mizheng.cli.sealfile.state import Deposit
from mizheng.verifier.canonical import from_base64, to_base64
from mizheng.verifier.statement import parse_envelope

from tests.cli.runner import Mizheng
from tests.cli.seals import opened, record_lines
from tests.support.layers import readable
from tests.support.notary import NotaryServer


@pytest.fixture
def sealed(company: Mizheng) -> Mizheng:
    """A company with drawings.seal of drawings/{pump,valve…}.dwg, not deposited."""
    return _with_drawings(company)


@pytest.fixture
def own_final(own_company: Mizheng) -> Mizheng:
    """A company of the test's own with the same, deposited and final."""
    _with_drawings(own_company)
    own_company("notarize", "drawings.seal").ok()
    own_company("status", "drawings.seal", "--wait", "--timeout", "90").ok()
    return own_company


def _with_drawings(mizheng: Mizheng) -> Mizheng:
    folder = mizheng.cwd / "drawings"
    folder.mkdir()
    (folder / "pump.dwg").write_bytes(b"the pump")
    (folder / "valve-of-the-secret-kind.dwg").write_bytes(b"the valve")
    mizheng("seal", "drawings").ok()
    return mizheng


@pytest.fixture
def trust(notary: NotaryServer, tmp_path: Path) -> Callable[[], Path]:
    """A trust file as of now: it pins the blocks there are."""
    return lambda: notary.export_trust(tmp_path / "trust.toml")


def test_init_keeps_its_secrets_private_and_can_be_run_again(company: Mizheng) -> None:
    assert stat.S_IMODE(company.home.stat().st_mode) == 0o700
    for path in company.home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    before = {path: path.read_bytes() for path in company.home.rglob("*") if path.is_file()}
    company("init").ok()
    assert {path: path.read_bytes() for path in company.home.rglob("*") if path.is_file()} == before
    keys = json.loads(company("key", "show", "--json").ok().out)
    assert [key["active"] for key in keys] == [True]
    api_key = (company.home / "api-key").read_text().strip()
    config = (company.home / "config.toml").read_text()
    assert api_key not in config
    assert "PRIVATE" not in config


def test_states_one_after_the_other(sealed: Mizheng) -> None:
    assert sealed("status", "drawings.seal", "--json").ok().json["state"] == "sealed"
    assert "waits for being deposited" in sealed("status", "drawings.seal").ok().out
    first = sealed("notarize", "drawings.seal", "--json").ok().json
    assert first["new"]
    found = sealed("status", "drawings.seal", "--wait", "--timeout", "60", "--json").ok().json
    assert found["state"] == "final"
    assert found["waiting_for"] is None
    assert found["evidence_kept"] == "final"
    assert found["id"] == first["id"]
    shown = sealed("status", "drawings.seal").ok().out
    assert "sealed → deposited → anchored → [final]" in shown
    assert "TRIAL" in shown


def test_run_twice_it_is_the_same_deposit(sealed: Mizheng) -> None:
    first = sealed("notarize", "drawings.seal", "--json").ok().json
    again = sealed("notarize", "drawings.seal", "--json").ok().json
    assert again["id"] == first["id"]
    assert again["leaf_index"] == first["leaf_index"]
    assert not again["new"]


def test_an_answer_that_was_lost_is_fetched_again(sealed: Mizheng) -> None:
    """Die after the notary committed and before its answer was kept: the same bytes are sent again."""
    first = sealed("notarize", "drawings.seal", "--json").ok().json
    with Seal(sealed.cwd / "drawings.seal", lock=True) as seal:
        assert seal.state.deposit is not None
        seal.append(seal.state.with_deposit(replace(seal.state.deposit, answer=None)))
    assert "run mizheng notarize again" in sealed("status", "drawings.seal").ok().out
    again = sealed("notarize", "drawings.seal", "--json").ok().json
    assert (again["id"], again["leaf_index"]) == (first["id"], first["leaf_index"])


def test_a_path_is_sealed_and_deposited_in_one(company: Mizheng) -> None:
    (company.cwd / "a").write_bytes(b"a")
    result = company("notarize", "a", "--json").ok().json
    assert result["seal"] == "a.seal"
    assert result["new"]
    assert company("notarize", "a.seal", "b").code == 64


def test_what_is_sent_holds_nothing_of_the_files(final: Mizheng, notary: NotaryServer) -> None:
    """Neither names nor digests nor salts are anywhere in the notary's data or its output."""
    with opened(final, "drawings.seal") as content:
        root = Seal(final.cwd / "drawings.seal").state.sealed.root_hash
        secrets = [content.manifest_key.hex(), content.manifest_key, root]
        for line in content.records():
            fields = json.loads(line)
            secrets += [fields["salt"], fields.get("sha256"), fields.get("path")]
            secrets += [bytes.fromhex(fields["salt"]), bytes.fromhex(fields.get("sha256", ""))]
    needles = [text.encode() if isinstance(text, str) else text for text in secrets if text]
    kept = notary.output.encode()
    for path in notary.data_dir.rglob("*"):
        if path.is_file():
            kept += path.read_bytes()
    assert not [needle for needle in needles if needle in kept]


def test_bundle_opens_what_is_asked_and_nothing_else(final: Mizheng, trust: Callable[[], Path]) -> None:
    result = final(
        "bundle", "drawings.seal", "--open", "drawings/pump.dwg", "--with-originals", "--for", "某法院",
        "--purpose", "立案",
    ).ok()  # fmt: skip
    assert "opened drawings/pump.dwg" in result.out
    path = final.cwd / "drawings.zip"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert members["originals/0002"] == b"the pump"
    assert {name for name in members if name.startswith("records/")} == {
        "records/0001.json",
        "records/0002.json",
    }
    with opened(final, "drawings.seal") as content:
        closed = json.loads(list(content.records())[2])
        secrets = [closed["path"], closed["salt"], closed["sha256"], closed["sm3"]]
        secrets.append(content.manifest_key.hex())
    seen = readable(path.read_bytes())
    assert b"drawings/pump.dwg" in seen
    assert not [secret for secret in secrets if secret.encode() in seen]
    report = final("verify", "drawings.zip", "drawings/pump.dwg", "--trust", trust(), "--json").ok().json
    assert report["verdict"] == "valid"
    assert report["trial"]
    assert report["earliest"]
    assert report["latest"]


def test_verify_tells_in_words_and_exit_codes(final: Mizheng, trust: Callable[[], Path]) -> None:
    final("bundle", "drawings.seal", "--open", "drawings/").ok()
    believed = trust()
    good = final("verify", "drawings.zip", "drawings/pump.dwg", "--trust", believed)
    assert good.code == 0
    assert good.out.startswith("TRIAL")
    other = final("verify", "drawings.zip", final.cwd / "drawings.seal", "--trust", believed)
    assert other.code == 1
    assert "this file is not the one" in other.out
    assert final("verify", "drawings.zip").code == 2
    assert final("verify", "drawings.zip", "missing", "--trust", believed).code == 66
    assert final("verify", "missing.zip", "--trust", believed).code == 66
    assert final("verify", final.cwd, "--trust", believed).code in (1, 66)
    assert final("verify", "drawings.zip", "--trust", "missing.toml").code == 66
    assert final("verify", "drawings.zip", "--trust", "drawings.zip").code == 65
    (final.cwd / "cut.zip").write_bytes((final.cwd / "drawings.zip").read_bytes()[:-100])
    assert final("verify", "cut.zip", "--trust", believed).code == 1
    chinese = final("--lang", "zh_CN", "verify", "drawings.zip", "--trust", believed).ok().out
    assert "结论" in chinese


def test_verify_needs_no_settings_and_no_network(
    final: Mizheng, trust: Callable[[], Path], tmp_path: Path
) -> None:
    final("bundle", "drawings.seal", "--open", "drawings/pump.dwg").ok()
    appraiser = Mizheng(tmp_path / "nobody", final.cwd, {"http_proxy": "http://127.0.0.1:1"})
    arguments = ("verify", "drawings.zip", "--trust", trust(), "--json")
    assert appraiser(*arguments).ok().json == final(*arguments).ok().json
    assert not (tmp_path / "nobody").exists()
    isolated = subprocess.run(
        ["unshare", "--net", "--map-root-user", *appraiser.command(*arguments)],
        cwd=appraiser.cwd,
        env=appraiser.variables(),
        capture_output=True,
        check=False,
    )
    # Where the system lets nobody make a network of his own, the first half has to do.
    assert isolated.returncode == 0 or b"unshare" in isolated.stderr


def test_stock_tools_of_the_readme_agree(final: Mizheng) -> None:
    """The commands that README.txt prints, run as printed."""
    final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "--with-originals").ok()
    folder = final.cwd / "unpacked"
    with zipfile.ZipFile(final.cwd / "drawings.zip") as archive:
        archive.extractall(folder)
    text = (folder / "README.txt").read_text("utf-8")
    commands = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    commands = "\n".join(line for line in commands.splitlines() if not line.startswith("mizheng"))
    done = subprocess.run(["bash", "-euc", commands], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"path":"drawings/pump.dwg"' in done.stdout
    assert "Signature Verified Successfully" in done.stdout
    with Seal(final.cwd / "drawings.seal") as seal:
        fields = json.loads(record_lines(final, "drawings.seal")[1])
        assert seal.state.deposit is not None
    assert fields["sha256"] in done.stdout
    assert fields["sm3"] in done.stdout
    assert "OK the log's root" in done.stdout


def test_names_that_are_not_utf_8_go_all_the_way(company: Mizheng, trust: Callable[[], Path]) -> None:
    name = "旧图".encode("gb18030")
    path = company.cwd / os.fsdecode(name)
    path.write_bytes(b"old")
    company("notarize", name, "-o", "old.seal").ok()
    company("status", "old.seal", "--wait", "--timeout", "60").ok()
    result = company("bundle", "old.seal", "--open", name, "--with-originals", "-o", "old.zip").ok()
    assert "\\xbe\\xc9" in result.out
    report = company("verify", "old.zip", name, "--trust", trust(), "--json").ok().json
    assert report["verdict"] == "valid"


def test_originals_that_are_gone_or_changed(final: Mizheng) -> None:
    arguments = ("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "--with-originals")
    pump = final.cwd / "drawings" / "pump.dwg"
    pump.write_bytes(b"the pomp")
    changed = final(*arguments)
    assert changed.code == 65
    assert "drawings/pump.dwg is no longer what was sealed" in changed.err
    pump.unlink()
    assert final(*arguments).code == 66
    assert not list(final.cwd.glob("*.zip")) + list(final.cwd.glob(".*.part"))
    (final.cwd / "moved" / "drawings").mkdir(parents=True)
    (final.cwd / "moved" / "drawings" / "pump.dwg").write_bytes(b"the pump")
    final(*arguments, "--from", "moved").ok()


def test_bundle_errors(final: Mizheng) -> None:
    assert final("bundle", "drawings.seal").code == 64
    nothing = final("bundle", "drawings.seal", "--open", "drawings/none")
    assert nothing.code == 66
    assert "--list shows the names" in nothing.err
    final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "one.zip").ok()
    assert final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "one.zip").code == 73
    final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "one.zip", "--force").ok()
    (final.cwd / "later").touch()
    final("seal", "later").ok()
    early = final("bundle", "later.seal", "--open", "later")
    assert early.code == 75
    assert "has not been deposited" in early.err


def test_the_environment_can_stay_closed(final: Mizheng) -> None:
    final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "--no-environment").ok()
    with zipfile.ZipFile(final.cwd / "drawings.zip") as archive:
        assert len([name for name in archive.namelist() if name.startswith("records/")]) == 1


def test_evidence_in_the_seal_outlives_the_notary(final: Mizheng, trust: Callable[[], Path]) -> None:
    """Once it is final, a bundle needs the notary no more."""
    config = final.home / "config.toml"
    lines = config.read_text().splitlines()
    config.write_text(
        "\n".join('notary = "http://127.0.0.1:9"' if line.startswith("notary =") else line for line in lines)
    )
    result = final("bundle", "drawings.seal", "--open", "drawings/pump.dwg").ok()
    assert "the notary does not answer; using the evidence kept" in result.err
    final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "--offline", "--force").ok()
    assert final("verify", "drawings.zip", "--trust", trust()).ok()


def test_rotation_keeps_old_evidence_and_rebinds_what_was_not_deposited(
    own_final: Mizheng, trust: Callable[[], Path]
) -> None:
    (own_final.cwd / "undeposited").write_bytes(b"x")
    before = own_final("seal", "undeposited", "--json").ok().json["commitment"]
    own_final("key", "rotate").ok()
    keys = json.loads(own_final("key", "show", "--json").ok().out)
    assert [key["active"] for key in keys].count(True) == 1
    assert len(keys) == 2
    # What the old key signed stays evidence, and that key still signs bundles of it.
    own_final("bundle", "drawings.seal", "--open", "drawings/pump.dwg").ok()
    # What was sealed for the old key is committed to anew for the new one.
    after = own_final("notarize", "undeposited.seal", "--json").ok().json["commitment"]
    assert after != before
    own_final("status", "undeposited.seal", "--wait", "--timeout", "60").ok()
    own_final("bundle", "undeposited.seal", "--open", "undeposited").ok()
    believed = trust()
    for name in ("drawings.zip", "undeposited.zip"):
        assert own_final("verify", name, "--trust", believed, "--json").ok().json["verdict"] == "valid"


def test_an_envelope_of_a_revoked_key_that_never_arrived_is_signed_anew(own_company: Mizheng) -> None:
    """Signed, kept, never sent; then the key was rotated."""
    sealed = _with_drawings(own_company)
    sealed("notarize", "drawings.seal").ok()
    with Seal(sealed.cwd / "drawings.seal", lock=True) as seal:
        deposit = seal.state.deposit
        assert deposit is not None
        # As it would stand there had the notary never seen it: another nonce, so another envelope.
        _envelope, statement = parse_envelope(from_base64(deposit.envelope))
        entry = load_entry(sealed.home, statement.public_key.keyid)
        envelope = replace(statement, nonce=bytes(16)).sign(unlock(sealed.home, entry))
        digest = hashlib.sha256(envelope).hexdigest()
        seal.append(seal.state.with_deposit(Deposit(to_base64(envelope), digest, deposit.notary, None)))
    sealed("key", "rotate").ok()
    result = sealed("notarize", "drawings.seal", "--json").ok().json
    assert result["id"] not in (digest, deposit.id)


def test_a_lost_key_is_replaced_when_the_operator_allows_it(
    own_final: Mizheng, notary: NotaryServer, trust: Callable[[], Path], tmp_path: Path
) -> None:
    own_final("bundle", "drawings.seal", "--open", "drawings/pump.dwg").ok()
    for path in (own_final.home / "keys").glob("*.pem"):
        path.unlink()
    refused = own_final("key", "replace")
    assert refused.code == 76
    assert "active key already" in refused.err
    identifier = json.loads(own_final("init", "--json").ok().out)["depositor"]["id"]
    notary.run("key", "reenrol", identifier)
    own_final("key", "replace").ok()
    (own_final.cwd / "new").write_bytes(b"x")
    own_final("notarize", "new").ok()
    lost = own_final("bundle", "drawings.seal", "--open", "drawings/pump.dwg", "-o", "second.zip")
    assert lost.code == 77
    assert "cannot be read" in lost.err
    assert own_final("verify", "drawings.zip", "--trust", trust()).ok()


def test_trust_show(company: Mizheng, trust: Callable[[], Path]) -> None:
    path = trust()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    result = company("trust", "show", path).ok()
    assert digest in result.out
    assert f"{digest[:4]}-{digest[4:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}" in result.out
    assert "TRIAL" in result.err
    shown = company("trust", "show", path, "--json").ok().json
    assert shown["sha256"] == digest
    assert not shown["expired"]
    text = path.read_text()
    expires = shown["expires_at"]
    path.write_text(
        text.replace(expires, "2026-01-01T00:00:00Z").replace(shown["issued_at"], "2025-01-01T00:00:00Z")
    )
    assert company("trust", "show", path, "--json").ok().json["expired"]
    assert "expired" in company("trust", "show", path).ok().err
    path.write_text(text + "\nsurprise = 1\n")
    assert company("trust", "show", path).code == 65
