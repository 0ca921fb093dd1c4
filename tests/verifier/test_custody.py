"""Custody events as documents: who has to sign what, and what an event may not say of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mizheng.verifier.canonical import dump, parse
from mizheng.verifier.custody import (
    CUSTODY_PAYLOAD_TYPE,
    Custody,
    countersign,
    parse_custody,
    parse_offer,
    read_custody,
)
from mizheng.verifier.dsse import sign
from mizheng.verifier.errors import (
    FormatError,
    LimitError,
    MizhengError,
    ProofError,
    SignatureError,
    VersionError,
)
from mizheng.verifier.signature import PrivateKey

from tests.support.custody import Chain, party

GIVER, TAKER, OTHER = PrivateKey.generate(), PrivateKey.generate("p256"), PrivateKey.generate()
COMPANY, COURT = party(GIVER, "经办人甲", "示例精密机械有限公司", "保管员"), party(TAKER, "书记员乙")
CHAIN = Chain("aa" * 32)
A, B = "a1" * 32, "b2" * 32


def handover(**changes: Any) -> Custody:
    return CHAIN.event("handover", COMPANY, COURT, **changes)


def test_an_event_of_one_is_signed_by_one() -> None:
    event = CHAIN.event("opening", COMPANY, before=A, after=B, note="启封", seal_number="FT-7")
    document = event.sign(GIVER)
    assert parse_custody(document) == event
    with pytest.raises(ValueError, match="signed by the key"):
        event.sign(TAKER)


def test_a_handover_is_signed_by_both_giver_first() -> None:
    event = handover(before=A, after=A)
    offer = event.sign(GIVER)
    assert parse_offer(offer) == event
    document = countersign(offer, TAKER)
    assert parse_custody(document) == event
    assert [keyid for keyid, _ in read_custody(document).envelope.signatures] == [
        GIVER.public.keyid,
        TAKER.public.keyid,
    ]


def test_an_offer_is_no_document() -> None:
    with pytest.raises(SignatureError):
        parse_custody(handover().sign(GIVER))


def test_a_document_is_no_offer() -> None:
    with pytest.raises(SignatureError):
        countersign(countersign(handover().sign(GIVER), TAKER), TAKER)


def test_only_who_is_named_takes() -> None:
    with pytest.raises(SignatureError, match="another key for its taker"):
        countersign(handover().sign(GIVER), OTHER)


def test_what_the_giver_did_not_sign_is_not_taken() -> None:
    value = parse(handover().sign(GIVER))
    assert isinstance(value, dict)
    value["payload"] = parse(handover(where="别处").sign(GIVER))["payload"]  # type: ignore[index,call-overload]
    with pytest.raises(SignatureError):
        countersign(dump(value), TAKER)


def test_an_event_of_one_is_not_countersigned() -> None:
    with pytest.raises(FormatError, match="nobody else"):
        countersign(CHAIN.event("storage", COMPANY).sign(GIVER), TAKER)


def test_swapped_signatures_are_not_taken() -> None:
    value = parse(countersign(handover().sign(GIVER), TAKER))
    assert isinstance(value, dict)
    value["signatures"].reverse()
    with pytest.raises(SignatureError):
        parse_custody(dump(value))


@pytest.mark.parametrize("count", [0, 3])
def test_other_numbers_of_signatures_cannot_be_read(count: int) -> None:
    value = parse(CHAIN.event("storage", COMPANY).sign(GIVER))
    assert isinstance(value, dict)
    value["signatures"] *= count
    with pytest.raises(FormatError, match="signatures"):
        read_custody(dump(value))


def test_a_second_signature_where_one_is_due() -> None:
    value = parse(CHAIN.event("storage", COMPANY).sign(GIVER))
    assert isinstance(value, dict)
    value["signatures"] *= 2
    with pytest.raises(SignatureError):
        parse_custody(dump(value))


# Each is one change of a good event, and what is said of it.
WRONG: dict[str, tuple[str, dict[str, Any], type[MizhengError]]] = {
    "an unknown sort": ("sold", {}, FormatError),
    "a hand-over without a taker": ("handover", {"to": None}, FormatError),
    "a taker where nothing changes hands": ("opening", {"to": COURT}, FormatError),
    "one key on both sides": ("handover", {"to": replace(COURT, public_key=GIVER.public)}, FormatError),
    "no deposit": ("opening", {"envelope_sha256": "aa"}, FormatError),
    "previous that is no digest": ("opening", {"previous": "A" * 64}, FormatError),
    "no instant": ("opening", {"at": "2026-11-24"}, FormatError),
    "an empty place": ("opening", {"where": " "}, FormatError),
    "a line break in the reason": ("opening", {"why": "a\nb"}, FormatError),
    "a name without end": ("opening", {"by": replace(COMPANY, name="长" * 1001)}, LimitError),
    "an empty role": ("opening", {"by": replace(COMPANY, role="")}, FormatError),
    "another sort that is not said": ("other", {"note": None}, FormatError),
    "a seal number that is not said": ("seal-number", {"seal_number": None}, FormatError),
    "a digest of what is no more": ("destruction", {"before": A, "after": A}, FormatError),
    "a digest that ends": ("opening", {"before": A}, FormatError),
    "content that a copy changed": ("copy", {"before": A, "after": B}, ProofError),
    "content that a hand-over changed": ("handover", {"before": A, "after": B}, ProofError),
    "content that appears in storage": ("storage", {"after": B}, ProofError),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_event_that_contradicts_itself(name: str) -> None:
    what, changes, error = WRONG[name]
    parties = {"by": COMPANY, "to": COURT if what == "handover" else None}
    with pytest.raises(error):
        CHAIN.event(what, **parties | changes)


PAYLOADS: dict[str, tuple[Callable[[dict[str, Any]], object], type[MizhengError]]] = {
    "a further field": (lambda value: value.update(more=1), FormatError),
    "a missing field": (lambda value: value.pop("note"), FormatError),
    "a short nonce": (lambda value: value.update(nonce="00" * 31), FormatError),
    "a further field of a person": (lambda value: value["by"].update(phone="1"), FormatError),
    "a later version": (lambda value: value.update(type="mizheng/custody/v2"), VersionError),
    "another document": (lambda value: value.update(type="mizheng/disclosure/v1"), FormatError),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_of_another_form(name: str) -> None:
    change, error = PAYLOADS[name]
    value = parse(read_custody(CHAIN.event("storage", COMPANY).sign(GIVER)).envelope.payload)
    assert isinstance(value, dict)
    change(value)
    with pytest.raises(error):
        read_custody(sign(dump(value), CUSTODY_PAYLOAD_TYPE, GIVER))
