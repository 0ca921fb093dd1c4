"""Files with a secret: 0600, never over another one, and nothing left behind by a process that dies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mizheng.notary.keys import files
from mizheng.notary.keys.files import write_secret

# Dies on the line that gives the file its name, or right behind it.
_DYING = """
import os, sys
from pathlib import Path
from mizheng.notary.keys.files import write_secret
real = os.link
def die(*arguments, **options):
    if sys.argv[2] == "after":
        real(*arguments, **options)
    os._exit(9)
os.link = die
write_secret(Path(sys.argv[1]), b"secret")
"""


@pytest.fixture(params=["nameless", "draft"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """As on Linux, and where there are no files without a name."""
    if request.param == "draft":
        monkeypatch.setattr(files, "_open_nameless", lambda folder: None)
    return str(request.param)


def test_written_whole_and_for_its_owner_alone(tmp_path: Path, way: str) -> None:
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        write_secret(path, b"secret")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["key"]


def test_never_over_another_one(tmp_path: Path, way: str) -> None:
    path = tmp_path / "key"
    write_secret(path, b"first")
    with pytest.raises(FileExistsError):
        write_secret(path, b"second")
    assert path.read_bytes() == b"first"


@pytest.mark.parametrize(("when", "left"), [("before", []), ("after", ["key"])])
def test_dying_leaves_no_second_name(tmp_path: Path, when: str, left: list[str]) -> None:
    command = [sys.executable, "-c", _DYING, str(tmp_path / "key"), when]
    assert subprocess.run(command, check=False).returncode == 9
    assert [item.name for item in tmp_path.iterdir()] == left
