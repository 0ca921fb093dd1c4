"""Ports for programs that have to be told theirs before they start, or that come back to theirs.

A port that the kernel chose and that was given back may be anybody's a moment later: another test's, or the
near end of some connection. So these are from below the range from which the kernel chooses, and each is
kept among all test runs on this machine by a name that only one process can hold, until it ends.
"""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

_FIRST = 20_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Each has the name of a port, and lets go of it when this process ends.
_held: list[socket.socket] = []


def take_port() -> int:
    """A port of 127.0.0.1 at which nobody listens, and which is this process's from now on."""
    candidates = list(range(_FIRST, max(int(_RANGE.read_text().split()[0]), _FIRST + 1_000)))
    # Not in turn: every worker would ask for the same ones first.
    random.SystemRandom().shuffle(candidates)
    for port in candidates:
        name = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            # Linux's abstract names (unix(7)): no file, and gone with whoever holds them.
            name.bind(f"\0mizheng-tests-port-{port}")
            socket.create_server(("127.0.0.1", port)).close()
            _held.append(name)
            return port
        name.close()
    raise RuntimeError("no port is free")
