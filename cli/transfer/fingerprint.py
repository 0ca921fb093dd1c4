"""What two people read to each other by telephone before one believes the other's key.

Forty decimal digits in eight groups, which can be said in any language: 132 bits of the SHA-256 over the age
recipient and the signing key. Who wants to put his own key in another's place has to find a second one with
the same digits.
"""

from __future__ import annotations

import hashlib

_CONTEXT = "mizheng/recipient/v1\n"
_GROUPS, _DIGITS = 8, 5


def compute_fingerprint(age: str, public_key: str | None) -> str:
    """Eight groups of five digits for an age recipient (age1…) and a signing key (Base64 SPKI, or none)."""
    digest = hashlib.sha256(f"{_CONTEXT}{age}\n{public_key or ''}\n".encode()).digest()
    digits = str(int.from_bytes(digest, "big") % 10 ** (_GROUPS * _DIGITS)).zfill(_GROUPS * _DIGITS)
    return " ".join(digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS))


def is_same_fingerprint(typed: str, fingerprint: str) -> bool:
    """Whether somebody typed this fingerprint, with whatever spaces and hyphens."""
    return "".join(typed.replace("-", "").split()) == fingerprint.replace(" ", "")
