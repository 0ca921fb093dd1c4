"""One age file in a process of its own, for a file that is large.

pyrage works without letting other threads of its process run. Apart from it, the ciphertext is hashed and
stored meanwhile; the original is read, hashed and encrypted here, each byte once.

    python -m mizheng.cli.keeping.child age1… age1…

Standard input is the file, standard output takes the age file. When all is done one line on standard error
says what was read, `SHA-256 SIZE`; or `errno NUMBER` when the file could not be read to its end.
"""

from __future__ import annotations

import io
import signal
import sys
from typing import BinaryIO

from mizheng.cli.keeping.reading import HashedFile

_BUFFER = 1 << 20


def encrypt(source: HashedFile, target: BinaryIO, recipients: list[str]) -> None:
    """Everything from `source`, for all recipients."""
    import pyrage

    parsed = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    pyrage.encrypt_io(source, target, parsed)
    target.flush()


def main() -> int:
    # The parent ends it by closing its pipes: Ctrl-C is the parent's to hear.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = HashedFile(io.FileIO(0, closefd=False))
    try:
        with io.BufferedWriter(io.FileIO(1, "wb", closefd=False), _BUFFER) as writer:
            encrypt(source, writer, sys.argv[1:])
    except Exception:
        # Nothing of the file may come into a message.
        if isinstance(source.error, OSError):
            print("errno", source.error.errno, file=sys.stderr)
        return 1
    print(source.digest.hexdigest(), source.size, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
