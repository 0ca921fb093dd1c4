"""`python -m mizheng.verifier` as a court runs it: a process of its own, its exit code and its words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from mizheng.verifier.trust import dump_trust

from tests.support.world import FILES, Company, World, pack

NAME = "配方.txt"


@dataclass
class Case:
    folder: Path
    bundle: Path
    trust: Path
    original: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("court")
    (folder / "world").mkdir()
    world = World(folder / "world")
    deposit = world.deposit(world.enrol(Company()))
    members = world.bundle(deposit, [world.anchor()], (NAME,))
    case = Case(folder, folder / "bundle.zip", folder / "trust.toml", folder / NAME)
    case.bundle.write_bytes(pack(members))
    case.original.write_bytes(FILES[NAME])
    # The process has the clock of the machine, whatever that says.
    case.trust.write_bytes(dump_trust(world.trust(expires_at="9999-01-01T00:00:00Z")))
    return case


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "MIZHENG"))
    }
    command = [sys.executable, "-m", "mizheng.verifier", *map(os.fsencode, map(str, arguments))]
    return subprocess.run(command, env=kept | environment, capture_output=True, check=False)  # type: ignore[arg-type]


def test_a_valid_bundle_ends_with_0(case: Case) -> None:
    done = run(case.bundle, case.original, "--trust", case.trust)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("TRIAL, no evidential value: VALID")


def test_a_wrong_file_ends_with_1(case: Case) -> None:
    other = case.folder / "other.txt"
    other.write_bytes(b"another")
    done = run(case.bundle, other, "--trust", case.trust)
    assert done.returncode == 1
    assert b"this file is not the one that was sealed" in b" ".join(done.stdout.split())


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"PK\x03\x04"])
def test_what_is_no_bundle_ends_with_1(case: Case, data: bytes) -> None:
    path = case.folder / "other.zip"
    path.write_bytes(data)
    done = run(path, "--trust", case.trust)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"INVALID")


def test_no_trust_file_ends_with_2(case: Case) -> None:
    done = run(case.bundle)
    assert (done.returncode, done.stderr) == (2, b"")
    assert b"UNDETERMINED" in done.stdout.split(b"\n")[0]


@pytest.mark.parametrize("arguments", [(), ("--wrong",), ("a.zip", "--trust"), ("a.zip", "--lang", "fr")])
def test_wrong_usage_ends_with_64(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 64
    assert done.stdout == b""
    assert done.stderr.startswith(b"error: ")
    assert b"\nhint: " in done.stderr


def test_a_path_that_cannot_be_read_ends_with_66(case: Case) -> None:
    missing = case.folder / "missing"
    for arguments in (
        (missing, "--trust", case.trust),
        (case.bundle, "--trust", missing),
        (case.bundle, missing, "--trust", case.trust),
        (case.folder, "--trust", case.trust),
    ):
        done = run(*arguments)
        assert done.returncode == 66
        assert done.stdout == b""
        assert done.stderr.startswith(b"error: ")
        assert b"\nhint: " in done.stderr


@pytest.mark.parametrize("data", [b"", b"format = 1", b"\xff", b'format = "mizheng/trust/v2"', b"PK\x05\x06"])
def test_a_trust_file_that_is_none_ends_with_65(case: Case, data: bytes) -> None:
    path = case.folder / "other.toml"
    path.write_bytes(data)
    done = run(case.bundle, "--trust", path)
    assert done.returncode == 65
    assert done.stderr.startswith(b"error: ")
    assert b"Traceback" not in done.stderr


def test_json_is_for_machines(case: Case) -> None:
    done = run(case.bundle, "--trust", case.trust, "--json")
    value = json.loads(done.stdout)
    assert (value["verdict"], value["trial"]) == ("valid", True)
    assert {"code", "status", "subject", "message", "values"} == set(value["checks"][0])


def test_a_folder_of_originals(case: Case) -> None:
    done = run(case.bundle, case.folder, "--trust", case.trust, "--json")
    matches = [check for check in json.loads(done.stdout)["checks"] if check["code"] == "original.match"]
    assert [check["status"] for check in matches] == ["PASS"]


@pytest.mark.parametrize(
    ("arguments", "environment", "is_chinese"),
    [
        ((), {}, False),
        ((), {"LANG": "zh_CN.UTF-8"}, True),
        (("--lang", "zh"), {"LANG": "en_US.UTF-8"}, True),
        (("--lang", "en"), {"LANG": "zh_CN.UTF-8"}, False),
    ],
    ids=["none", "locale", "asked for Chinese", "asked for English"],
)
def test_the_language_is_the_readers(
    case: Case, arguments: tuple[str, ...], environment: dict[str, str], is_chinese: bool
) -> None:
    done = run(case.bundle, "--trust", case.trust, *arguments, **environment)
    assert done.returncode == 0
    assert ("证据" in done.stdout.decode()) is is_chinese


@pytest.mark.parametrize("form", ["--json", "--lang=zh"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_a_terminal_that_cannot_show_it_all(case: Case, encoding: str, form: str) -> None:
    """The verdict does not depend on where it is printed."""
    odd = case.folder / os.fsdecode(b"\xff\xfe.txt")
    odd.write_bytes(FILES[NAME])
    done = run(case.bundle, odd, "--trust", case.trust, form, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_network_is_not_touched(case: Case) -> None:
    """Nor web3, FastAPI, SQLAlchemy or httpx: whatever was imported came from four packages."""
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('network')\n"
        "socket.socket = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from mizheng.verifier.__main__ import main\n"
        f"done = main([{str(case.bundle)!r}, '--trust', {str(case.trust)!r}])\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "heavy = {'web3', 'fastapi', 'sqlalchemy', 'httpx', 'pydantic', 'eth', 'eth_utils', 'click'}\n"
        "assert not found & heavy, found & heavy\n"
        "raise SystemExit(done)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
