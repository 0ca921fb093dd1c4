"""One age file, from standard input to standard output, in a process of its own: for one that is large.

pyrage works without letting other threads of its process run; apart from it, both digests are made meanwhile.

    python -m mizheng.cli.keeping.child age1… age1…
"""

from __future__ import annotations

import io
import signal
import sys
from typing import BinaryIO

_BUFFER = 1 << 20


def encrypt(source: BinaryIO, target: BinaryIO, recipients: list[str]) -> None:
    """Everything from `source`, for all recipients."""
    import pyrage

    parsed = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    pyrage.encrypt_io(source, target, parsed)
    target.flush()


if __name__ == "__main__":
    # The parent ends it by closing its pipes: Ctrl-C is the parent's to hear.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (
        io.BufferedReader(io.FileIO(0, closefd=False), _BUFFER) as reader,
        io.BufferedWriter(io.FileIO(1, "wb", closefd=False), _BUFFER) as writer,
    ):
        encrypt(reader, writer, sys.argv[1:])
