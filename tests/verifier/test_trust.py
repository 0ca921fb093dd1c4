"""The trust file: read back as it was written, and nothing in it is passed over."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mizheng.verifier.errors import FormatError, LimitError, MizhengError, VersionError
from mizheng.verifier.note import NoteVerifier
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.trust import (
    MAX_TRUST_BYTES,
    NamedKey,
    Release,
    Trust,
    TrustedChain,
    TrustedLog,
    TrustedLogId,
    dump_trust,
    parse_trust,
)

from tests.support.tsa import make_authority

KEYS = [PrivateKey.generate().public, PrivateKey.generate("p256").public, PrivateKey.generate().public]
LOG = TrustedLog(NoteVerifier("log.example/a", KEYS[0]), 0, None)
CHAIN = TrustedChain(
    "main",
    "ethereum",
    1,
    b"\1" * 32,
    b"\2" * 20,
    b"\3" * 32,
    (TrustedLogId("log.example/a", b"\4" * 32, 0, None), TrustedLogId("log.example/a", b"\5" * 32, 3, 9)),
    {7: b"\6" * 32, 100: b"\7" * 32},
)
TRUST = Trust(
    "a court",
    "2026-01-01T00:00:00Z",
    "2027-01-01T00:00:00Z",
    (LOG, TrustedLog(NoteVerifier("log.example/a", KEYS[2]), 5, 10)),
    (NamedKey("issuer", KEYS[1]),),
    (NamedKey("one", KEYS[0]), NamedKey("two", KEYS[1])),
    2,
    (CHAIN, replace(CHAIN, chain_id=2, log_ids=(), pins={})),
    ("depositor.enrolment",),
    frozenset({"ab" * 32, "cd" * 32}),
    releases=(Release("verify.html 1.0", "ef" * 32),),
)
STAMPED = replace(
    TRUST,
    tsas=(
        make_authority("one", start=1_700_000_000, end=1_800_000_000).trusted(),
        make_authority("two", start=1_700_000_000, end=1_800_000_000).trusted(
            policies=(), certificates=frozenset({"ab" * 32, "cd" * 32}), last_time=1_750_000_000
        ),
    ),
    retired_hashes={"sha256": 2_000_000_000, "sha512": 3_000_000_000},
)
EMPTY = Trust("", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", (), (), (), 1, ())


def test_time_stamps_are_read_back() -> None:
    found = again(STAMPED)
    assert found.retired_hashes == STAMPED.retired_hashes
    for read, written in zip(found.tsas, STAMPED.tsas, strict=True):
        assert [root.encoded for root in read.roots] == [root.encoded for root in written.roots]
        assert replace(read, roots=()) == replace(written, roots=())


def test_hash_that_cannot_be_retired() -> None:
    data = dump_trust(STAMPED).replace(b"sha512 =", b"sha1 =")
    with pytest.raises(FormatError, match="sha1"):
        parse_trust(data)


def again(trust: Trust) -> Trust:
    return replace(parse_trust(dump_trust(trust)), sha256="")


def shown(trust: Trust) -> tuple[object, ...]:
    """All of it in values that can be compared: a log's verifier is told by its vkey."""
    logs = [(log.verifier.vkey, log.first_size, log.last_size) for log in trust.logs]
    return replace(trust, logs=()), logs


@pytest.mark.parametrize("trust", [TRUST, EMPTY], ids=["full", "empty"])
def test_a_trust_file_is_read_back(trust: Trust) -> None:
    assert shown(again(trust)) == shown(trust)
    assert dump_trust(again(trust)) == dump_trust(trust)


def test_the_digest_is_that_of_the_files_bytes() -> None:
    data = dump_trust(TRUST)
    assert parse_trust(data).sha256 == hashlib.sha256(data).hexdigest()
    commented = b"# for Mr. Zhang\n" + data
    assert parse_trust(commented).sha256 == hashlib.sha256(commented).hexdigest()


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=20))
def test_names_of_any_characters_are_read_back(name: str) -> None:
    """Quotes, backslashes, line ends, brackets: what is named cannot write into the file."""
    trust = replace(TRUST, name=name, issuers=(NamedKey(name, KEYS[1]),), chains=(replace(CHAIN, name=name),))
    assert shown(again(trust)) == shown(trust)


@pytest.mark.parametrize(
    "name",
    [
        '"',
        "\\",
        '\\"',
        '"""',
        "'''",
        "\n",
        "\r",
        "\0",
        "\x7f",
        "\x1f",
        "]]",
        "\n[[logs]]\n",
        "#",
        "\u2028",
        "密证",
    ],
)
def test_names_that_look_like_toml(name: str) -> None:
    assert again(replace(TRUST, name=name)).name == name


def test_who_is_who() -> None:
    assert TRUST.issuer(KEYS[1]) == NamedKey("issuer", KEYS[1])
    assert TRUST.issuer(KEYS[0]) is None
    assert TRUST.observer(KEYS[0]) == NamedKey("one", KEYS[0])
    assert TRUST.observer(KEYS[2]) is None
    assert TRUST.chain(1, b"\1" * 32) == CHAIN
    assert TRUST.chain(1, b"\2" * 32) is TRUST.chain(3, b"\1" * 32) is None


@pytest.mark.parametrize(
    ("first", "last", "size", "covered"),
    [
        (0, None, 0, True),
        (3, None, 2, False),
        (3, None, 3, True),
        (0, 5, 5, True),
        (0, 5, 6, False),
        (6, 5, 6, False),
    ],
)
def test_ranges_hold_both_their_ends(first: int, last: int | None, size: int, covered: bool) -> None:
    assert TrustedLog(LOG.verifier, first, last).covers(size) is covered
    assert TrustedLogId("a", bytes(32), first, last).covers(size) is covered


# Refusals


def text() -> str:
    return dump_trust(TRUST).decode()


def refuse(data: str | bytes, error: type[MizhengError] = MizhengError) -> None:
    with pytest.raises(error):
        parse_trust(data if isinstance(data, bytes) else data.encode())


SECTIONS = [
    "[[logs]]",
    "[[issuers]]",
    "[observers]",
    "[[observers.keys]]",
    "[[chains]]",
    "[[chains.log_ids]]",
    "[require]",
]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_key_that_is_not_known_is_refused_wherever_it_stands(section: str) -> None:
    """A misspelt restriction must not read as none: last_sise = 5."""
    assert section in text()
    refuse(text().replace(section, f"{section}\nlast_sise = 5", 1), FormatError)


def test_a_key_that_is_not_known_is_refused_at_the_top_and_in_pins() -> None:
    refuse("allow_all = true\n" + text(), FormatError)
    refuse(text() + "\n[extra]\n", FormatError)
    refuse(text().replace("{number = 7,", "{number = 7, weight = 1,"), FormatError)


REQUIRED = [
    "format",
    "name",
    "issued_at",
    "expires_at",
    "vkey",
    "first_size",
    "public_key",
    "quorum",
    "kind",
    "chain_id",
    "genesis_hash",
    "contract",
    "code_hash",
    "origin",
    "log_id",
    "checks",
]


@pytest.mark.parametrize("name", REQUIRED)
def test_a_key_that_is_due_may_not_be_left_out(name: str) -> None:
    lines = text().split("\n")
    (first, *_) = [place for place, line in enumerate(lines) if line.startswith(f"{name} = ")]
    refuse("\n".join(lines[:first] + lines[first + 1 :]))


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("wrong", ["true", "1.5", "{}", "2026-01-01T00:00:00Z"])
def test_a_key_of_another_type_is_refused(name: str, wrong: str) -> None:
    lines = text().split("\n")
    (first, *_) = [place for place, line in enumerate(lines) if line.startswith(f"{name} = ")]
    refuse("\n".join([*lines[:first], f"{name} = {wrong}", *lines[first + 1 :]]))


CHANGES: dict[str, Callable[[str], str]] = {
    "quorum of none": lambda s: s.replace("quorum = 2", "quorum = 0"),
    "negative quorum": lambda s: s.replace("quorum = 2", "quorum = -1"),
    "observer twice": lambda s: s.replace(KEYS[1].to_base64(), KEYS[0].to_base64()),
    "chain twice": lambda s: s.replace("chain_id = 2", "chain_id = 1"),
    "pin twice": lambda s: s.replace("number = 100", "number = 7"),
    "expires before it is issued": lambda s: s.replace("2027-01-01", "2025-01-01"),
    "an instant in local time": lambda s: s.replace("2027-01-01T00:00:00Z", "2027-01-01T00:00:00+08:00"),
    "an address with 0x": lambda s: s.replace('contract = "', 'contract = "0x'),
    "an address in mixed case": lambda s: s.replace("02" * 20, "aB" * 20),
    "a short address": lambda s: s.replace("02" * 20, "02" * 19),
    "a short genesis": lambda s: s.replace("01" * 32, "01" * 31),
    "a short pin": lambda s: s.replace("06" * 32, "06" * 31),
    "a log id of another length": lambda s: s.replace("04" * 32, "04" * 33),
    "a vkey of another key": lambda s: s.replace('vkey = "log.example/a+', 'vkey = "log.example/b+', 1),
    "a key of another spelling": lambda s: s.replace(KEYS[1].to_base64(), KEYS[1].to_base64() + "===="),
    "a revoked key that is none": lambda s: s.replace('"' + "ab" * 32 + '"', '"ab"'),
    "a check that is no text": lambda s: s.replace('checks = ["depositor.enrolment"]', "checks = [1]"),
    "TOML with a key twice": lambda s: 'name = "x"\n' + s,
    "TOML cut short": lambda s: s[: len(s) // 2] + '"',
    "not TOML": lambda s: "{" + s,
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_what_cannot_be_meant_is_refused(case: str) -> None:
    changed = CHANGES[case](text())
    assert changed != text()
    refuse(changed)


def test_a_later_format_is_told_from_a_broken_file() -> None:
    refuse('format = "mizheng/trust/v2"\n', VersionError)
    refuse(text().replace("mizheng/trust/v1", "mizheng/trust/v2"), VersionError)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"PK\x05\x06",
        "format = 1".encode("utf-16"),
        b"x = " + b"[" * 100_000,
        b"x" + b".x" * 1_000 + b" = 1",
        b"x = " + b"9" * 10_000,
        b"x = " + b"{a=" * 50_000,
    ],
    ids=["empty", "not UTF-8", "a bundle", "UTF-16", "deep list", "deep key", "huge number", "deep table"],
)
def test_any_bytes_are_refused_with_an_error_of_ours(data: bytes) -> None:
    refuse(data)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100))
def test_random_bytes_are_refused(data: bytes) -> None:
    refuse(data)


def test_the_size_is_limited() -> None:
    refuse(b"#" * (MAX_TRUST_BYTES + 1), LimitError)


def test_what_is_written_is_toml_to_others() -> None:
    value: dict[str, Any] = tomllib.loads(text())
    assert value["format"] == "mizheng/trust/v1"
    assert [chain["pins"] for chain in value["chains"]][1] == []
    assert len(value["observers"]["keys"]) == 2
