"""Witness policies: who makes a quorum, and every way in which a policy can be wrong."""

from __future__ import annotations

import itertools

import pytest
from mizheng.verifier.cosignature import WitnessKey
from mizheng.verifier.errors import FormatError, KeyFormatError, LimitError
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.policy import MAX_POLICY_BYTES, parse_policy
from mizheng.verifier.signature import PrivateKey

KEYS = [PrivateKey.generate().public for _ in range(6)]
V = [WitnessKey(f"w{n}.example", key).vkey for n, key in enumerate(KEYS)]
LOG = NoteVerifier("log.example", PrivateKey.generate().public).vkey
# The example of C2SP tlog-policy: two of three X and any one of three Y.
TWO_LEVELS = (
    f"log {LOG}\n\n"
    + "".join(f"witness X{n} {V[n]}\n" for n in range(3))
    + "group X-witnesses 2 X0 X1 X2\n\n"
    + "".join(f"witness Y{n} {V[n + 3]} https://y{n}.example\n" for n in range(3))
    + "group Y-witnesses any Y0 Y1 Y2\n\n"
    + "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)


def test_every_subset_of_two_levels() -> None:
    policy = parse_policy(TWO_LEVELS)
    names = list(policy.witnesses)
    for count in range(7):
        for cosigned in itertools.combinations(names, count):
            x = sum(name.startswith("X") for name in cosigned)
            assert policy.is_met(cosigned) == (x >= 2 and count - x >= 1)


def test_a_single_witness_can_be_the_quorum() -> None:
    policy = parse_policy(f"witness A {V[0]}\nwitness B {V[1]}\nquorum B")
    assert policy.is_met({"B"}) and not policy.is_met({"A"}) and not policy.is_met(())


def test_none_asks_for_nobody() -> None:
    policy = parse_policy("quorum none\n")
    assert not policy.asks_for_witnesses and policy.is_met(())


def test_comments_blank_lines_tabs_and_blanks_around() -> None:
    policy = parse_policy(f"# one\n\n \t# two\n\twitness \t A {V[0]} \t\n  quorum A  ")
    assert policy.is_met({"A"})


def test_names_are_octets_not_letters() -> None:
    kelvin = "\N{KELVIN SIGN}"
    policy = parse_policy(f"witness K {V[0]}\nwitness {kelvin} {V[1]}\nquorum {kelvin}\n")
    assert policy.is_met({kelvin}) and not policy.is_met({"K"})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="no quorum"),
        pytest.param(f"witness A {V[0]}\n", id="witnesses but no quorum"),
        pytest.param("quorum none\nquorum none\n", id="two quorums"),
        pytest.param(f"quorum A\nwitness A {V[0]}\n", id="quorum before its witness"),
        pytest.param("quorum B\n", id="quorum of nobody"),
        pytest.param(f"witness A {V[0]}\nwitness A {V[1]}\nquorum A\n", id="one name, two witnesses"),
        pytest.param(f"witness A {V[0]}\nwitness B {V[0]}\nquorum A\n", id="one key, two names"),
        pytest.param(f"witness none {V[0]}\nquorum none\n", id="a witness called none"),
        pytest.param(f"witness A {V[0]}\ngroup none any A\nquorum none\n", id="a group called none"),
        pytest.param(f"witness A {V[0]}\ngroup A any A\nquorum A\n", id="a group with a witness's name"),
        pytest.param(f"witness A {V[0]}\ngroup g any none\nquorum g\n", id="none as a member"),
        pytest.param(f"witness A {V[0]}\ngroup g any g\nquorum g\n", id="a group in itself"),
        pytest.param(f"witness A {V[0]}\ngroup g any\nquorum g\n", id="a group without members"),
        pytest.param(f"witness A {V[0]}\ngroup g 0 A\nquorum g\n", id="threshold zero"),
        pytest.param(f"witness A {V[0]}\ngroup g 2 A\nquorum g\n", id="threshold above members"),
        pytest.param(f"witness A {V[0]}\ngroup g 01 A\nquorum g\n", id="threshold with a leading zero"),
        pytest.param(f"witness A {V[0]}\ngroup g 2 A A\nquorum g\n", id="a member twice"),
        pytest.param(
            f"witness A {V[0]}\nwitness B {V[1]}\ngroup g any A\ngroup h 2 g A\nquorum h\n",
            id="a member of two groups",
        ),
        pytest.param("witnes A\nquorum none\n", id="an unknown word"),
        pytest.param(f"witness A {V[0]} u u\nquorum A\n", id="a word too many"),
        pytest.param("quorum none\r\n", id="a carriage return"),
        pytest.param("quorum none\x00\n", id="a null byte"),
    ],
)
def test_what_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_policy(text)


def test_a_log_key_is_no_witness() -> None:
    with pytest.raises(KeyFormatError):
        parse_policy(f"witness A {LOG}\nquorum A\n")


def test_its_size_is_limited() -> None:
    parse_policy("#" * (MAX_POLICY_BYTES - 12) + "\nquorum none")
    with pytest.raises(LimitError):
        parse_policy("#" * MAX_POLICY_BYTES + "\nquorum none")
