"""Statements and the names under them; keys that were enrolled too late, by nobody, or revoked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier import dsse
from mizheng.verifier.canonical import dump
from mizheng.verifier.enrolment import ENROLMENT_PAYLOAD_TYPE, Enrolment, KeyStatus, Revocation
from mizheng.verifier.signature import PrivateKey
from mizheng.verifier.statement import STATEMENT_PAYLOAD_TYPE, Depositor

from tests.support.world import ACME, AT, Company
from tests.verifier.attacks.scene import RIVAL

from .case import Bundle, Case, Cases
from .keys import HighKey, OddKey
from .setting import (
    ENROLMENT,
    ENROLMENT_PROOF,
    STATEMENT,
    STATUS,
    Members,
    Setting,
    p256,
)
from .sound import rotation

_CODE = "depositor.enrolment"


def cases() -> list[Case]:
    return [*_enrolments(), *_names(), *_statuses(), *_statements()]


def _enrolments() -> list[Case]:
    found = Cases("enrolment")

    def fails(name: str, why: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, _CODE, build)

    fails("not-in-the-log", "an enrolment that the issuer signed and nobody logged", not_logged)
    fails("no-proof", "an enrolment without its proof", lambda s: without(s, ENROLMENT_PROOF))
    fails(
        "other-index",
        "an enrolment proven at the index of another",
        lambda s: {**s.small, ENROLMENT_PROOF: s.log().proof(1)},
    )
    fails("after-the-deposit", "a key that was enrolled after it had deposited", after)
    fails("in-another-tree", "an enrolment proven in a tree that the deposit is not proven in", other_tree)
    fails("of-another-key", "the enrolment of another key of the same company", other_key)
    fails(
        "signed-by-itself", "an enrolment in the issuer's name that the key itself signed", signed_by_itself
    )
    fails(
        "signer-exchanged",
        "the issuer's signature under a document that names another signer",
        signer_exchanged,
    )
    fails("a-revocation", "a revocation in the place of the enrolment", a_revocation)
    fails("two-signatures", "an enrolment that two issuers signed", two_signers)
    found.stays_open(
        "none",
        "a key that nobody enrolled: the name is only claimed",
        "depositor.key-status",
        lambda s: without(s, ENROLMENT, ENROLMENT_PROOF),
        absent=(_CODE,),
    )
    found.stays_open(
        "unknown-issuer",
        "an issuer whom the trust file does not know",
        _CODE,
        lambda s: enrolled_by(s, s.stream.key()),
    )
    found.stays_open(
        "by-an-observer", "an observer is no issuer", _CODE, lambda s: enrolled_by(s, s.world.observers[0])
    )
    found.stays_open(
        "by-the-log", "the log's own key is no issuer", _CODE, lambda s: enrolled_by(s, s.world.log_key)
    )
    return found.all


def without(s: Setting, *names: str) -> Members:
    return {name: data for name, data in s.small.items() if name not in names}


def not_logged(s: Setting) -> Members:
    made = Enrolment(s.acme.key.public, ACME, "made up today", AT, None).sign(s.world.issuer)
    return {**s.small, ENROLMENT: made}


def after(s: Setting) -> Members:
    log, company = s.log(), Company(key=s.stream.key())
    deposit = s.deposit(log, company)
    return s.stamped(log, replace(deposit, company=s.enrol(log, company)))


def other_tree(s: Setting) -> Members:
    log = s.log()
    log.append(b"one entry more")
    return {**s.small, ENROLMENT_PROOF: log.proof(s.acme.enrolment_index or 0)}


def other_key(s: Setting) -> Members:
    log = s.log()
    other = s.enrol(log, Company(key=s.stream.key()))
    return s.stamped(log, s.deposit(log, Company(key=s.stream.key())), company=other)


def with_enrolment(s: Setting, company: Company, enrolment: bytes) -> Members:
    """A deposit of this company's after this enrolment was logged, whatever it says."""
    log = s.log()
    company.enrolment, company.enrolment_index = enrolment, log.append(enrolment)
    return s.stamped(log, s.deposit(log, company))


def enrolled_by(s: Setting, issuer: PrivateKey) -> Members:
    company = Company(RIVAL, s.stream.key())
    return with_enrolment(s, company, Enrolment(company.key.public, RIVAL, "seen", AT, None).sign(issuer))


def changed(s: Setting, company: Company, by: PrivateKey, **fields: str) -> Members:
    """An enrolment of the issuer's with other fields, signed by `by`."""
    honest = Enrolment(company.key.public, company.name, "seen", AT, None).sign(s.world.issuer)
    value = json.loads(dsse.parse(honest, ENROLMENT_PAYLOAD_TYPE).payload)
    return with_enrolment(s, company, dsse.sign(dump({**value, **fields}), ENROLMENT_PAYLOAD_TYPE, by))


def signed_by_itself(s: Setting) -> Members:
    company = Company(key=s.stream.key())
    return changed(s, company, company.key)


def signer_exchanged(s: Setting) -> Members:
    company = Company(key=s.stream.key())
    return changed(s, company, s.world.issuer, signer=company.key.public.to_base64())


def two_signers(s: Setting) -> Members:
    company = Company(key=s.stream.key())
    honest = Enrolment(company.key.public, company.name, "seen", AT, None).sign(s.world.issuer)
    payload = dsse.parse(honest, ENROLMENT_PAYLOAD_TYPE).payload
    twice = dsse.sign(payload, ENROLMENT_PAYLOAD_TYPE, s.world.issuer, s.world.observers[0])
    return with_enrolment(s, company, twice)


def a_revocation(s: Setting) -> Members:
    return {**s.small, ENROLMENT: Revocation(s.acme.key.public.keyid, "lost", AT).sign(s.world.issuer)}


_NAMES: dict[str, tuple[str, Depositor]] = {
    "another": ("another company", RIVAL),
    "space": ("the same name and a space", replace(ACME, name=ACME.name + " ")),
    "zero-width": (
        "the same name and a character that nobody sees",
        replace(ACME, name=ACME.name + "\u200b"),
    ),
    "traditional": ("the name in other characters", replace(ACME, name="武漢示例科技有限公司")),
    "number": ("another number", replace(ACME, id="91420100MA4KXXXX0Y")),
    "scheme": ("another kind of number", replace(ACME, id_scheme="LEI")),
}


def _names() -> list[Case]:
    found = Cases("name")
    for name, (why, depositor) in _NAMES.items():
        found.fails(
            name,
            f"a statement under a name that is not the enrolled one: {why}",
            _CODE,
            lambda s, depositor=depositor: stated(s, depositor=depositor),
        )
    return found.all


def stated(s: Setting, **changes: Any) -> Members:
    log = s.log()
    return s.stamped(log, s.deposit(log, s.acme, change=lambda it: replace(it, **changes)))


def _statuses() -> list[Case]:
    found = Cases("key-status")
    code = "depositor.key-status"

    def fails(name: str, why: str, build: Callable[[Setting], Bundle], **more: object) -> None:
        found.fails(name, why, code, build, **more)

    fails("revoked-before", "a key that was revoked before it deposited", lambda s: status(s, revoked=1))
    fails(
        "revoked-at",
        "a key that was revoked at the very index of the deposit",
        lambda s: status(s, revoked=2),
    )
    found.passes(
        "revoked-after", "a key that was revoked right after the deposit", lambda s: status(s, revoked=3)
    )
    fails(
        "older-than-the-deposit",
        "a word on a log that did not hold the deposit yet",
        lambda s: status(s, size=4),
    )
    fails(
        "revoked-outside",
        "a revocation outside the log that it speaks of",
        lambda s: status(s, revoked=5, size=5),
    )
    fails("negative-index", "a revocation at a negative index", lambda s: status(s, revoked=-1))
    fails(
        "of-another-key", "a word on another key", lambda s: status(s, keyid=s.scene.rival.key.public.keyid)
    )
    fails("rotated-key-signs-on", "a deposit by a key after its successor took its place", signs_on)
    fails(
        "listed-in-the-trust-file",
        "a key that the trust file lists as revoked",
        lambda s: s.small,
        trust=lambda s: s.trust(revoked_keys=frozenset({s.acme.key.public.keyid})),
    )
    found.stays_open("none", "no word on whether the key was revoked", code, lambda s: without(s, STATUS))
    found.stays_open(
        "by-a-stranger", "a stranger's word on the key", code, lambda s: status(s, signer=s.stream.key())
    )
    found.stays_open(
        "by-another-issuer",
        "the word of an issuer who did not enrol the key",
        code,
        lambda s: status(s, signer=s.scene.foreign.issuer),
        trust="both-notaries",
    )
    return found.all


def status(
    s: Setting,
    *,
    revoked: int | None = None,
    size: int = 5,
    keyid: str | None = None,
    signer: PrivateKey | None = None,
) -> Members:
    made = KeyStatus(keyid or s.acme.key.public.keyid, revoked, size).sign(signer or s.world.issuer)
    return {**s.small, STATUS: made}


def signs_on(s: Setting) -> Members:
    log, _, _, late, revoked = rotation(s)
    return s.stamped(log, late, revoked=revoked)


def _statements() -> list[Case]:
    found = Cases("statement", failing=("envelope.signature",))

    def fails(name: str, why: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, "envelope.signature", build)

    def field(name: str, why: str, **changes: Any) -> None:
        fails(name, why, lambda s: resigned(s, **changes))

    fails("bit", "one bit of the statement's signature is another", broken_signature)
    fails(
        "signed-by-another",
        "a statement that another key signed under the depositor's keyid",
        signed_by_another,
    )
    fails("high-s", "a P-256 statement whose signature has high S", high_s)
    fails("empty", "a statement of no bytes", lambda s: {**s.small, STATEMENT: b""})
    fails("a-key-status", "another document in its place", lambda s: {**s.small, STATEMENT: s.small[STATUS]})
    field("commitment-cut", "a commitment of 31 bytes", commitment="00" * 31)
    field("claimed-at-offset", "a time with an offset", claimed_at="2026-11-23T10:00:00+08:00")
    field("nonce-short", "a nonce of 15 bytes", nonce="00" * 15)
    field(
        "chain-id-text",
        "a not-before block whose chain id is text",
        not_before={"chain_id": "1", "genesis_hash": "00" * 32, "number": 1, "hash": "00" * 32},
    )
    field(
        "negative-block",
        "a not-before block of a negative number",
        not_before={"chain_id": 1, "genesis_hash": "00" * 32, "number": -1, "hash": "00" * 32},
    )
    field("depositor-null", "nobody as the depositor", depositor=None)
    field("unknown-field", "a field that statements do not have", priority="high")
    return found.all


def resigned(s: Setting, **changes: Any) -> Members:
    """The statement with other fields, signed by its own key."""
    value = json.loads(dsse.parse(s.small[STATEMENT], STATEMENT_PAYLOAD_TYPE).payload)
    return {**s.small, STATEMENT: dsse.sign(dump({**value, **changes}), STATEMENT_PAYLOAD_TYPE, s.acme.key)}


def broken_signature(s: Setting) -> Members:
    outer = json.loads(s.small[STATEMENT])
    ((one),) = outer["signatures"]
    swapped = "B" if one["sig"][0] != "B" else "C"
    return {**s.small, STATEMENT: dump({**outer, "signatures": [{**one, "sig": swapped + one["sig"][1:]}]})}


def signed_by_another(s: Setting) -> Members:
    payload = dsse.parse(s.small[STATEMENT], STATEMENT_PAYLOAD_TYPE).payload
    thief = OddKey(s.acme.key.public.spki, s.scene.rival.key.sign)
    return {**s.small, STATEMENT: dsse.sign(payload, STATEMENT_PAYLOAD_TYPE, thief)}  # type: ignore[arg-type]


def high_s(s: Setting) -> Members:
    log, company = s.log(), Company(key=HighKey(p256(s.stream)))
    return s.stamped(log, s.deposit(log, s.enrol(log, company)))
