"""Readers that share no code with us: of a running notary, and of an export with no notary left."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from mizheng.notary.database import create_engine, writing
from mizheng.notary.keys.files import load_keys
from mizheng.notary.log.append import NewEntry, append
from mizheng.notary.log.head import lock_head
from mizheng.verifier.anchor import parse_anchor, verify_anchor
from mizheng.verifier.beacon import parse_beacon
from mizheng.verifier.canonical import to_base64
from mizheng.verifier.checkpoint import open_checkpoint, parse_tlog_proof
from mizheng.verifier.dsse import parse
from mizheng.verifier.entry import dump_entry
from mizheng.verifier.evm.keccak import keccak256
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.note import NoteSigner, NoteVerifier
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE
from mizheng.verifier.trust import parse_trust

from tests.notary.depositor import TestDepositor, register
from tests.notary.readside.logs import digest
from tests.support.missing import do_without
from tests.support.notary import NotaryServer
from tests.support.plain import NO_TLS
from tests.support.readers import go_read, scales_entry, scales_proof
from tests.support.tools import ToolError

# Three levels of tiles, and something behind each full one.
EXTRA = 700


@dataclass
class Log:
    """Where a log can be read, and what stands in it."""

    url: str
    vkey: str
    size: int
    entry: bytes
    """A deposit's, at `index`."""
    index: int


@dataclass
class Notary:
    """A running notary with a log of some length, and one real deposit in it that is final."""

    server: NotaryServer
    depositor: TestDepositor
    envelope: bytes
    index: int

    def log(self, url: str) -> Log:
        vkey = (self.server.data_dir / "keys" / "log.vkey").read_text().strip()
        size = int(
            httpx.get(f"{self.server.url}/checkpoint", trust_env=False, verify=NO_TLS).text.splitlines()[1]
        )
        return Log(url, vkey, size, dump_entry(hashlib.sha256(self.envelope).digest()), self.index)


@pytest.fixture(scope="module")
def notary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notary]:
    with NotaryServer(tmp_path_factory.mktemp("readers") / "notary") as server:
        engine = create_engine(f"sqlite:///{server.data_dir / 'mizheng.db'}")
        # As another process of the notary would: entries of nobody's, so that there are tiles to read.
        origin = httpx.get(f"{server.url}/checkpoint", trust_env=False, verify=NO_TLS).text.splitlines()[0]
        signer = NoteSigner(origin, load_keys(server.data_dir / "keys").log)
        with writing(engine) as connection:
            new = [NewEntry(digest(number), "deposit") for number in range(EXTRA)]
            append(connection, signer, lock_head(connection), new)
        depositor = register(server, engine)
        depositor.enrol()
        envelope, made = depositor.deposit()
        depositor.wait_until("final", made["id"])
        yield Notary(server, depositor, envelope, made["leaf_index"])
        engine.dispose()


@pytest.fixture(scope="module")
def export(notary: Notary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything exported; the notary is stopped afterwards and does not come back."""
    folder = tmp_path_factory.mktemp("export") / "log"
    said = notary.server.run("export-static", str(folder)).stdout
    index = (folder / "index.json").read_bytes()
    assert hashlib.sha256(index).hexdigest() in said
    assert hashlib.sha256((folder / "trust.toml").read_bytes()).hexdigest() in said
    return folder


def read_with_scales(log: Log) -> None:
    try:
        proof = parse_tlog_proof(scales_proof(log.url, log.index))
        found = scales_entry(log.url, log.index)
    except ToolError as error:
        do_without(error)
    assert found == log.entry
    # Their proof, checked by us.
    checkpoint = proof.verify(leaf_hash(log.entry))
    _, signed = open_checkpoint(proof.note, [NoteVerifier.from_vkey(log.vkey)])
    assert (proof.index, checkpoint.size, bool(signed)) == (log.index, log.size, True)


def read_with_go(log: Log) -> None:
    try:
        answers = [go_read(log.url, log.vkey, log.index, old) for old in (1, 256, 300, log.size)]
        first = go_read(log.url, log.vkey, 5)
    except ToolError as error:
        do_without(error)
    assert {answer.entry for answer in answers} == {log.entry}
    assert {answer.tree_size for answer in answers} == {log.size}
    assert first.entry == dump_entry(digest(5))


def test_tlog_scales_reads_a_running_notary(notary: Notary) -> None:
    read_with_scales(notary.log(notary.server.url))


def test_go_reads_a_running_notary(notary: Notary) -> None:
    read_with_go(notary.log(notary.server.url))


def test_over_a_real_socket(notary: Notary) -> None:
    # What the server in front of the routes could spoil: HEAD, 304, compression, paths as they were sent.
    url = notary.server.url
    with httpx.Client(
        base_url=url, trust_env=False, verify=NO_TLS, headers={"accept-encoding": "gzip"}
    ) as client:
        for path in ("/checkpoint", "/tile/0/001", "/tile/entries/001"):
            got, head = client.get(path), client.head(path)
            same = ("content-length", "etag", "cache-control", "content-type", "vary", "content-encoding")
            if path != "/checkpoint":
                assert [head.headers.get(name) for name in same] == [got.headers.get(name) for name in same]
            assert (head.status_code, head.content) == (200, b"")
            again = client.get("/tile/entries/001", headers={"if-none-match": "*"})
            assert (again.status_code, again.content) == (304, b"")
        assert client.get("/tile/entries/001").headers["content-encoding"] == "gzip"
    host, port = url.removeprefix("http://").split(":")
    for path in ("/tile/0/%30%30%31", "/tile/0//001", "/tile/0/001/", "/checkpoint/", "/tile/0/../0/001"):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert connection.makefile("rb").readline().split()[1] == b"404"


# The export. From here on there is no notary.


class Quiet(SimpleHTTPRequestHandler):
    """`python -m http.server`, without its log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def wound_down(notary: Notary, export: Path) -> Iterator[Log]:
    """The export on a plain web server, after the notary's end."""
    log = notary.log("")
    notary.server.stop()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(export)))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    log.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    yield log
    httpd.shutdown()
    httpd.server_close()


def test_tlog_scales_reads_what_is_left(wound_down: Log) -> None:
    read_with_scales(wound_down)


def test_go_reads_what_is_left(wound_down: Log) -> None:
    read_with_go(wound_down)


@pytest.mark.parametrize("is_served", [True, False])
def test_it_is_audited(wound_down: Log, export: Path, tmp_path: Path, is_served: bool) -> None:
    where = wound_down.url if is_served else str(export)
    command = [sys.executable, "-m", "mizheng.cli", "audit", where, "--trust", str(export / "trust.toml")]
    done = subprocess.run(
        [*command, "--since", str(tmp_path / "state.json"), "--json"],
        env={**os.environ, "MIZHENG_HOME": str(tmp_path), "MIZHENG_LANG": "en"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert str(wound_down.size) in done.stdout


def test_what_stands_beside_the_log_is_good(wound_down: Log, export: Path) -> None:
    trust = parse_trust((export / "trust.toml").read_bytes())
    (chain,) = trust.chains
    key = NoteVerifier.from_vkey((export / "keys" / "log.vkey").read_text().strip())
    assert [log.verifier.vkey for log in trust.logs] == [key.vkey] == [wound_down.vkey]
    files = read_index(export)
    anchors = [file for file in files if file["kind"] == "anchor"]
    assert any(file["is_final"] and file["tree_size"] > wound_down.index for file in anchors)
    for file in anchors:
        evidence = parse_anchor((export / file["path"]).read_bytes())
        verify_anchor(evidence, evidence.chain, chain.contract, chain.code_hash)
        assert chain.pins[file["block_number"]].hex() == file["block_hash"]
        # The very checkpoint that was anchored is here, signed.
        note = (export / "checkpoints" / str(file["tree_size"])).read_bytes()
        checkpoint, signed = open_checkpoint(note, [key])
        assert signed
        assert (checkpoint.size, checkpoint.root) == (evidence.tree_size, evidence.root_hash)
    for file in files_of(files, "beacon"):
        block = parse_beacon((export / file["path"]).read_bytes()).block
        assert keccak256(block.header) == block.hash
    pem = (export / files_of(files, "issuer-key")[0]["path"]).read_bytes()
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    issuer = serialization.load_pem_public_key(pem).public_bytes(encoding, form)
    assert issuer == trust.issuers[0].key.spki


def read_index(export: Path) -> list[dict[str, Any]]:
    index = json.loads((export / "index.json").read_bytes())
    assert index["type"] == "mizheng/export/v1"
    files: list[dict[str, Any]] = index["files"]
    assert {file["kind"] for file in files} <= set(index["kinds"])
    return files


def files_of(files: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [file for file in files if file["kind"] == kind]


def test_the_index_names_every_file(wound_down: Log, export: Path) -> None:
    there = {path.relative_to(export).as_posix() for path in export.rglob("*") if path.is_file()}
    files = read_index(export)
    for file in files:
        if "sha256" in file:
            assert hashlib.sha256((export / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    named = {file["path"] for file in files} | {"index.json"}
    assert {path for path in there if not path.startswith("tile/")} == {
        path for path in named if not path.endswith("/")
    }
    for name in ("日志", "complete export"):
        assert name in (export / "README.txt").read_text("utf-8")


def test_nothing_private_is_in_it(notary: Notary, wound_down: Log, export: Path) -> None:
    company = notary.depositor
    private = [
        *(company.org.name.encode(), company.org.id.encode(), company.key.public.keyid.encode()),
        *(company.api_key.encode(), to_base64(company.key.public.spki).encode(), notary.envelope),
        *(b"PRIVATE", b"api-key", b"application/vnd.mizheng.statement", b"mizheng/enrolment"),
        to_base64(parse(notary.envelope, STATEMENT_PAYLOAD_TYPE).payload).encode(),
    ]
    for path in export.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [text for text in private if text in data], path


# The command


def test_exported_again_it_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    with NotaryServer(tmp_path / "notary") as server:
        # Nothing was deposited: also an empty log has an end.
        server.run("export-static", str(folder))
        assert not (folder / "trust.toml").exists()
        register(server, create_engine(f"sqlite:///{server.data_dir / 'mizheng.db'}")).enrol()
        first = (folder / "checkpoint").read_bytes()
        (folder / "index.json").unlink()
        (folder / ".publishing").mkdir()
        (folder / ".publishing" / "1-1.new").write_bytes(b"left over")
        server.run("export-static", str(folder))
        assert (folder / "checkpoint").read_bytes() != first
        assert (folder / "tile" / "0" / "000.p" / "1").exists()
        assert not (folder / ".publishing").exists()
        other = tmp_path / "other"
        other.mkdir()
        (other / "file").write_text("mine")
        refused = server.run("export-static", str(other), check=False)
        assert refused.returncode == 1
        assert "is not empty" in refused.stderr
        assert [path.name for path in other.iterdir()] == ["file"]
