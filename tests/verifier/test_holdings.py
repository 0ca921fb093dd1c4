"""Chains of custody: what may follow what, and who has the evidence then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mizheng.verifier.custody import Custody, Party, read_custody
from mizheng.verifier.errors import ProofError
from mizheng.verifier.holdings import Holdings
from mizheng.verifier.signature import PrivateKey

from tests.support.custody import Chain, party

DEPOSIT = "aa" * 32
A, B, C = "a1" * 32, "b2" * 32, "c3" * 32
KEYS = {name: PrivateKey.generate() for name in ("company", "court", "appraiser")}
COMPANY, COURT, APPRAISER = (party(KEYS[name], name) for name in KEYS)


class Custodians:
    """A chain and what is made of it, side by side."""

    def __init__(self) -> None:
        self.chain = Chain(DEPOSIT)
        self.holdings = Holdings(DEPOSIT, KEYS["company"].public)

    def add(self, what: str, by: Party, to: Party | None = None, **changes: object) -> None:
        self.take(self.chain.event(what, by, to, **changes))

    def take(self, event: Custody) -> None:
        taker = KEYS[event.to.name] if event.to else None
        self.holdings.add(read_custody(self.chain.add(event, KEYS[event.by.name], taker)))

    @property
    def held(self) -> dict[str, set[str]]:
        names = {key.public.keyid: name for name, key in KEYS.items()}
        return {names[keyid]: set(found) for keyid, found in self.holdings.held.items()}


@pytest.fixture
def custodians() -> Custodians:
    return Custodians()


def test_the_depositor_has_it_first(custodians: Custodians) -> None:
    assert custodians.held == {"company": set()}
    assert custodians.holdings.last is None
    custodians.add("seal-number", COMPANY, before=A, after=A)
    assert custodians.held == {"company": {A}}
    assert custodians.holdings.count == 1


def test_there_and_back(custodians: Custodians) -> None:
    custodians.add("opening", COMPANY, after=A)
    custodians.add("handover", COMPANY, COURT, before=A, after=A)
    custodians.add("handover", COURT, APPRAISER)
    assert custodians.held == {"appraiser": {A}}
    custodians.add("medium-change", APPRAISER, before=A, after=B)
    custodians.add("handover", APPRAISER, COMPANY, before=B, after=B)
    assert custodians.held == {"company": {B}}


def test_a_copy_makes_two_who_have_it(custodians: Custodians) -> None:
    custodians.add("copy-handover", COMPANY, COURT, before=A, after=A)
    custodians.add("copy-handover", COMPANY, APPRAISER)
    assert custodians.held == {"company": {A}, "court": {A}, "appraiser": {A}}
    custodians.add("opening", APPRAISER, before=A, after=B)
    custodians.add("handover", APPRAISER, COMPANY, before=B, after=B)
    assert custodians.held == {"company": {A, B}, "court": {A}}
    custodians.add("handover", COMPANY, APPRAISER, before=B, after=B)
    assert custodians.held == {"company": {A}, "court": {A}, "appraiser": {B}}


def test_what_was_destroyed_nobody_has(custodians: Custodians) -> None:
    custodians.add("copy-handover", COMPANY, COURT, before=A, after=A)
    custodians.add("destruction", COURT, before=A)
    assert custodians.held == {"company": {A}}
    with pytest.raises(ProofError, match="did not have"):
        custodians.add("storage", COURT)


def test_of_two_copies_one_is_destroyed(custodians: Custodians) -> None:
    custodians.add("copy-handover", COMPANY, COURT, before=A, after=A)
    custodians.add("opening", COURT, before=A, after=B)
    custodians.add("handover", COURT, COMPANY)
    custodians.add("destruction", COMPANY, before=B)
    assert custodians.held == {"company": {A}}


def test_the_giver_is_who_was_handed_it_last(custodians: Custodians) -> None:
    custodians.add("handover", COMPANY, COURT)
    with pytest.raises(ProofError, match="did not have"):
        custodians.add("handover", COMPANY, APPRAISER)


def test_the_first_to_have_it_is_the_depositor(custodians: Custodians) -> None:
    with pytest.raises(ProofError, match="did not have"):
        custodians.add("handover", COURT, APPRAISER)


def test_nobody_else_records_anything(custodians: Custodians) -> None:
    with pytest.raises(ProofError, match="did not have"):
        custodians.add("inspection", COURT)


def test_a_first_event_is_missing(custodians: Custodians) -> None:
    with pytest.raises(ProofError, match="broken"):
        custodians.add("storage", COMPANY, previous=C)


def test_an_event_between_is_missing(custodians: Custodians) -> None:
    custodians.add("storage", COMPANY)
    custodians.chain.add(custodians.chain.event("inspection", COMPANY), KEYS["company"])
    with pytest.raises(ProofError, match="broken"):
        custodians.add("storage", COMPANY)


def test_two_follow_one(custodians: Custodians) -> None:
    custodians.add("storage", COMPANY)
    fork = custodians.chain.event("inspection", COMPANY)
    custodians.add("copy", COMPANY)
    with pytest.raises(ProofError, match="forked") as found:
        custodians.take(replace(fork, at="2026-11-24T02:00:00Z"))
    assert found.value.values == {"number": 1}


def test_two_are_the_first(custodians: Custodians) -> None:
    custodians.add("storage", COMPANY)
    with pytest.raises(ProofError, match="calls itself the first"):
        custodians.add("storage", COMPANY, previous=None)


def test_one_document_twice(custodians: Custodians) -> None:
    custodians.add("storage", COMPANY)
    custodians.add("copy", COMPANY)
    with pytest.raises(ProofError, match="forked"):
        custodians.holdings.add(read_custody(custodians.chain.documents[-1]))


def test_another_deposit(custodians: Custodians) -> None:
    with pytest.raises(ProofError, match="another deposit"):
        custodians.add("storage", COMPANY, envelope_sha256="bb" * 32)


def test_time_does_not_go_back(custodians: Custodians) -> None:
    custodians.add("storage", COMPANY, at="2026-11-24T03:00:00Z")
    custodians.add("storage", COMPANY, at="2026-11-24T03:00:00Z")
    with pytest.raises(ProofError, match="dated before"):
        custodians.add("storage", COMPANY, at="2026-11-24T02:59:59Z")


def test_content_that_changed_between_two_events(custodians: Custodians) -> None:
    custodians.add("opening", COMPANY, before=A, after=B)
    with pytest.raises(ProofError, match="another one"):
        custodians.add("handover", COMPANY, COURT, before=A, after=A)


def test_content_that_changed_while_it_was_handed_on_unlooked_at(custodians: Custodians) -> None:
    custodians.add("seal-number", COMPANY, before=A, after=A)
    custodians.add("handover", COMPANY, COURT)
    with pytest.raises(ProofError, match="another one"):
        custodians.add("inspection", COURT, before=B, after=B)
