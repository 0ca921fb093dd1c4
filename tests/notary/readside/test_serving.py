"""A running notary publishes to a directory, says how it goes, and never goes on behind what is published."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import httpx
import pytest
from mizheng.notary.database import create_engine
from mizheng.verifier.checkpoint import open_checkpoint
from mizheng.verifier.note import NoteVerifier

from tests.notary.depositor import TestDepositor, register
from tests.notary.readside.folders import read_files
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS


def configured(data_dir: Path, folder: Path) -> Path:
    data_dir.mkdir(mode=0o700)
    (data_dir / "notary.toml").write_text(f'[publish]\ndirectory = "{folder}"\ninterval = 0.1\n')
    return data_dir


def published_size(server: NotaryServer, folder: Path) -> int:
    path = folder / "checkpoint"
    if not path.exists():
        return -1
    key = NoteVerifier.from_vkey((server.data_dir / "keys" / "log.vkey").read_text().strip())
    checkpoint, signed = open_checkpoint(path.read_bytes(), [key])
    assert signed
    return checkpoint.size


def wait_for(server: NotaryServer, folder: Path, size: int) -> None:
    deadline = time.monotonic() + 30
    while published_size(server, folder) < size:
        assert time.monotonic() < deadline, server.output
        time.sleep(0.05)


def fetch(server: NotaryServer, path: str) -> bytes:
    return httpx.get(f"{server.url}/{path}", timeout=20, trust_env=False, verify=NO_TLS).content


def test_a_notary_publishes_and_knows_what_it_published(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    with NotaryServer(configured(tmp_path / "notary", folder)) as server:
        depositor = enrolled(server)
        for _ in range(3):
            depositor.deposit()
        wait_for(server, folder, 4)
        files = read_files(folder)
        assert {"tile/0/000.p/4", "tile/entries/000.p/4", "checkpoint"} <= set(files)
        assert files == {path: fetch(server, path) for path in files}
        ready = json.loads(fetch(server, "readyz"))
        assert ready["checks"]["publication.directory"] == {"state": "ok"}
        assert b"mizheng_published_size_directory 4.0" in fetch(server, "metrics")
        server.stop()
        backup = shutil.copytree(server.data_dir, tmp_path / "backup")
        server.start()
        depositor.deposit()
        wait_for(server, folder, 5)
    # From an old backup, one that lost its state file as well: what is published is witness against it.
    for state in backup.glob("*.state*"):
        state.unlink()
    with pytest.raises(RuntimeError, match="has 5 entries, the log only 4"), NotaryServer(backup):
        pass
    assert fetch_size(folder) == "5"


def fetch_size(folder: Path) -> str:
    return (folder / "checkpoint").read_text().splitlines()[1]


def enrolled(server: NotaryServer) -> TestDepositor:
    depositor = register(server, create_engine(f"sqlite:///{server.data_dir / 'mizheng.db'}"))
    depositor.enrol()
    return depositor


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "public"
    folder.write_text("a file, and no directory")
    with NotaryServer(configured(tmp_path / "notary", folder)) as server:
        deadline = time.monotonic() + 20
        while True:
            ready = json.loads(fetch(server, "readyz"))
            if ready["checks"]["publication.directory"]["state"] != "waiting":
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert ready["checks"]["publication.directory"]["state"] == "target-unwritable"
        # Readers of the directory wait; depositors do not.
        assert ready["state"] == "degraded"
        enrolled(server).deposit()
