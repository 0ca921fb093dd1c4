"""Names of files as they may travel: one part of a path that is harmless on every system.

Checked where a transfer is made and again where it is read: the name that came from outside is the only thing
in a transfer that could make a file appear somewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mizheng.cli.terminal.text import printable
from mizheng.verifier.errors import FormatError

# The least that today's file systems take (ext4, NTFS counts 255 characters).
MAX_NAME_BYTES = 255
# What Windows refuses or reads as something else; a slash is a path everywhere.
_REFUSED = re.compile(r'[<>:"/\\|?*]')
# What `mizheng receive` writes beside the files.
_RESERVED = frozenset({"transfer.dsse.json", "acceptance.dsse.json"})
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def check_name(name: str) -> str:
    """The name itself; FormatError when it could be more than the name of one file in a folder."""
    if (
        not name
        or len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES
        or printable(name) != name
        or _REFUSED.search(name)
        or _DEVICES.fullmatch(name)
        or name.casefold() in _RESERVED
        or name.startswith((".", " "))
        or name.endswith((".", " "))
    ):
        raise FormatError("a file name that may not travel: {name}", name=printable(name[:80]))
    return name


def check_distinct(names: Iterable[str]) -> None:
    """FormatError when two names are one on a system that does not tell upper case or composition."""
    folded = [unicodedata.normalize("NFC", name).casefold() for name in names]
    if len(set(folded)) != len(folded):
        raise FormatError("two files of one name")
