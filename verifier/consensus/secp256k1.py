"""From a seal to the address that made it: public key recovery on secp256k1.

Validators are known by address, not by key, and a seal carries no key: it has to be recovered.
`cryptography` has no recovery, so this is the textbook arithmetic. Everything here is public, so it may
take as long as the numbers want; about two milliseconds a seal.

Source: SEC 1 v2.0 §4.1.6 (recovery), SEC 2 v2.0 §2.4.1 (the curve), Yellow Paper appendix F (address,
recovery id), Cohen/Miyaji/Ono 1998 (Jacobian coordinates).
"""

from __future__ import annotations

from typing import TypeAlias

from ..errors import ChainProofError, FormatError
from ..evm.keccak import keccak256

SEAL_BYTES = 65

_P = 2**256 - 2**32 - 977
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

_Affine: TypeAlias = "tuple[int, int]"
_Jacobian: TypeAlias = "tuple[int, int, int]"
_INFINITY: _Jacobian = (1, 1, 0)


def recover_address(digest: bytes, seal: bytes) -> bytes:
    """The 20-byte address whose key made `seal` over the 32-byte `digest`.

    `seal` is r || s || v, 32 + 32 + 1 bytes, v 0 or 1, as clique, Besu and GoQuorum write it. Every such seal
    over any digest gives some address: only comparing it with who should have sealed says anything. Of a
    seal's two forms (s and n − s) both are read, as by those clients; whoever counts must count addresses.
    FormatError for another length; ChainProofError for numbers that are no signature at all.
    """
    if len(seal) != SEAL_BYTES:
        raise FormatError("a seal of {found} bytes, not {expected}", found=len(seal), expected=SEAL_BYTES)
    r, s, v = int.from_bytes(seal[:32], "big"), int.from_bytes(seal[32:64], "big"), seal[64]
    # v of 2 and 3 stands for an r above the group's order, which one in 2^127 signatures has.
    if not (0 < r < _N and 0 < s < _N and v < 2):
        raise ChainProofError("a seal that is no signature")
    y = pow(pow(r, 3, _P) + 7, (_P + 1) // 4, _P)
    if (y * y - r**3 - 7) % _P:
        raise ChainProofError("a seal that is no signature")
    if y & 1 != v:
        y = _P - y
    inverse = pow(r, -1, _N)
    point = _sum_of_multiples(-int.from_bytes(digest, "big") * inverse % _N, s * inverse % _N, (r, y))
    if point[2] == 0:
        raise ChainProofError("a seal that is no signature")
    x, y = _to_affine(point)
    return keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:]


def _sum_of_multiples(a: int, b: int, point: _Affine) -> _Jacobian:
    """a·G + b·point, both at once, bit by bit (Shamir's trick)."""
    both = _add((_G[0], _G[1], 1), point)
    terms = (None, _G, point, None if both[2] == 0 else _to_affine(both))
    result = _INFINITY
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        result = _double(result)
        term = terms[(a >> bit & 1) | (b >> bit & 1) << 1]
        if term is not None:
            result = _add(result, term)
    return result


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    square = y * y % _P
    s = 4 * x * square % _P
    m = 3 * x * x % _P
    doubled = (m * m - 2 * s) % _P
    return doubled, (m * (s - doubled) - 8 * square * square) % _P, 2 * y * z % _P


def _add(left: _Jacobian, right: _Affine) -> _Jacobian:
    x, y, z = left
    if z == 0:
        return right[0], right[1], 1
    square = z * z % _P
    h = (right[0] * square - x) % _P
    slope = (right[1] * square * z - y) % _P
    if h == 0:
        return _double(left) if slope == 0 else _INFINITY
    h2 = h * h % _P
    h3 = h2 * h % _P
    v = x * h2 % _P
    total = (slope * slope - h3 - 2 * v) % _P
    return total, (slope * (v - total) - y * h3) % _P, z * h % _P


def _to_affine(point: _Jacobian) -> _Affine:
    inverse = pow(point[2], -1, _P)
    square = inverse * inverse % _P
    return point[0] * square % _P, point[1] * square * inverse % _P
