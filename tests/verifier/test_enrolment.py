"""Enrolments, revocations and key status: an issuer's signed word, bound to the issuer's own key."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mizheng.verifier import dsse
from mizheng.verifier.canonical import dump
from mizheng.verifier.enrolment import (
    ENROLMENT_PAYLOAD_TYPE,
    KEY_STATUS_PAYLOAD_TYPE,
    REVOCATION_PAYLOAD_TYPE,
    Enrolment,
    KeyStatus,
    Revocation,
    parse_enrolment,
    parse_key_status,
    parse_revocation,
)
from mizheng.verifier.errors import FormatError, KeyFormatError, SignatureError, VersionError
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import Depositor

ISSUER, COMPANY = PrivateKey.generate(), PrivateKey.generate("p256")
AT = "2026-11-23T02:00:00Z"
ENROLMENT = Enrolment(COMPANY.public, Depositor("公司", "CN-USCC", "1"), "licence seen", AT, None)
REVOCATION = Revocation(COMPANY.public.keyid, "lost", AT)
STATUS = KeyStatus(COMPANY.public.keyid, 3, 10)
KINDS: dict[str, tuple[Any, str, Callable[[bytes], Any]]] = {
    "enrolment": (ENROLMENT, ENROLMENT_PAYLOAD_TYPE, parse_enrolment),
    "revocation": (REVOCATION, REVOCATION_PAYLOAD_TYPE, parse_revocation),
    "key-status": (STATUS, KEY_STATUS_PAYLOAD_TYPE, parse_key_status),
}


def fields_of(kind: str) -> dict[str, Any]:
    document, payload_type, _ = KINDS[kind]
    value = json.loads(dsse.parse(document.sign(ISSUER), payload_type).payload)
    assert isinstance(value, dict)
    return value


def signed(kind: str, fields: dict[str, Any], key: PrivateKey = ISSUER) -> bytes:
    left = {name: item for name, item in fields.items() if item is not ...}
    return dsse.sign(dump(left), KINDS[kind][1], key)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("issuer", [ISSUER, PrivateKey.generate("p256")], ids=["ed25519", "p256"])
def test_a_document_is_read_back_with_its_signer(kind: str, issuer: PrivateKey) -> None:
    document, _, parse = KINDS[kind]
    assert parse(document.sign(issuer)) == (document, issuer.public)


@pytest.mark.parametrize("kind", KINDS)
def test_the_signer_named_is_the_one_who_signed(kind: str) -> None:
    """Else a broken signature could pass for that of somebody nobody knows."""
    fields = fields_of(kind)
    with pytest.raises(SignatureError):
        KINDS[kind][2](signed(kind, fields, COMPANY))
    with pytest.raises(SignatureError):
        KINDS[kind][2](signed(kind, fields | {"signer": COMPANY.public.to_base64()}))


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_may_be_missing_unknown_or_of_another_type(kind: str) -> None:
    fields, parse = fields_of(kind), KINDS[kind][2]
    wrong = [{"extra": None}]
    for name in fields:
        wrong += [{name: ...}, {name: {"x": 1}}, {name: True}]
    for changes in wrong:
        with pytest.raises((FormatError, KeyFormatError)):
            parse(signed(kind, fields | changes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_no_document_passes_for_another(kind: str, other: str) -> None:
    if kind == other:
        return
    _, payload_type, parse = KINDS[kind]
    with pytest.raises(FormatError):
        parse(KINDS[other][0].sign(ISSUER))
    with pytest.raises(FormatError):
        parse(dsse.sign(dump(fields_of(other)), payload_type, ISSUER))


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_version_is_told_from_a_broken_document(kind: str) -> None:
    later = {"type": f"mizheng/{kind}/v2", "whatever": []}
    with pytest.raises(VersionError):
        KINDS[kind][2](signed(kind, later))


def test_an_enrolment_may_name_the_key_it_follows() -> None:
    follows = replace(ENROLMENT, replaces=ISSUER.public.keyid)
    assert parse_enrolment(follows.sign(ISSUER))[0] == follows
    for keyid in ("", "ab", ISSUER.public.keyid.upper()):
        with pytest.raises(FormatError):
            parse_enrolment(replace(ENROLMENT, replaces=keyid).sign(ISSUER))


@pytest.mark.parametrize(("revoked", "size"), [(-1, 10), (10, 10), (11, 10), (0, 0), (None, -1)])
def test_a_revocation_lies_within_the_log_spoken_of(revoked: int | None, size: int) -> None:
    with pytest.raises(FormatError):
        parse_key_status(KeyStatus(COMPANY.public.keyid, revoked, size).sign(ISSUER))


@pytest.mark.parametrize(("revoked", "size"), [(0, 1), (9, 10), (None, 0), (None, 2**53 - 1)])
def test_key_status_at_its_limits(revoked: int | None, size: int) -> None:
    status = KeyStatus(COMPANY.public.keyid, revoked, size)
    assert parse_key_status(status.sign(ISSUER))[0] == status


@pytest.mark.parametrize("kind", ["enrolment", "revocation"])
def test_instants_are_of_the_one_form(kind: str) -> None:
    name = {"enrolment": "authenticated_at", "revocation": "revoked_at"}[kind]
    with pytest.raises(FormatError):
        KINDS[kind][2](signed(kind, fields_of(kind) | {name: "2026-11-23"}))


def test_an_enrolment_of_a_key_that_must_not_be_used() -> None:
    from tests.support import ed25519

    weak = ed25519.spki(ed25519.encode(ed25519.IDENTITY))
    from mizheng.verifier.canonical import to_base64

    with pytest.raises(KeyFormatError):
        parse_enrolment(signed("enrolment", fields_of("enrolment") | {"public_key": to_base64(weak)}))
