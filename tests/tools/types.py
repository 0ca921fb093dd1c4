"""Check the types of the four packages: `make lint`.

mypy looks packages up by folder, and the folders stand under other names than they are installed by. So it is
shown a folder of links, build/mypy/mizheng, where they stand as installed.
"""

import os
import subprocess
import sys

from tests.tools.layout import LINKS, PACKAGES, ROOT, link_packages


def main() -> int:
    link_packages()
    command = [sys.executable, "-m", "mypy", "--cache-dir", ".mypy_cache"]
    for package in PACKAGES:
        command += ["--package", package]
    environment = {**os.environ, "MYPYPATH": str(LINKS)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
