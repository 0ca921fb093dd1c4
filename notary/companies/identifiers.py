"""Registered numbers of organisations: 统一社会信用代码 (GB 32100-2015) and others by scheme."""

import re

from mizheng.notary.errors import OperatorError

USCC_SCHEME = "CN-USCC"

# GB 32100-2015 §4: digits and capital letters without I, O, S, V, Z; the position is the value.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(rf"[{_ALPHABET}]{{2}}[0-9]{{6}}[{_ALPHABET}]{{10}}")
_SCHEME = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,24}){1,3}|LEI|DUNS")


def compute_uscc_check_digit(first_17: str) -> str:
    """The 18th character for the first 17 (GB 32100-2015 §5): weights are powers of 3 modulo 31."""
    total = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(first_17))
    return _ALPHABET[-total % 31]


def normalize_identifier(scheme: str, identifier: str) -> str:
    """The identifier as it is registered; OperatorError when it cannot be one of this scheme."""
    if not _SCHEME.fullmatch(scheme):
        raise OperatorError(
            "{scheme!r} is not an identifier scheme",
            hint="CN-USCC, LEI, DUNS, or a country and a register such as DE-HRB",
            scheme=scheme[:64],
        )
    text = identifier.strip()
    if scheme == USCC_SCHEME:
        return _normalize_uscc(text)
    if not 1 <= len(text) <= 100 or not text.isprintable():
        raise OperatorError("the identifier is empty, too long or has characters that cannot be printed")
    return text


def _normalize_uscc(text: str) -> str:
    code = text.upper()
    if not _USCC.fullmatch(code):
        raise OperatorError(
            "{code!r} is not a unified social credit code",
            hint="18 digits and capitals without I, O, S, V, Z; --id-scheme for other numbers",
            code=text[:64],
        )
    expected = compute_uscc_check_digit(code[:17])
    if code[17] != expected:
        raise OperatorError(
            "the check digit of {code} is wrong",
            hint="one character was mistyped; copy the code from the business licence",
            code=code,
        )
    return code
