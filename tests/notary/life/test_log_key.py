"""The log's key is changed under companies, processes, publications and backups that go on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mizheng.notary.config import load_settings
from mizheng.notary.errors import ConfigurationError, OperatorError
from mizheng.notary.exports.trust import trusted_logs
from mizheng.notary.instance import Instance, open_instance
from mizheng.notary.keys.rotation import Occasion, rotate_log
from mizheng.notary.log.anchorable import AnchorableLog
from mizheng.notary.log.guard import KeyReplacedError, LogBehindError, LogGuard, writing_log
from mizheng.notary.log.head import sign_head
from mizheng.notary.log.statefile import StateFile
from mizheng.notary.publishing.directory import DirectoryTarget
from mizheng.notary.publishing.step import FilePublisher, PublicationError
from mizheng.verifier.logkeys import LOG_KEYS_PATH, parse_log_keys
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey

from tests.cli.auditing.conftest import Auditor
from tests.faults.load import admit, copy_keys, make_server
from tests.notary.depositor import problem_of
from tests.notary.life.test_backup import back_up, elsewhere, log_state, restore
from tests.notary.witness.scene import Scene
from tests.support.keychanges import ChangingLog
from tests.support.notary import NotaryServer
from tests.support.postgres import Postgres


def test_two_processes(tmp_path: Path, postgres: Postgres) -> None:
    """The one that was forgotten refuses by name, running and started again, until it is given the key."""
    url = postgres.create()
    one, other = make_server(tmp_path / "one", url), make_server(tmp_path / "other", url)
    with one:
        here = admit(one, url)
        copy_keys(one.data_dir / "keys", other.data_dir / "keys")
        with other:
            there = elsewhere(here, other)
            there.deposit()
            old = (one.data_dir / "keys" / "log.vkey").read_text().strip()
            one.stop()
            one.run("key", "rotate-log")
            # Nothing was said to the other one; it sees it in the head that it would go on from.
            refused = there.post(there.envelope())
            assert (refused.status_code, problem_of(refused)) == (503, "log-key-replaced")
            assert refused.headers["retry-after"]
            ready = there.client.get("/readyz")
            assert (ready.status_code, ready.json()["checks"]["log"]["state"]) == (503, "key-replaced")
            one.start()
            here.deposit()
            other.stop()
            with pytest.raises(RuntimeError, match="a key of this log that was replaced"):
                other.start()
            shutil.rmtree(other.data_dir / "keys")
            copy_keys(one.data_dir / "keys", other.data_dir / "keys")
            other.start()
            there.deposit()
            assert log_state(there) == "ok"
            audit = Auditor(tmp_path / "audit.json")(other.url, old)
            assert audit.head is not None
            # Enrolment, a deposit, the change, two deposits.
            assert (audit.checked, audit.head.size) == (5, 5)
            assert len(audit.keys.changes) == 1


def test_backed_up_after_it(tmp_path: Path, passphrase_file: Path) -> None:
    with make_server(tmp_path / "old", "") as server:
        depositor = admit(server, f"sqlite:///{server.data_dir / 'mizheng.db'}")
        early = tmp_path / "early"
        early.write_bytes(depositor.client.get("/checkpoint").content)
        old_keys = back_up(server, tmp_path / "before", passphrase_file)
        server.stop()
        server.run("key", "rotate-log")
        server.start()
        depositor.deposit()
        late = tmp_path / "late"
        late.write_bytes(depositor.client.get("/checkpoint").content)
        keys = back_up(server, tmp_path / "after", passphrase_file)
        vkeys = (server.data_dir / "keys" / "log.vkey").read_text().split()
    assert len(vkeys) == 2
    new = NotaryServer(tmp_path / "new")
    # What the old key signed is this log's as well.
    restore(new, tmp_path / "after", keys, passphrase_file, "--seen", str(early), "--seen", str(late))
    assert (new.data_dir / "keys" / "log.vkey").read_text().split() == vkeys
    with new:
        again = elsewhere(depositor, new)
        assert log_state(again) == "ok"
        again.deposit()
        assert [
            log.verifier.vkey for log in parse_log_keys(again.client.get(f"/{LOG_KEYS_PATH}").content).ranges
        ] == vkeys
    # A backup from before goes with the keys from before, and cannot be told what came after.
    other = NotaryServer(tmp_path / "other")
    arguments = ("restore", str(tmp_path / "before"), "--passphrase-file", str(passphrase_file))
    refused = other.run(*arguments, "--keys", str(keys), check=False)
    assert "is not the one that this backup belongs to" in refused.stderr
    refused = other.run(*arguments, "--keys", str(old_keys), "--seen", str(late), check=False)
    assert "restore one that was made afterwards" in refused.stderr
    restore(other, tmp_path / "before", old_keys, passphrase_file)


def test_published_under_both_keys(instance: Instance, tmp_path: Path) -> None:
    """A mirror follows; and a database from before the change sees in it what it lacks."""
    scene, folder = Scene(instance, tmp_path), tmp_path / "public"
    first = scene.grow(3)

    def publisher(of: Instance) -> FilePublisher:
        return FilePublisher(of.engine, DirectoryTarget(folder), of.guard, asks_who_signed=True)

    scene.choose()
    scene.choose(20)
    publisher(instance).publish()
    assert not (folder / LOG_KEYS_PATH).exists(), "there is nothing to say yet"
    instance.engine.dispose()
    shutil.copytree(instance.settings.data_dir, tmp_path / "before")
    rotate_log(instance.settings, Occasion())
    scene.instance = opened = open_instance(instance.settings)
    # The old key's checkpoint stands until there is a new one.
    Auditor(tmp_path / "early.json")(folder, instance.signer.vkey)
    scene.grow(2)
    scene.choose(20)
    scene.choose(20)
    assert publisher(opened).publish().tree_size == 6
    audit = Auditor(tmp_path / "late.json")(folder, instance.signer.vkey)
    assert audit.head is not None
    assert audit.head.verifier.vkey == opened.signer.vkey
    assert [log.last_size for log in trusted_logs(opened)] == [first.tree_size, None]

    left = open_instance(load_settings({"MIZHENG_DATA_DIR": str(tmp_path / "before")}))
    with pytest.raises(PublicationError, match="6 entries"):
        publisher(left).check()
    with (
        pytest.raises(LogBehindError, match="the published checkpoint"),
        writing_log(left.engine, left.guard),
    ):
        raise AssertionError("it was let in")
    # Not so on the word of a stranger who can write there.
    stranger = ChangingLog(left.origin).grow(9)
    stranger.change()
    (folder / LOG_KEYS_PATH).write_bytes(stranger.keys.dump())
    (folder / "checkpoint").write_bytes(stranger.head())
    left = open_instance(load_settings({"MIZHENG_DATA_DIR": str(tmp_path / "before")}))
    publisher(left).check()
    with writing_log(left.engine, left.guard):
        pass


def test_stolen_before_the_last_anchors(tmp_path: Path) -> None:
    """What the notary hands out stands on no head that the stolen key may not have signed."""
    with NotaryServer(tmp_path / "notary") as server:
        depositor = admit(server, f"sqlite:///{server.data_dir / 'mizheng.db'}")
        _envelope, made = depositor.deposit()
        depositor.wait_until("final", made["id"])
        before = {int(size) for size in depositor.evidence(made["id"])["heads"]}
        server.stop()
        refused = server.run("key", "rotate-log", "--last-size", "1", check=False)
        assert "--last-size goes with --stolen" in refused.stderr
        assert "up to 1" in server.run("key", "rotate-log", "--stolen", "--last-size", "1").stdout
        server.start()
        change = parse_log_keys(depositor.client.get(f"/{LOG_KEYS_PATH}").content).changes[0].change
        assert max(before) > change.last_size
        depositor.wait_until("final", made["id"])
        after = {int(size) for size in depositor.evidence(made["id"])["heads"]}
        assert min(after) > change.size
        anchors = depositor.status(made["id"])["anchors"]
        assert {anchor["tree_size"] for anchor in anchors} >= after
        assert not {anchor["tree_size"] for anchor in anchors} & before


def test_what_is_refused(instance: Instance) -> None:
    settings, path = instance.settings, instance.settings.keys_dir / "log.pem"
    with pytest.raises(OperatorError, match="is not lost"):
        rotate_log(settings, Occasion(is_lost=True))
    with pytest.raises(OperatorError, match="cannot have signed 7"):
        rotate_log(settings, Occasion(is_stolen=True, last_size=7))
    kept = path.read_bytes()
    path.write_bytes(PrivateKey.generate().to_pem())
    with pytest.raises((ConfigurationError, KeyReplacedError)):
        rotate_log(settings, Occasion())
    # Somebody else's key in its place: lost it is, all the same.
    change = rotate_log(settings, Occasion(is_stolen=True, is_lost=True, last_size=0)).change
    assert (change.reason, change.issuer is not None) == ("stolen", True)
    path.write_bytes(kept)
    with pytest.raises(ConfigurationError, match="that was replaced"):
        open_instance(settings)


def test_no_head_of_the_old_key_is_signed_again(instance: Instance, tmp_path: Path) -> None:
    """The anchorer keeps checkpoints of earlier sizes: with the key that may sign them, or not at all."""
    scene = Scene(instance, tmp_path)
    scene.grow(3)
    scene.choose()
    scene.choose(20)
    scene.grow(1)
    rotate_log(instance.settings, Occasion())
    scene.instance = opened = open_instance(instance.settings)
    scene.grow(2)
    log = AnchorableLog(opened.engine, opened.signer)
    log.keep_checkpoint(3)  # still the published one, as the old key signed it
    log.keep_checkpoint(6)
    with pytest.raises(KeyReplacedError):
        log.keep_checkpoint(2)
    with pytest.raises(KeyReplacedError), writing_log(instance.engine, instance.guard):
        raise AssertionError("the old key was let in")


def test_whose_turn_it_is(tmp_path: Path) -> None:
    """Told by the name of the key in the note alone: of any two keys of one log."""
    origin = "log.example/1"
    signers = [NoteSigner(origin, PrivateKey.generate()) for _ in range(20)]
    heads = [sign_head(signer, 7, bytes(32)) for signer in signers]
    for signer in signers:
        guard = LogGuard(origin, StateFile(tmp_path / "signed-head"), signer.verifier)
        for other, head in zip(signers, heads, strict=True):
            if other is signer:
                guard.check_key(head)
            else:
                with pytest.raises(KeyReplacedError):
                    guard.check_key(head)
