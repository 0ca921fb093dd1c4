"""Requests, decisions and looks: what may stand in them, and the log of their rows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from mizheng.verifier import dsse
from mizheng.verifier.access import Access, Counted, Document, parse_access
from mizheng.verifier.accesslog import Row, parse_row, verify_rows
from mizheng.verifier.canonical import dump
from mizheng.verifier.errors import FormatError, MizhengError, ProofError, SignatureError, VersionError
from mizheng.verifier.signature import PrivateKey

from tests.support.lawful import (
    AT,
    DEPOSIT,
    END,
    LEAVES,
    START,
    make_approval,
    make_refusal,
    make_request,
    make_withdrawal,
    signed,
)

KEY = PrivateKey.generate()
REQUEST = signed(make_request(KEY), KEY)
APPROVAL = signed(make_approval(KEY, REQUEST), KEY)


def make_look(**changes: Any) -> Access:
    fields: dict[str, Any] = {
        "public_key": KEY.public,
        "created_at": AT,
        "nonce": bytes(32),
        "request_sha256": REQUEST.sha256,
        "approvals": (Counted(APPROVAL.sha256, "张三", KEY.public.keyid),),
        "needed": 1,
        "disclosure_sha256": "cd" * 32,
        "records": LEAVES,
        "originals": LEAVES[:1],
        "ends_at": END,
    }
    return Access(**{**fields, **changes})


DOCUMENTS: dict[str, Document] = {
    "request": make_request(KEY),
    "approval": make_approval(KEY, REQUEST),
    "refusal": make_refusal(KEY, REQUEST),
    "withdrawal": make_withdrawal(KEY, APPROVAL),
    "access": make_look(),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_signed_is_read(name: str) -> None:
    document = DOCUMENTS[name]
    data = document.sign(KEY)
    assert parse_access(data) == dataclasses.replace(
        REQUEST, document=document, sha256=hashlib.sha256(data).hexdigest()
    )
    with pytest.raises(ValueError, match="the key it names"):
        document.sign(PrivateKey.generate())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_was_changed_after_it_was_signed_is_refused(name: str) -> None:
    envelope = json.loads(DOCUMENTS[name].sign(KEY))
    payload = json.loads(dsse.from_base64(envelope["payload"]))
    for field in payload:
        if field in ("type", "public_key"):
            continue
        changed = {**payload, field: _other(payload[field])}
        envelope["payload"] = dsse.to_base64(dump(changed))
        with pytest.raises(MizhengError):
            parse_access(dump(envelope))


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return value[:-1]
    if value is None:
        return "更多"
    return value[:-1] + ("0" if value[-1] != "0" else "1") if len(value) == 64 else value + "x"


@pytest.mark.parametrize(
    "broken",
    [
        lambda: make_request(KEY, envelope_sha256="ab"),
        lambda: make_request(KEY, name=" "),
        lambda: make_request(KEY, name="a\nb"),
        lambda: make_request(KEY, matter="m" * 600, basis="b" * 600),
        lambda: make_request(KEY, role="king"),
        lambda: make_request(KEY, scope=None, points=()),
        lambda: make_request(KEY, points=(3, 1)),
        lambda: make_request(KEY, points=(1, 1)),
        lambda: make_request(KEY, points=(0,)),
        lambda: make_request(KEY, points=(True,)),
        lambda: make_request(KEY, points=("1",)),
        lambda: make_request(KEY, points=tuple(range(1, 1002))),
        lambda: make_request(KEY, ends_at="2026-12-31"),
        lambda: make_request(KEY, undertaking="\n"),
        lambda: make_request(KEY, undertaking="a\x1b[31m"),
        lambda: make_request(KEY, undertaking="a" * 10_001),
        lambda: make_approval(KEY, REQUEST, records=()),
        lambda: make_approval(KEY, REQUEST, records=LEAVES[::-1]),
        lambda: make_approval(KEY, REQUEST, records=(1, 2)),
        lambda: make_approval(KEY, REQUEST, originals=LEAVES[4:]),
        lambda: make_approval(KEY, REQUEST, starts_at=END, ends_at=START),
        lambda: make_approval(KEY, REQUEST, starts_at=END),
        lambda: make_approval(KEY, REQUEST, person=""),
        lambda: make_approval(KEY, REQUEST, conditions=""),
        lambda: make_refusal(KEY, REQUEST, person="a\x00b"),
        lambda: make_look(needed=0),
        lambda: make_look(needed=2),
        lambda: make_look(needed=2, approvals=2 * (Counted(APPROVAL.sha256, "张三", KEY.public.keyid),)),
        lambda: make_look(approvals=(Counted("ab", "张三", KEY.public.keyid),)),
        lambda: make_look(approvals=(Counted(APPROVAL.sha256, "张三", "me"),)),
    ],
)
def test_what_cannot_stand_in_one(broken: Callable[[], Document]) -> None:
    document = broken()
    with pytest.raises(FormatError):
        document.sign(KEY)
    # And not when somebody else's software signed it.
    value = {
        "type": f"mizheng/{document.KIND}/v1",
        "public_key": KEY.public.to_base64(),
        "created_at": document.created_at,
        "nonce": document.nonce.hex(),
    }
    for name in document.TYPES:
        found = getattr(document, name)
        if isinstance(found, tuple):
            found = [dataclasses.asdict(item) if isinstance(item, Counted) else item for item in found]
        value[name] = found
    kind = f"application/vnd.mizheng.{document.KIND}.v1+json"
    with pytest.raises(FormatError):
        parse_access(dsse.sign(dump(value), kind, KEY))


def test_another_document_or_a_later_one_is_refused() -> None:
    data = DOCUMENTS["request"].sign(KEY)
    with pytest.raises(FormatError, match="no request"):
        parse_access(data.replace(b"access-request", b"access-rebuest"))
    with pytest.raises(FormatError, match="no request"):
        parse_access(b'{"payloadType":1}')
    with pytest.raises(FormatError, match="no request"):
        parse_access(b"[]")
    later = dump({"type": "mizheng/access-request/v2"})
    with pytest.raises(VersionError):
        parse_access(dsse.sign(later, "application/vnd.mizheng.access-request.v1+json", KEY))


def test_a_request_with_the_signature_of_another() -> None:
    one, other = (json.loads(make_request(KEY).sign(KEY)) for _ in range(2))
    with pytest.raises(SignatureError):
        parse_access(dump({**one, "signatures": other["signatures"]}))


def make_rows(count: int) -> list[tuple[bytes, bytes]]:
    rows: list[tuple[bytes, bytes]] = []
    for number in range(1, count + 1):
        document = b"document %d" % number
        previous = hashlib.sha256(rows[-1][0]).hexdigest() if rows else None
        digest = hashlib.sha256(document).hexdigest()
        rows.append((Row(DEPOSIT, number, previous, digest, AT, bytes([number]) * 32).dump(), document))
    return rows


def test_rows_follow_one_another() -> None:
    rows = make_rows(4)
    assert verify_rows(rows, DEPOSIT) == hashlib.sha256(rows[-1][0]).hexdigest()
    assert verify_rows([], DEPOSIT) is None
    # What only a reader who knows how far it had come sees.
    assert verify_rows(rows[:-1], DEPOSIT) == hashlib.sha256(rows[2][0]).hexdigest()


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda rows: rows[1:], 1),
        (lambda rows: [rows[0], *rows[2:]], 2),
        (lambda rows: [rows[0], rows[2], rows[1], rows[3]], 2),
        (lambda rows: [*rows, rows[3]], 5),
        (lambda rows: [*rows[:3], (rows[3][0], b"another document")], 4),
        (lambda rows: [*rows[:2], (rows[2][0].replace(b"Z", b"1Z", 1), rows[2][1]), rows[3]], 0),
        (lambda rows: [_renewed(rows[0]), *rows[1:]], 2),
        (lambda rows: [_renewed(rows[0], envelope_sha256="cd" * 32)], 1),
    ],
)
def test_rows_that_were_taken_out_swapped_or_changed(change: Any, number: int) -> None:
    with pytest.raises(ProofError if number else FormatError) as caught:
        verify_rows(change(make_rows(4)), DEPOSIT)
    if number:
        assert caught.value.values["number"] == number


def _renewed(row: tuple[bytes, bytes], **changes: Any) -> tuple[bytes, bytes]:
    return dataclasses.replace(parse_row(row[0]), nonce=bytes(32), **changes).dump(), row[1]
