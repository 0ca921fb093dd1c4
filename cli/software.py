"""What this software is: its version, and a digest of the code that is installed here.

The digest is the SHA-256 of lines `<sha256>  <name>` (as sha256sum writes them), one for each .py,
.mo, .typ and .typed file of mizheng.cli and mizheng.verifier, sorted by name: anybody who has the release
can compute it with stock tools.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

NAME = "mizheng"
# As in pyproject.toml, which a test compares: asking the installed package takes longer than sealing a file.
VERSION = "0.1.0"
_SUFFIXES = (".py", ".mo", ".typ", ".typed")


def software_version() -> str:
    return VERSION


def software_digest() -> str:
    """Hex SHA-256 over the list of installed files."""
    import mizheng.verifier

    rooms = {"cli": Path(__file__).parent, "verifier": Path(str(mizheng.verifier.__file__)).parent}
    lines = []
    for room, folder in rooms.items():
        for place, _folders, names in os.walk(folder):
            inside = Path(place).relative_to(folder).as_posix()
            for name in names:
                if name.endswith(_SUFFIXES):
                    label = f"mizheng/{room}/{name}" if inside == "." else f"mizheng/{room}/{inside}/{name}"
                    lines.append((label, hashlib.sha256(Path(place, name).read_bytes()).hexdigest()))
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(lines))
    return hashlib.sha256(listing.encode()).hexdigest()
