"""Audits of honest logs: whole, grown, resumed, as files and over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from mizheng.cli.auditing import run
from mizheng.cli.auditing.source import FolderSource
from mizheng.cli.auditing.state import default_path, load_state
from mizheng.cli.errors import DataFault, UsageFault
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey

from tests.cli.auditing.conftest import BIG, Auditor
from tests.cli.runner import Mizheng
from tests.support.staticlog import StaticLog, make_entry, serving


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 700])
def test_logs_of_every_shape(size: int, auditor: Auditor, tmp_path: Path) -> None:
    log = StaticLog(tmp_path / "log").grow(size)
    audit = auditor(log.folder, log.vkey)
    assert (audit.checked, audit.head and audit.head.size) == (size, size)
    assert auditor(log.folder).checked == 0


def test_three_levels(big: StaticLog, auditor: Auditor) -> None:
    assert auditor(big.folder, big.vkey).checked == BIG


def test_a_log_that_grows(log: StaticLog, auditor: Auditor) -> None:
    assert auditor(log.folder, log.vkey).checked == 700
    for size in (701, 768, 769, 2000):
        before = log.size
        log.grow(size)
        audit = auditor(log.folder)
        assert audit.checked == size - before
        assert audit.seen is not None and audit.seen.head.size == before


def test_partial_tiles_that_are_gone_are_read_from_the_full_one(log: StaticLog, auditor: Auditor) -> None:
    note = (log.folder / "checkpoint").read_bytes()
    partial = [log.bundle(2), log.tile(0, 2)]
    log.grow(66_000)
    partial.append("tile/1/000.p/2")
    for path in partial:
        (log.folder / path).unlink()
    log.write("checkpoint", note)
    assert auditor(log.folder, log.vkey).checked == 700


def test_only_what_is_new_is_fetched(log: StaticLog, auditor: Auditor) -> None:
    auditor(log.folder, log.vkey)
    log.grow(1500)
    with serving(log.folder) as server:
        auditor(server.url)
    assert log.bundle(1) not in server.requests
    assert log.bundle(2) in server.requests


def test_nothing_new_costs_a_handful_of_requests(big: StaticLog, auditor: Auditor) -> None:
    auditor(big.folder, big.vkey)
    with serving(big.folder) as server:
        auditor(server.url)
    assert sorted(server.requests) == [
        "checkpoint",
        "tile/0/257.p/208",
        "tile/1/001.p/1",
        "tile/2/000.p/1",
        "v1/log-keys",
    ]


def test_entries_of_other_formats_are_counted_and_checked(log: StaticLog, auditor: Auditor) -> None:
    log.append([b"mizheng/entry/v2\n", b"", make_entry(702), bytes(0xFFFF)])
    audit = auditor(log.folder, log.vkey)
    assert (audit.state and audit.state.unknown, audit.first_unknown) == (3, 700)
    log.grow(800)
    audit = auditor(log.folder)
    assert (audit.state and audit.state.unknown, audit.first_unknown) == (3, None)
    log.flip(log.bundle(2), -100)
    assert Auditor(auditor.state.with_name("fresh.json")).finds(log.folder, log.vkey).kind == "entry"


def test_an_interrupted_audit_goes_on_where_it_was(
    big: StaticLog, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(FolderSource):
        def read(self, path: str, limit: int, *, fresh: bool = False) -> bytes | None:
            if path == "tile/entries/100":
                raise KeyboardInterrupt
            return super().read(path, limit, fresh=fresh)

    monkeypatch.setattr(run, "_SAVE_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        auditor(Interrupted(big.folder), big.vkey)
    state = load_state(auditor.state, ())
    assert state is not None and state.audited == 100 * 256
    big_again = auditor(big.folder)
    assert big_again.checked == BIG - 100 * 256


def test_a_killed_audit_goes_on_and_meets_a_log_that_grew(
    big: StaticLog, bare: Mizheng, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"

    def slowly(path: str) -> None:
        time.sleep(0.02)

    with serving(big.folder) as server:
        server.interfere = slowly
        command = bare.command("audit", server.url, "--key", big.vkey, "--since", state)
        process = subprocess.Popen(command, env=bare.variables(), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if state.exists() and json.loads(state.read_bytes())["audited"]:
                break
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = json.loads(state.read_bytes())["audited"]
        assert 0 < before < BIG
        server.interfere = lambda _path: None
        result = bare("audit", server.url, "--since", state, "--json").ok().json
    assert result["checked"] == BIG - before
    assert result["result"] == "consistent"
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_the_first_audit_needs_a_key(log: StaticLog, auditor: Auditor) -> None:
    with pytest.raises(UsageFault, match="no key"):
        auditor(log.folder)
    assert not auditor.state.exists()


def test_a_state_of_another_log_is_refused(log: StaticLog, auditor: Auditor, tmp_path: Path) -> None:
    auditor(log.folder, log.vkey)
    other = StaticLog(tmp_path / "other", NoteSigner("other.example/log", PrivateKey.generate())).grow(3)
    with pytest.raises(DataFault, match="another log"):
        auditor(other.folder, other.vkey)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-20],
        lambda text: text.replace('"audited":700', '"audited":701'),
        lambda text: text.replace("\\n700\\n", "\\n699\\n"),
        lambda text: text.replace("state/v1", "state/v2"),
        lambda text: text.replace("{", "{ ", 1),
    ],
)
def test_a_state_that_was_changed_is_refused(change: object, log: StaticLog, auditor: Auditor) -> None:
    auditor(log.folder, log.vkey)
    assert callable(change)
    auditor.state.write_text(change(auditor.state.read_text()))
    with pytest.raises(DataFault):
        auditor(log.folder)


def test_each_address_has_a_state_of_its_own(tmp_path: Path) -> None:
    addresses = ["https://a.example", "https://a.example/log", "http://a.example", str(tmp_path)]
    paths = {default_path(tmp_path, address) for address in addresses}
    assert len(paths) == 4
    assert default_path(tmp_path, "https://a.example/") in paths
    assert all(path.parent == tmp_path / "audits" for path in paths)


def test_the_command_line(log: StaticLog, bare: Mizheng) -> None:
    first = bare("audit", str(log.folder), "--key", log.vkey).ok()
    assert "checked now: 700 entries and their tiles\nthe log holds together\n" in first.out
    assert first.err == ""
    log.grow(900)
    again = bare("audit", log.folder.as_uri(), "--key", log.vkey, "--json").ok().json
    # Another spelling of the address: an audit of its own.
    assert (again["seen_size"], again["checked"]) == (None, 900)
    then = bare("audit", str(log.folder), "--json").ok().json
    assert (then["seen_size"], then["checked"], then["audited"]) == (700, 200, 900)
    assert then["result"] == "consistent" and then["finding"] is None
    chinese = bare("--lang", "zh_CN", "audit", str(log.folder)).ok()
    assert "900" in chinese.out and "checkpoint" not in chinese.out


@pytest.mark.parametrize(
    "address", ["/no/such/folder", "file://host/x", "gopher://x", "http://", "http://127.0.0.1:9/?a=b"]
)
def test_what_is_no_address_of_a_log(address: str, bare: Mizheng) -> None:
    assert bare("audit", address).code == 64


def test_wrong_options(log: StaticLog, bare: Mizheng, tmp_path: Path) -> None:
    assert bare("audit", str(log.folder), "--key", "nonsense").code == 64
    assert bare("audit", str(log.folder), "--trust", str(tmp_path / "none.toml")).code == 66
    with_node = bare("audit", str(log.folder), "--key", log.vkey, "--rpc", "http://127.0.0.1:1")
    assert with_node.code == 64 and "--trust" in with_node.err
    (tmp_path / "empty").mkdir()
    assert bare("audit", str(tmp_path / "empty"), "--key", log.vkey).code == 69
