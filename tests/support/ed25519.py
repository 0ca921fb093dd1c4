"""Ed25519 by its definition (RFC 8032 §5.1), slow and plain, for keys and signatures no library makes."""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    """The twisted Edwards addition law, complete on this curve."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - t, -1, P)
    return x % P, y % P


def multiply(scalar: int, point: Point) -> Point:
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def negate(point: Point) -> Point:
    return -point[0] % P, point[1]


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point:
    """The point of an encoding, canonical or not; ValueError where there is none."""
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    y %= P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        raise ValueError("not on the curve")
    return (-x % P if x & 1 != sign else x), y


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


def signature(r: bytes, nonce: int, secret: int, key: bytes, message: bytes) -> bytes:
    """R as given, S = nonce + k·secret: whether it checks is up to the points."""
    s = (nonce + challenge(r, key, message) * secret) % L
    return r + s.to_bytes(32, "little")


def is_byte_equal(key: bytes, sig: bytes, message: bytes) -> bool:
    """The cofactorless equation, on bytes: encode([S]B − [k]A) = R."""
    s = int.from_bytes(sig[32:], "little")
    k = challenge(sig[:32], key, message)
    return encode(add(multiply(s, BASE), negate(multiply(k, decode(key))))) == sig[:32]


def torsion() -> list[Point]:
    """The eight points of small order: the multiples of one of order eight."""
    y = 2
    while True:
        try:
            point = multiply(L, decode(y.to_bytes(32, "little")))
        except ValueError:
            point = IDENTITY
        if multiply(4, point) != IDENTITY:
            return [multiply(n, point) for n in range(8)]
        y += 1


def spki(key: bytes) -> bytes:
    return SPKI_PREFIX + key
