"""Bring what tests need of the system: the commands that debian-packages.txt names.

As root on Debian the missing packages are installed; elsewhere one line says what is missing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).with_name("debian-packages.txt")


def search_path() -> str:
    """The path, and where Debian keeps PostgreSQL's programs, a folder for each release."""
    folders = sorted(str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin"))
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *folders])


def find_missing() -> dict[str, str]:
    """The commands that are not on the path, each with its Debian package."""
    lines = LIST.read_text("utf-8").splitlines()
    path = search_path()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {command: package for command, package in rows if shutil.which(command, path=path) is None}


def install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *arguments], env=environment, check=True, stdin=subprocess.DEVNULL)


def main() -> int:
    missing = find_missing()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing Debian's {', '.join(sorted(set(missing.values())))} …", flush=True)
        install(sorted(set(missing.values())))
        missing = find_missing()
    if missing:
        names = ", ".join(f"{command} (Debian package {package})" for command, package in missing.items())
        print(f"error: tests need {names}: install it and run again", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
