"""`make demo` and `make demo-chain` end as they promise, and their last step really has no network."""

import hashlib
import json
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.demo import network
from tests.demo.play import BUNDLE, PAPER, REPORT
from tests.support.pictures import read_text
from tests.tools.layout import ROOT

# Promised: under 60 s. Some more for a machine that runs other tests at the same time.
LONGEST_SECONDS = 120
CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"


@pytest.mark.parametrize("options", [(), ("--chain",)], ids=["embedded", "anvil"])
def test_demo_ends_valid(options: tuple[str, ...], tmp_path: Path) -> None:
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "tests.demo", "--out", tmp_path, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
    assert time.monotonic() - started < LONGEST_SECONDS
    (folder,) = tmp_path.iterdir()
    assert str(folder) in result.stdout.splitlines()[-2]

    report = json.loads((folder / REPORT).read_text("utf-8"))
    assert report["verdict"] == "valid"
    checks = {check["code"]: check["status"] for check in report["checks"]}
    assert checks["anchor.canonical"] == "PASS"
    # The sentence that people read first; the commands' output is indented.
    verdicts = [line for line in result.stdout.splitlines() if "VALID — " in line]
    assert "INVALID" in verdicts[0]
    assert "INVALID" not in verdicts[-1]
    assert all(("TRIAL" in line) == (not options) for line in verdicts)

    cut = " ".join(network.cut_network(tmp_path))
    verified = [line for line in result.stdout.splitlines() if f"mizheng verify {BUNDLE}" in line]
    assert len(verified) == 3
    assert all(line.strip().startswith(f"$ {cut.partition(' ')[0]} ") for line in verified)
    assert not leaked(folder)
    # What a newcomer opens.
    digest = hashlib.sha256((folder / BUNDLE).read_bytes()).hexdigest()
    assert digest in read_text((folder / PAPER).read_bytes())
    with zipfile.ZipFile(folder / BUNDLE) as archive:
        assert "证据目录" in read_text(archive.read("exhibits.pdf")).replace(" ", "")


def leaked(folder: Path) -> list[str]:
    """Names of closed files that can be read in the bundle."""
    content = (folder / BUNDLE).read_bytes()
    closed = ("二号催化剂", "反应釜", "客户名单", "待补充")
    return [name for name in closed if name.encode() in content or ascii(name).strip("'").encode() in content]


@pytest.mark.parametrize("by", ["kernel", "python"])
def test_network_is_cut(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither way lets a command reach even a server on this machine."""
    if by == "python":
        monkeypatch.setattr(network, "find_namespace_tool", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", CONNECT, str(server.getsockname()[1])]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        cut = [*network.cut_network(tmp_path), *command]
        assert subprocess.run(cut, capture_output=True, check=False).returncode != 0
