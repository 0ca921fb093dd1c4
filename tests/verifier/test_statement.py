"""The statement: what a depositor signs, and the key it names is the one that signed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from mizheng.verifier import dsse
from mizheng.verifier.canonical import dump
from mizheng.verifier.errors import FormatError, KeyFormatError, LimitError, SignatureError, VersionError
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import (
    MAX_NAME,
    STATEMENT_PAYLOAD_TYPE,
    BlockReference,
    Depositor,
    Software,
    Statement,
    parse_block_reference,
    parse_depositor,
    parse_envelope,
    parse_statement,
)

KEY = PrivateKey.generate()
BLOCK = BlockReference(1, b"\1" * 32, 7, b"\2" * 32)
STATEMENT = Statement(
    KEY.public,
    b"\3" * 32,
    Depositor("武汉示例科技有限公司", "CN-USCC", "91420100MA4KXXXX0X"),
    "经办人",
    "2026-11-23T02:00:00Z",
    BLOCK,
    Software("mizheng", "0.1.0", "ab" * 32),
    bytes(16),
)
BARE = replace(STATEMENT, operator=None, not_before=None, software=Software("x", "1", None))


@pytest.mark.parametrize("statement", [STATEMENT, BARE], ids=["full", "bare"])
@pytest.mark.parametrize("algorithm", ["ed25519", "p256"])
def test_a_statement_is_read_back(statement: Statement, algorithm: Any) -> None:
    key = PrivateKey.generate(algorithm)
    statement = replace(statement, public_key=key.public)
    envelope, found = parse_envelope(statement.sign(key))
    assert found == statement
    assert envelope.payload == statement.dump()


def test_only_the_key_that_is_named_signs() -> None:
    other = PrivateKey.generate()
    with pytest.raises(ValueError):
        STATEMENT.sign(other)
    with pytest.raises(SignatureError):
        parse_envelope(dsse.sign(STATEMENT.dump(), STATEMENT_PAYLOAD_TYPE, other))


def changed(**fields: Any) -> bytes:
    value = json.loads(STATEMENT.dump()) | fields
    return dump({key: item for key, item in value.items() if item is not ...})


def refuse(**fields: Any) -> None:
    with pytest.raises((FormatError, KeyFormatError)):
        parse_statement(changed(**fields))


@pytest.mark.parametrize("name", list(json.loads(STATEMENT.dump())))
def test_no_field_may_be_missing_or_of_another_type(name: str) -> None:
    refuse(**{name: ...})
    refuse(**{name: 1})
    refuse(**{name: [1]})
    if name not in ("operator", "not_before"):
        refuse(**{name: None})


@pytest.mark.parametrize(
    "fields",
    [
        {"extra": 1},
        {"public_key": "AA=="},
        {"public_key": ""},
        {"commitment": "03" * 31},
        {"commitment": "AB" * 32},
        {"nonce": "00" * 15},
        {"nonce": "00" * 17},
        {"claimed_at": "2026-11-23"},
        {"claimed_at": "2026-02-30T00:00:00Z"},
        {"software": {}},
        {"software": {"name": "x", "version": "1"}},
        {"software": {"name": "x", "version": "1", "digest": "x"}},
        {"software": {"name": "x", "version": "1", "digest": None, "extra": 1}},
        {"not_before": {}},
        {"not_before": BLOCK.to_json() | {"extra": 1}},
        {"not_before": BLOCK.to_json() | {"hash": "00"}},
        {"depositor": {}},
    ],
)
def test_what_is_no_statement(fields: dict[str, Any]) -> None:
    refuse(**fields)


def test_a_later_version_is_told_from_a_broken_statement() -> None:
    with pytest.raises(VersionError):
        parse_statement(changed(type="mizheng/deposit/v2", commitment=..., new={"shape": []}))
    with pytest.raises(FormatError) as caught:
        parse_statement(changed(type="mizheng/enrolment/v1"))
    assert not isinstance(caught.value, VersionError)


@pytest.mark.parametrize("field", ["name", "id_scheme", "id"])
@pytest.mark.parametrize("text", ["", "a\0", "a\nb", "\x1b[31m", "\x7f"])
def test_names_are_never_empty_and_hold_no_control_characters(field: str, text: str) -> None:
    with pytest.raises(FormatError):
        parse_depositor({**STATEMENT.depositor.to_json(), field: text})


def test_names_have_a_limit() -> None:
    longest = {**STATEMENT.depositor.to_json(), "name": "名" * MAX_NAME}
    assert parse_depositor(longest).name == "名" * MAX_NAME
    with pytest.raises(LimitError):
        parse_depositor({**longest, "name": "名" * (MAX_NAME + 1)})


@pytest.mark.parametrize(
    "changes", [{"chain_id": 0}, {"chain_id": -1}, {"number": -1}, {"number": None}, {"chain_id": "1"}]
)
def test_block_references_out_of_range(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        parse_block_reference(BLOCK.to_json() | changes)
    assert parse_block_reference(BLOCK.to_json()) == BLOCK
