"""A witness and a log that others wrote: aics-witness and aics-tlog (PyPI), in an environment of their own.

They need a later Python than this project: the newest on this machine is taken, from PATH or from pyenv.
Young packages of one author: good to test against, nothing to depend on.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.tools.layout import ROOT

HOME = ROOT / "build" / "tools" / "aics"
PACKAGES = ("aics-witness==0.1.0", "aics-tlog==0.2.1")
OLDEST = (3, 12)
# An environment is there when this is written.
DONE = HOME / "installed"


@functools.cache
def find_python() -> str | None:
    """A Python that they run on; None if there is none."""
    if sys.version_info >= OLDEST:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(20, OLDEST[1] - 1, -1)]
    homes = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin"))
    for name in names:
        for path in (shutil.which(name), *(str(home / name) for home in homes)):
            # pyenv's own commands are there for versions that are not chosen, and only say so.
            if path is None or not Path(path).exists():
                continue
            if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
                return path
    return None


def install_peers() -> Path | None:
    """The folder of their commands, installed on first use; None without a Python for them."""
    python = find_python()
    if python is None:
        return None
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not DONE.exists() or DONE.read_text() != " ".join(PACKAGES):
            subprocess.run([python, "-m", "venv", "--clear", HOME / "venv"], check=True)
            pip = [HOME / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES]
            subprocess.run(pip, check=True, capture_output=True)
            DONE.write_text(" ".join(PACKAGES))
    return HOME / "venv" / "bin"
