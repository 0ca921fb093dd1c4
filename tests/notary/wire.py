"""HTTP as it goes over the wire, byte by byte."""

from __future__ import annotations

import contextlib
import re
import socket
import time

_DATE = re.compile(rb"date: [^\r]+\r\n")


def talk(port: int, *pieces: str, pause: float = 0.0, patience: float = 2.0) -> bytes:
    """All that comes back over one connection to this machine, with every date taken out.

    `(open)` at its end: the server said nothing more for `patience` seconds and kept the connection.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The server may have had enough before all is said.
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece.encode("latin-1"))
                time.sleep(pause)
        received = b""
        connection.settimeout(patience)
        try:
            while data := connection.recv(65536):
                received += data
        except TimeoutError:
            received += b"(open)"
        except ConnectionError:
            pass
    return _DATE.sub(b"", received)
