"""Keccak-256 in plain Python: the build's own, so that building needs nothing but the compiler.

Source: Keccak reference, version 3.0, with Ethereum's padding (0x01, not SHA-3's 0x06). Slow, and good enough
for the few short inputs of a build; the tests compare it with the verifier's.
"""

from __future__ import annotations

RATE = 136  # bytes: 1600 bits of state less twice the 256 bits of output
MASK = (1 << 64) - 1


def keccak256(data: bytes) -> bytes:
    """Keccak-256 of the data, 32 bytes."""
    padded = bytearray(data + bytes(RATE - len(data) % RATE))
    padded[len(data)] ^= 0x01
    padded[-1] ^= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), RATE):
        for i in range(RATE // 8):
            word = padded[start + 8 * i : start + 8 * i + 8]
            lanes[i % 5][i // 5] ^= int.from_bytes(word, "little")
        lanes = _permute(lanes)
    return b"".join(lanes[i][0].to_bytes(8, "little") for i in range(4))


def _permute(a: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600]; the round constants come from its linear feedback shift register."""
    register = 1
    for _ in range(24):
        # theta
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x + 4) % 5] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [[a[x][y] ^ d[x] for y in range(5)] for x in range(5)]
        # rho and pi
        x, y, lane = 1, 0, a[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            lane, a[x][y] = a[x][y], _rotate(lane, (t + 1) * (t + 2) // 2)
        # chi
        a = [[a[x][y] ^ (~a[(x + 1) % 5][y] & a[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        # iota
        for j in range(7):
            register = ((register << 1) ^ ((register >> 7) * 0x71)) % 256
            if register & 2:
                a[0][0] ^= 1 << ((1 << j) - 1)
    return a


def _rotate(lane: int, by: int) -> int:
    by %= 64
    return ((lane << by) | (lane >> (64 - by))) & MASK
