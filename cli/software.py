"""What this software is: its version, and a digest of the code that is installed here.

The digest is the SHA-256 of lines `<sha256>  <name>` (as sha256sum writes them), one for each .py,
.mo, .typ and .typed file of mizheng.cli and mizheng.verifier, sorted by name: anybody who has the release
can compute it with stock tools.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

NAME = "mizheng"
_SUFFIXES = frozenset({".py", ".mo", ".typ", ".typed"})


def software_version() -> str:
    return version(NAME)


def software_digest() -> str:
    """Hex SHA-256 over the list of installed files."""
    import mizheng.verifier

    rooms = {"cli": Path(__file__).parent, "verifier": Path(str(mizheng.verifier.__file__)).parent}
    lines = []
    for room, folder in rooms.items():
        for path in folder.rglob("*"):
            if path.suffix in _SUFFIXES and path.is_file():
                name = f"mizheng/{room}/{path.relative_to(folder).as_posix()}"
                lines.append((name, hashlib.sha256(path.read_bytes()).hexdigest()))
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(lines))
    return hashlib.sha256(listing.encode()).hexdigest()
