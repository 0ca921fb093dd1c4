"""Bring what tests need of the system: the commands and files that debian-packages.txt names.

As root on Debian the missing packages are installed; elsewhere one line says what is missing.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("debian-packages.txt")


def search_path() -> str:
    """The path, and where Debian keeps PostgreSQL's programs, a folder for each release."""
    folders = sorted(str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin"))
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *folders])


@dataclass(frozen=True, slots=True)
class Needed:
    """One line of the list."""

    what: str
    package: str
    is_optional: bool

    @property
    def is_missing(self) -> bool:
        if self.what.startswith("/"):
            return not Path(self.what).exists()
        return shutil.which(self.what, path=search_path()) is None


def find_missing() -> list[Needed]:
    """What is neither on the path nor where its package puts it."""
    lines = LIST.read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return [
        needed for what, package, *more in rows if (needed := Needed(what, package, bool(more))).is_missing
    ]


def install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *arguments], env=environment, check=True, stdin=subprocess.DEVNULL)


def main() -> int:
    missing = find_missing()
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = sorted({needed.package for needed in missing})
        print(f"installing Debian's {', '.join(packages)} …", flush=True)
        install(packages)
        missing = find_missing()
    if not missing:
        return 0
    names = ", ".join(f"{needed.what} (Debian package {needed.package})" for needed in missing)
    if all(needed.is_optional for needed in missing) and not os.environ.get("CI"):
        print(f"note: some tests are left out without {names}", file=sys.stderr)
        return 0
    print(f"error: tests need {names}: install it and run again", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
