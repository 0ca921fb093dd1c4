"""Numbers and codes of certificates: nothing mistyped is taken for another one."""

from __future__ import annotations

import pytest
from mizheng.verifier.certificate_number import (
    ALPHABET,
    check_characters,
    hash_code,
    make_code,
    make_number,
    parse_code,
    parse_number,
    show_grouped,
)
from mizheng.verifier.errors import FormatError

NUMBERS = [make_number() for _ in range(5)]


def test_check_characters_of_the_standard() -> None:
    # The example that ISO/IEC 7064 gives for MOD 1271-36.
    assert check_characters("ISO79") == "3W"


def test_every_single_wrong_character_is_noticed() -> None:
    for number in NUMBERS:
        for place in range(20):
            for other in ALPHABET:
                if other != number[place]:
                    with pytest.raises(FormatError, match="mistyped"):
                        parse_number(number[:place] + other + number[place + 1 :])


def test_every_exchange_of_two_characters_is_noticed() -> None:
    """At whatever distance, for every pair of values: what the check does is a sum over places."""
    for first in range(20):
        for second in range(first + 1, 20):
            weights = pow(36, 19 - first, 1271) - pow(36, 19 - second, 1271)
            assert all(difference * weights % 1271 for difference in range(1, 36))
    for number in NUMBERS:
        for place in range(19):
            swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
            if swapped != number:
                with pytest.raises(FormatError, match="mistyped"):
                    parse_number(swapped)


def test_numbers_are_read_as_people_write_them() -> None:
    number = next(found for found in iter(make_number, "") if "0" in found and "1" in found)
    shown = show_grouped(number)
    assert len(shown) == 24
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in shown)
    for typed in (
        shown,
        number,
        shown.lower(),
        f"  {shown.replace('-', ' ')} ",
        shown.replace("0", "O").replace("1", "l"),
        shown.replace("1", "I").replace("-", "—"),
        full_width,
    ):
        assert parse_number(typed) == number, typed


@pytest.mark.parametrize("typed", ["", "0" * 19, "0" * 21, "U" * 20, "证" * 20, "0" * 1_000_000, "1" * 12])
def test_what_is_no_number(typed: str) -> None:
    with pytest.raises(FormatError, match="not the number"):
        parse_number(typed)


def test_numbers_and_codes_are_random_in_every_place() -> None:
    numbers = [make_number() for _ in range(2_000)]
    assert len(set(numbers)) == len(numbers)
    for place in range(18):
        assert {number[place] for number in numbers} == set(ALPHABET)


def test_a_code_belongs_to_its_number() -> None:
    code, (number, other) = make_code(), NUMBERS[:2]
    assert parse_code(show_grouped(code).lower()) == code
    assert hash_code(number, code) != hash_code(other, code)
    with pytest.raises(FormatError, match="not the code"):
        parse_code(number)
