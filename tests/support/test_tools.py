"""The tools' pins name no host, and a tool that cannot be had is one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tools

locked = pytest.mark.parametrize("folder", tools.LOCKED, ids=lambda folder: folder.name)


def test_every_lock_file_is_known() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*package-lock.json"], cwd=tools.ROOT, capture_output=True, text=True, check=True
    )
    found = {tools.ROOT / line for line in listed.stdout.splitlines()}
    assert found == {folder / "package-lock.json" for folder in tools.LOCKED}


@locked
def test_a_lock_file_names_no_host(folder: Path) -> None:
    text = (folder / "package-lock.json").read_text("utf-8")
    assert "://" not in text
    assert '"resolved"' not in text


@locked
def test_a_lock_file_is_that_of_the_pins(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_text("utf-8"))
    packages = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    for group in ("dependencies", "devDependencies"):
        assert packages[""].get(group, {}) == wanted.get(group, {})
        for name, version in wanted.get(group, {}).items():
            assert packages[f"node_modules/{name}"]["version"] == version
    # npm ci refuses a lock file that leaves one out, also where the registry does not carry it.
    for path, package in packages.items():
        for name, version in package.get("optionalDependencies", {}).items():
            # A package may bring its own copy, below itself.
            found = packages.get(f"{path}/node_modules/{name}") or packages[f"node_modules/{name}"]
            assert found["version"] == version


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another checkout, in which nothing is installed yet."""
    for name in ("support", "tools"):
        shutil.copytree(tools.ROOT / "tests" / name, tmp_path / "tests" / name)
    return tmp_path


def run_tools(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.tools", "anvil"]
    return subprocess.run(
        command,
        cwd=checkout,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_without_node_and_without_pypi(checkout: Path) -> None:
    done = run_tools(checkout, PATH="/nonexistent", PIP_NO_INDEX="1")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: Node.js >= 20 is missing")
    assert line.endswith("install Node.js with npm")


def test_without_npms_registry(checkout: Path) -> None:
    nowhere = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}
    done = run_tools(checkout, **nowhere, npm_config_cache=str(checkout / "cache"))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the tools in tests/tools/package.json could not be installed")
    assert not (checkout / "build" / "tools" / "stamp").exists()
