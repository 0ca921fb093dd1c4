"""The number of a certificate, and the code that is printed beside it.

    8QK3-ZM2H-T4XD-0VNB-7RKD       18 random characters and 2 check characters, in groups for people
    K7PW-3H9X-TZ4M                 the code: 12 random characters

Alphabet: Crockford's 32 characters, digits and capitals without I, L, O, U, so that nothing is read as
something else. 18 of them are 90 random bits, of which the choice below takes 0.3: nobody finds a number by
guessing. The check characters are those of ISO/IEC 7064:2003, MOD 1271-36: two characters over 0-9A-Z that
catch every single wrong character and every exchange of two characters, at whatever distance within 20. The
standard's check characters may be I, L, O or U; such a number is drawn anew.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata

from .errors import FormatError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DRAWN, _LENGTH, _GROUP = 18, 20, 4
_CODE_LENGTH = 12
# ISO/IEC 7064: the values of the characters, radix and modulus of MOD 1271-36.
_VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RADIX, _MODULUS = 36, 1271
# What people read or type for something else; a number holds none of the left.
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_IDLE = str.maketrans("", "", " -‐‑–—−·\t\u3000")
# Longer than any spelling of a number with its marks.
_MAX_TYPED = 100
_CODE_PREFIX = b"mizheng/certificate-code/v1\n"


def make_number() -> str:
    """A new number without its marks: 20 characters."""
    while True:
        drawn = _draw(_DRAWN)
        check = check_characters(drawn)
        if all(character in ALPHABET for character in check):
            return drawn + check


def make_code() -> str:
    """A new code without its marks: 12 characters, 60 bits."""
    return _draw(_CODE_LENGTH)


def check_characters(text: str) -> str:
    """The two check characters of ISO/IEC 7064 MOD 1271-36 for characters of 0-9A-Z."""
    remainder = 0
    for character in text:
        remainder = (remainder + _VALUES.index(character)) * _RADIX % _MODULUS
    # A pure system: the whole, check characters included, leaves 1.
    check = (1 - remainder * _RADIX) % _MODULUS
    return _VALUES[check // _RADIX] + _VALUES[check % _RADIX]


def show_grouped(text: str) -> str:
    """A number or a code as people read it, in groups of four."""
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def parse_number(typed: str) -> str:
    """The number that somebody typed, without its marks; FormatError says what is wrong with it."""
    number = _plain(typed)
    if len(number) != _LENGTH or any(character not in ALPHABET for character in number):
        raise FormatError(
            "this is not the number of a certificate",
            hint="it has 20 letters and digits, in five groups of four",
        )
    if check_characters(number[:_DRAWN]) != number[_DRAWN:]:
        raise FormatError(
            "the number is mistyped: its check characters do not fit",
            hint="compare it with the certificate, character by character",
        )
    return number


def parse_code(typed: str) -> str:
    """The code that somebody typed, without its marks; FormatError if it can be none."""
    code = _plain(typed)
    if len(code) != _CODE_LENGTH or any(character not in ALPHABET for character in code):
        raise FormatError(
            "this is not the code of a certificate",
            hint="it has 12 letters and digits, in three groups of four, and is printed below the number",
        )
    return code


def hash_code(number: str, code: str) -> bytes:
    """What is kept of a code: SHA-256 over it and the number that it belongs to."""
    return hashlib.sha256(_CODE_PREFIX + f"{number}\n{code}".encode()).digest()


def _draw(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _plain(typed: str) -> str:
    # Chinese input methods type full-width letters and digits: NFKC makes them plain ones.
    text = unicodedata.normalize("NFKC", typed[:_MAX_TYPED]).upper()
    return text.translate(_IDLE).translate(_MISREAD)
