"""Readers of a log that share no code with it: tlog-scales (PyPI), and Go's golang.org/x/mod/sumdb.

Each is brought on first use into a folder of its own under build/, and kept there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import ToolError

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "readers"
_SCALES_PINS = ROOT / "tests" / "tools" / "tlog-scales-requirements.txt"
_GO_SOURCE = ROOT / "tests" / "tools" / "gotlog" / "main.go"
# Where Debian's golang-golang-x-mod-dev puts its source.
_GO_LIBRARIES = Path("/usr/share/gocode")
# Nothing of the proxy's: the logs that are read here are on this machine.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


@dataclass(frozen=True, slots=True)
class GoAnswer:
    """What the Go reader found and checked."""

    tree_size: int
    root_hash: bytes
    entry: bytes


def scales_proof(url: str, index: int) -> bytes:
    """The .tlog-proof that `tlog-tiles gen-proof` makes of this entry, from tiles alone."""
    return _run([_scales(), "gen-proof", url, str(index)])


def scales_entry(url: str, index: int) -> bytes:
    """The entry, as `tlog-tiles get-leaf --check` reads it and checks its inclusion."""
    return _run([_scales(), "get-leaf", "--check", url, str(index)])


def go_read(url: str, vkey: str, index: int, old_size: int = 0) -> GoAnswer:
    """Signature, tree, one entry and consistency with `old_size`, all by Go's own code."""
    size, root, entry = _run([_go_reader(), url, vkey, str(index), str(old_size)]).split()
    return GoAnswer(int(size), bytes.fromhex(root.decode()), bytes.fromhex(entry.decode()))


def _run(command: list[str | Path]) -> bytes:
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _scales() -> Path:
    folder = BUILD / "tlog-scales"
    program, stamp = folder / "bin" / "tlog-tiles", folder / "stamp"
    wanted = hashlib.sha256(_SCALES_PINS.read_bytes() + str(folder).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _install([sys.executable, "-m", "venv", folder], "a virtual environment for tlog-scales")
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        _install([*pip, "--no-deps", "--require-hashes", "-r", _SCALES_PINS], "tlog-scales")
        stamp.write_text(wanted)
    return program


def _go_reader() -> Path:
    program, stamp = BUILD / "gotlog", BUILD / "gotlog.stamp"
    wanted = hashlib.sha256(_GO_SOURCE.read_bytes()).hexdigest()
    if not program.exists() or not stamp.exists() or stamp.read_text() != wanted:
        go = shutil.which("go")
        if go is None or not (_GO_LIBRARIES / "src" / "golang.org" / "x" / "mod").is_dir():
            raise ToolError("Go's sumdb is missing: Debian's golang-go and golang-golang-x-mod-dev bring it")
        BUILD.mkdir(parents=True, exist_ok=True)
        offline = {"GO111MODULE": "off", "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
        folders = {"GOPATH": f"{BUILD / 'go'}:{_GO_LIBRARIES}", "GOCACHE": str(BUILD / "go-cache")}
        _install([go, "build", "-o", program, _GO_SOURCE], "the Go reader", **offline, **folders)
        stamp.write_text(wanted)
    return program


def _install(command: list[str | Path], what: str, **environment: str) -> None:
    # With the proxy: this may have to fetch.
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ToolError(f"{what} could not be brought: {reason}")
