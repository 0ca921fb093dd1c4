"""The first thing a newcomer types: what it says when something is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import system
from tests.tools.layout import ROOT


def make(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    # Not what an outer make hands down to the makes it starts.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    environment["PATH"] = path or environment["PATH"]
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_make_alone_lists_the_targets() -> None:
    result = make()
    listed = {line.split()[1] for line in result.stdout.splitlines()}
    assert {"help", "demo", "demo-chain", "test", "lint", "bench", "soak", "lock", "clean"} <= listed


def test_no_python(tmp_path: Path) -> None:
    result = make("demo", f"VENV={tmp_path / 'venv'}", "PYTHON=python-that-is-not-there")
    assert result.returncode == 2
    assert result.stderr.splitlines()[0].startswith("error: no python-that-is-not-there found")


def test_old_python(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    # Runs what it is given as if it were 3.9.
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 9); $2"\n')
    old.chmod(0o755)
    result = make("demo", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}")
    assert result.returncode == 2
    assert result.stderr.splitlines()[0].startswith("error: Mizheng needs Python 3.11 or later")
    assert not (tmp_path / "venv").exists()


def test_missing_system_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system.main() == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "openssl (Debian package openssl)" in error


def test_ci_needs_no_input() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
