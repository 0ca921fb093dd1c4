"""How far the machine's clock is off, by SNTP (RFC 4330 §5) from the servers that the settings name.

Plain NTP can be forged on the way; so the value is an observation and no time of any verdict comes from it.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Sequence

from mizheng.cli.environment.observation import Observation, not_checked, observed

_PORT = 123
_SECONDS = 1.0
# Times in records and statements are whole seconds.
_WITHIN_SECONDS = 1.0
# From 1900, where NTP counts from, to 1970.
_EPOCH = 2_208_988_800
_PACKET = struct.Struct("!BBBb11I")
_CLIENT = 4 << 3 | 3
_SERVER_MODE = 4


def observe_clock(servers: Sequence[str]) -> Observation:
    """The median offset over the servers that answer."""
    if not servers:
        return not_checked("clock.offset", "no time_servers in config.toml")
    # Here and below, because most seals ask nobody.
    import statistics

    offsets = [offset for offset in map(ask_offset, servers) if offset is not None]
    how = f"SNTP, {len(offsets)} of {len(servers)} servers answered; wanted: within {_WITHIN_SECONDS:g} s"
    if not offsets:
        return observed("clock.offset", "", how)
    offset = statistics.median(offsets)
    is_right = abs(offset) <= _WITHIN_SECONDS
    return observed("clock.offset", f"{offset:+.3f} s", how, is_as_wanted=is_right)


def ask_offset(server: str) -> float | None:
    """Seconds by which the server is ahead of this machine; None when it gives no usable answer."""
    import socket

    host, _, port = server.partition(":")
    try:
        address = socket.getaddrinfo(host, int(port or _PORT), type=socket.SOCK_DGRAM)[0]
        with socket.socket(address[0], socket.SOCK_DGRAM) as link:
            link.settimeout(_SECONDS)
            link.connect(address[4])
            # What we send as our time only has to come back: the real one is nobody's business.
            nonce = struct.unpack("!II", os.urandom(8))
            sent = time.time()
            link.send(_PACKET.pack(_CLIENT, 0, 0, 0, *[0] * 9, *nonce))
            data = link.recv(1024)
            received = time.time()
    except (OSError, ValueError):
        return None
    return _offset(data, nonce, sent, received)


def _offset(data: bytes, nonce: tuple[int, ...], sent: float, received: float) -> float | None:
    if len(data) < _PACKET.size:
        return None
    flags, stratum, _poll, _precision, *words = _PACKET.unpack_from(data)
    is_answer = flags & 7 == _SERVER_MODE and flags >> 6 != 3 and 0 < stratum < 16
    if not is_answer or tuple(words[5:7]) != nonce:
        return None
    arrived, left = (words[place] - _EPOCH + words[place + 1] / 2**32 for place in (7, 9))
    return float((arrived - sent) + (left - received)) / 2
