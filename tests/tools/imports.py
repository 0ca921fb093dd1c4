"""Check who imports whom: `make lint`. The rules are in .importlinter, the reasons too.

import-linter finds packages by folder, as mypy does, hence the same folder of links.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.tools.layout import LINKS, ROOT, link_packages


def main() -> int:
    link_packages()
    environment = {**os.environ, "PYTHONPATH": str(LINKS)}
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
