"""A disk that really fills up while a seal is written: a small file system of its own, and a limit on the
size of files where none may be mounted."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.runner import Mizheng

_FILES = 40
# Not even the header; some of the records.
_FULL_KIB = (4, 16)
_ENOUGH_KIB = 512
# What a tmpfs is given out in.
_PAGE_KIB = 4


@pytest.fixture
def may_mount() -> None:
    """Whether a process may have a file system of its own is the machine's to say; nothing can be installed
    that brings it. Where it may not, the limit on the size of files below still shows a full disk.
    """
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here, not even in a namespace: {done.stderr.strip()}")


@pytest.fixture
def folder(mizheng: Mizheng) -> Path:
    folder = mizheng.cwd / "folder"
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"{number:0200}").write_bytes(b"%d" % number)
    return folder


@pytest.mark.usefixtures("may_mount")
def test_a_full_file_system_leaves_nothing_that_looks_whole(mizheng: Mizheng, folder: Path) -> None:
    """Full at the header, among the records, one page before the end: an error says so, nothing is left."""
    disk = mizheng.cwd / "disk"
    disk.mkdir()
    seal = shlex.join(map(str, mizheng.command("seal", str(folder), "-o", "disk/name.seal")))

    def seal_within(kib: int) -> tuple[list[str], str]:
        # What lies on the disk is seen only from within, and is gone with the namespace.
        look = "cd disk && find . -mindepth 1 -printf '%f %s '"
        script = f"mount -t tmpfs -o size={kib}k none disk && {{ {seal} >&2; echo $?; {look}; }}"
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-c", script],
            cwd=mizheng.cwd,
            env=mizheng.variables(),
            capture_output=True,
            text=True,
        )
        return done.stdout.split(), done.stderr

    (code, name, size), _told = seal_within(_ENOUGH_KIB)
    assert (code, name) == ("0", "name.seal")
    almost = (int(size) - 1) // (_PAGE_KIB * 1024) * _PAGE_KIB
    for kib in (*_FULL_KIB, almost):
        printed, told = seal_within(kib)
        assert printed == ["73"], (kib, told)
        assert told.splitlines()[0] == "error: disk/name.seal cannot be written: No space left on device"
        assert "hint: no seal was made" in told and "Traceback" not in told


def test_a_limit_on_the_size_of_files_leaves_the_seal_of_before(mizheng: Mizheng, folder: Path) -> None:
    """The same through the kernel's own refusal, where a seal of that name was to be replaced."""
    mizheng("seal", str(folder), "-o", "name.seal", "--json").ok()
    before = (mizheng.cwd / "name.seal").read_bytes()
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384));"
        "sys.argv = ['mizheng', 'seal', 'folder', '-o', 'name.seal', '--force'];"
        "runpy.run_module('mizheng.cli', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited],
        cwd=mizheng.cwd,
        env=mizheng.variables(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 73
    assert done.stderr.startswith("error: name.seal cannot be written: File too large\n")
    assert (mizheng.cwd / "name.seal").read_bytes() == before
    assert sorted(path.name for path in mizheng.cwd.iterdir()) == ["folder", "name.seal"]
    assert json.loads(mizheng("status", "name.seal", "--json").ok().out)["state"] == "sealed"
