"""Backup under load, restore elsewhere, and what a notary does that lacks what it has signed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mizheng.notary.backup.keyfile import read_keys, write_keys
from mizheng.notary.errors import OperatorError
from mizheng.notary.instance import Instance

from tests.cli.runner import Mizheng
from tests.faults.load import Load, admit, make_server, read_vkey
from tests.notary.depositor import TestDepositor
from tests.notary.life.conftest import PASSPHRASE
from tests.support.notary import NotaryServer
from tests.support.postgres import Postgres


def back_up(server: NotaryServer, folder: Path, passphrase_file: Path) -> Path:
    keys = folder.with_name(folder.name + ".keys")
    server.run("backup", str(folder), "--keys", str(keys), "--passphrase-file", str(passphrase_file))
    return keys


def restore(server: NotaryServer, folder: Path, keys: Path, passphrase_file: Path, *more: str) -> str:
    return server.run(
        "restore", str(folder), "--keys", str(keys), "--passphrase-file", str(passphrase_file), *more
    ).stdout


def elsewhere(depositor: TestDepositor, server: NotaryServer) -> TestDepositor:
    return TestDepositor(server.url, depositor.org, depositor.api_key, depositor.key)


def log_state(depositor: TestDepositor) -> str:
    checks = depositor.client.get("/readyz").json()["checks"]
    return str(checks["log"]["state"])


def no_key_in(folder: Path, keys_dir: Path) -> bool:
    """No file of the backup has the bytes of any private key, in any form that a key is kept in."""
    stored = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    for path in keys_dir.iterdir():
        if path.name == "log.vkey":
            continue
        text = path.read_bytes()
        body = b"".join(line for line in text.splitlines() if not line.startswith(b"-----"))
        if body in stored or (path.suffix == ".key" and bytes.fromhex(body.decode()) in stored):
            return False
    return True


def test_backup_under_load_restored_elsewhere(tmp_path: Path, passphrase_file: Path) -> None:
    """SQLite and the embedded chain. The machine is lost, and what was backed up goes on elsewhere."""
    backup = tmp_path / "backup"
    with NotaryServer(tmp_path / "old") as server:
        depositor = admit(server, f"sqlite:///{server.data_dir / 'mizheng.db'}")
        _envelope, first = depositor.deposit()
        depositor.wait_until("final", first["id"])
        kept = depositor.evidence(first["id"])
        load = Load([depositor] * 3)
        load.begin()
        load.wait_for(30)
        keys = back_up(server, backup, passphrase_file)
        load.wait_for(30)
        load.end()
        server.kill()
    assert load.unanswered == 0, "a backup held deposits up"
    assert no_key_in(backup, tmp_path / "old" / "keys")
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}
    assert keys.stat().st_mode & 0o777 == 0o600
    size = json.loads((backup / "backup.json").read_bytes())["tree_size"]
    present = [receipt for receipt in load.receipts if receipt.leaf_index < size]
    assert len(present) >= 30, "not even what was answered before"

    shutil.move(tmp_path / "old", tmp_path / "lost")
    new = NotaryServer(tmp_path / "new")
    said = restore(new, backup, keys, passphrase_file)
    assert f"restored: {size} entries" in said
    for path in (tmp_path / "lost" / "keys").iterdir():
        assert (tmp_path / "new" / "keys" / path.name).read_bytes() == path.read_bytes()
    with new:
        again = elsewhere(depositor, new)
        assert log_state(again) == "ok"
        # What stands on the chain still proves the same, byte for byte.
        assert again.status(first["id"])["state"] == "final"
        found = again.evidence(first["id"])
        assert {name: found[name] for name in found if name != "key_status"} == {
            name: kept[name] for name in kept if name != "key_status"
        }
        by_digest = {receipt.envelope_sha256: receipt.leaf_index for receipt in present}
        for digest, index in list(by_digest.items())[-20:]:
            assert again.status(digest)["leaf_index"] == index
        # And it goes on: a new deposit becomes final on the restored chain.
        _body, made = again.deposit()
        again.wait_until("final", made["id"])
        new.export_trust(tmp_path / "trust.toml")
        mizheng = Mizheng(tmp_path / "home", tmp_path)
        audited = mizheng("audit", new.url, "--trust", tmp_path / "trust.toml", "--json").ok().json
        assert audited["result"] == "consistent"
        assert audited["size"] > size


def test_an_old_backup_does_not_sign(tmp_path: Path, passphrase_file: Path) -> None:
    """PostgreSQL's part is below. Here: the database is lost, the data directory's state file is not."""
    backup = tmp_path / "backup"
    with make_server(tmp_path / "old", "") as server:
        depositor = admit(server, f"sqlite:///{server.data_dir / 'mizheng.db'}")
        keys = back_up(server, backup, passphrase_file)
        depositor.deposit()
        signed = depositor.client.get("/checkpoint").content
    data_dir = tmp_path / "old"
    for name in ("mizheng.db", "mizheng.db-wal", "mizheng.db-shm"):
        (data_dir / name).unlink(missing_ok=True)
    # In place: keys and settings are there and the same, the state file has the higher head.
    assert "this notary will sign nothing" in restore(server, backup, keys, passphrase_file)
    with server:
        again = elsewhere(depositor, server)
        assert log_state(again) == "behind-state-file"
        assert again.post(again.envelope()).status_code == 503

    # The whole machine is lost, and a depositor, an auditor or a mirror kept a checkpoint.
    (tmp_path / "seen").write_bytes(signed)
    other = NotaryServer(tmp_path / "other")
    said = restore(other, backup, keys, passphrase_file, "--seen", str(tmp_path / "seen"))
    assert "2 entries are known to have been signed" in said
    with other:
        assert log_state(elsewhere(depositor, other)) == "behind-state-file"

    # A checkpoint by somebody else's key says nothing.
    (tmp_path / "seen").write_bytes(signed.replace("— ".encode(), b"+ "))
    third = NotaryServer(tmp_path / "third")
    refused = third.run("restore", str(backup), "--seen", str(tmp_path / "seen"), check=False)
    assert refused.returncode == 1
    assert "did not sign" in refused.stderr
    assert not (tmp_path / "third").exists()


def test_postgresql(tmp_path: Path, postgres: Postgres, passphrase_file: Path) -> None:
    """Dumped under load from one snapshot, restored into another database, and refused as an old one."""
    backup, url = tmp_path / "backup", postgres.create()
    with make_server(tmp_path / "old", url) as server:
        depositor = admit(server, url)
        load = Load([depositor] * 2)
        load.begin()
        load.wait_for(20)
        keys = back_up(server, backup, passphrase_file)
        load.wait_for(20)
        load.end()
        seen = tmp_path / "seen"
        seen.write_bytes(depositor.client.get("/checkpoint").content)
    size = json.loads((backup / "backup.json").read_bytes())["tree_size"]
    target = postgres.create()
    new = NotaryServer(tmp_path / "new", MIZHENG_DATABASE_URL=target)
    restore(new, backup, keys, passphrase_file)
    with new:
        again = elsewhere(depositor, new)
        assert log_state(again) == "ok"
        _body, made = again.deposit()
        assert made["leaf_index"] == size
        mizheng = Mizheng(tmp_path / "home", tmp_path)
        audited = mizheng("audit", new.url, "--key", read_vkey(new), "--json").ok().json
        assert (audited["result"], audited["size"]) == ("consistent", size + 1)

    # Neither over a database that has something, nor into one of another kind.
    for address, expected in ((target, "is not empty"), ("", "of its own kind")):
        other = NotaryServer(tmp_path / "other", MIZHENG_DATABASE_URL=address)
        refused = other.run("restore", str(backup), check=False)
        assert refused.returncode == 1
        assert expected in refused.stderr
    third = NotaryServer(tmp_path / "third", MIZHENG_DATABASE_URL=postgres.create())
    assert "this notary will sign nothing" in restore(
        third, backup, keys, passphrase_file, "--seen", str(seen)
    )
    with third:
        assert log_state(elsewhere(depositor, third)) == "behind-state-file"


def test_without_the_programs_of_postgresql(
    tmp_path: Path, postgres: Postgres, passphrase_file: Path
) -> None:
    url = postgres.create()
    server = NotaryServer(tmp_path / "data", MIZHENG_DATABASE_URL=url, PATH=str(tmp_path))
    server.add_org()
    refused = server.run("backup", str(tmp_path / "backup"), check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: pg_dump is not installed here\nhint: ")
    assert not (tmp_path / "backup").exists()
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.fixture
def made(tmp_path: Path) -> tuple[NotaryServer, Path]:
    """A backup of a notary that was never served."""
    server = NotaryServer(tmp_path / "data")
    server.add_org()
    server.run("backup", str(tmp_path / "backup"))
    return server, tmp_path / "backup"


def test_what_is_no_backup(tmp_path: Path, made: tuple[NotaryServer, Path]) -> None:
    server, backup = made
    twice = server.run("backup", str(backup), check=False)
    assert "exists already" in twice.stderr
    inside = server.run("backup", str(tmp_path / "b"), "--keys", str(tmp_path / "b" / "k"), check=False)
    assert "keys do not lie in the same place" in inside.stderr
    nowhere = server.run("backup", str(tmp_path / "b"), "--data-dir", str(tmp_path / "no"), check=False)
    assert "there is no notary" in nowhere.stderr
    assert not (tmp_path / "no").exists()

    def refusal(damage: Path) -> str:
        result = server.run("restore", str(damage), "--data-dir", str(tmp_path / "target"), check=False)
        assert result.returncode == 1
        assert not (tmp_path / "target").exists()
        return result.stderr

    for name in ("mizheng.db", "checkpoint", "log.vkey"):
        damaged = tmp_path / f"damaged-{name}"
        shutil.copytree(backup, damaged)
        data = bytearray((damaged / name).read_bytes())
        data[len(data) // 2] ^= 1
        (damaged / name).write_bytes(data)
        assert "its digest is another" in refusal(damaged)
    (damaged / "log.vkey").unlink()
    assert "cannot be read" in refusal(damaged)
    (damaged / "backup.json").unlink()
    assert "is not a whole backup" in refusal(damaged)
    outside = tmp_path / "outside"
    shutil.copytree(backup, outside)
    manifest = json.loads((backup / "backup.json").read_bytes())
    manifest["files"]["../elsewhere"] = manifest["files"]["mizheng.db"]
    (outside / "backup.json").write_text(json.dumps(manifest))
    assert "is not a whole backup" in refusal(outside)


def test_nothing_is_overwritten(tmp_path: Path, made: tuple[NotaryServer, Path]) -> None:
    server, backup = made
    before = {path: path.read_bytes() for path in sorted(server.data_dir.rglob("*")) if path.is_file()}
    refused = server.run("restore", str(backup), check=False)
    assert refused.returncode == 1
    assert "nothing is overwritten" in refused.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_interrupted_it_goes_on(tmp_path: Path, made: tuple[NotaryServer, Path]) -> None:
    """Everything but the database is there, and half of that: the same command finishes."""
    server, backup = made
    target = NotaryServer(tmp_path / "target")
    target.run("restore", str(backup))
    (tmp_path / "target" / "mizheng.db").unlink()
    (tmp_path / "target" / "mizheng.db.restoring").write_bytes(b"half of it")
    target.run("restore", str(backup))
    shutil.copytree(server.data_dir / "keys", tmp_path / "target" / "keys", dirs_exist_ok=True)
    assert json.loads(target.run("org", "list", "--json").stdout)
    with closing(sqlite3.connect(tmp_path / "target" / "mizheng.db")) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not list((tmp_path / "target").glob("*.restoring"))


def test_the_file_of_keys(tmp_path: Path, instance: Instance) -> None:
    keys_dir, path = instance.settings.keys_dir, tmp_path / "keys.json"
    (keys_dir / "publisher.key").write_text("0" * 63 + "7\n")
    assert write_keys(keys_dir, path, PASSPHRASE.encode()) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    found = read_keys(path, PASSPHRASE.encode())
    assert found == {
        name: (keys_dir / name).read_bytes() for name in ("issuer.pem", "log.pem", "publisher.key")
    }
    with pytest.raises(OperatorError, match="cannot be opened"):
        read_keys(path, b"another passphrase")
    with pytest.raises(OperatorError, match="exists already"):
        write_keys(keys_dir, path, PASSPHRASE.encode())
    text = json.loads(path.read_bytes())
    for changed in ({**text, "type": "x"}, {**text, "scrypt": {**text["scrypt"], "n": 2**30}}, {"keys": {}}):
        path.write_text(json.dumps(changed))
        with pytest.raises(OperatorError, match="is not a file with the notary's keys"):
            read_keys(path, PASSPHRASE.encode())


def test_keys_of_another_notary(
    tmp_path: Path, made: tuple[NotaryServer, Path], passphrase_file: Path
) -> None:
    _server, backup = made
    stranger = NotaryServer(tmp_path / "stranger")
    stranger.add_org()
    keys = back_up(stranger, tmp_path / "theirs", passphrase_file)
    target = NotaryServer(tmp_path / "target")
    arguments = ("--keys", str(keys), "--passphrase-file", str(passphrase_file))
    refused = target.run("restore", str(backup), *arguments, check=False)
    assert "is not the one that this backup belongs to" in refused.stderr
    (tmp_path / "short").write_text("short\n")
    refused = target.run(
        "restore", str(backup), "--keys", str(keys), "--passphrase-file", str(tmp_path / "short"), check=False
    )
    assert "has fewer than 12 characters" in refused.stderr
    assert not (tmp_path / "target").exists()
