"""For whom an opening was made, and whether that is on record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mizheng.verifier.event import Event
from mizheng.verifier.members import DISCLOSURE, DISCLOSURE_EVENT, DISCLOSURE_PROOF
from mizheng.verifier.note import NoteSigner
from mizheng.verifier.signature import PrivateKey

from tests.support.disclosing import PURPOSE, RECIPIENT, make_disclosure
from tests.support.world import Deposit
from tests.verifier.attacks.scene import OPENED

from .case import Bundle, Case, Cases
from .setting import ISSUED_AT, Log, Members, Setting

_CODE = "disclosure.entry"
_ONE = OPENED[:1]


def disclosed(
    *,
    paths: tuple[str, ...] = _ONE,
    originals: tuple[str, ...] = _ONE,
    signed_by: Callable[[Setting, Deposit], Deposit] = lambda _, deposit: deposit,
    event: Callable[[Deposit, bytes], bytes] | None = None,
    proof: Callable[[Setting, Log, int], bytes] = lambda _, log, index: log.proof(index),
    before: bool = False,
    **changes: Any,
) -> Callable[[Setting], Members]:
    """The sound bundle for RECIPIENT, with a disclosure that is on record in a copy of the log."""

    def build(s: Setting) -> Members:
        deposit = signed_by(s, s.scene.first)
        document = make_disclosure(
            deposit,
            paths,
            originals=originals,
            change=lambda found: replace(found, created_at=ISSUED_AT, **changes),
        )
        entry = (event or _event)(deposit, document)
        log = s.log()
        if before:
            del log.leaves[1:]
        index = log.append(entry)
        members = {
            DISCLOSURE: document,
            DISCLOSURE_EVENT: entry,
            DISCLOSURE_PROOF: proof(s, log, index),
        }
        return s.write(
            s.scene.first,
            s.base_evidence(anchors=[], observations=()),
            recipient=RECIPIENT,
            purpose=PURPOSE,
            extra_members=members,
        )

    return build


def _event(deposit: Deposit, document: bytes) -> bytes:
    key = deposit.company.key
    return Event(key.public, hashlib.sha256(document).digest()).sign(key)


def _stranger(s: Setting, deposit: Deposit) -> Deposit:
    return replace(deposit, company=s.scene.rival)


def _by_a_new_key(_: Setting, log: Log, index: int) -> bytes:
    return log.proof(index, signer=NoteSigner(log.signer.verifier.name, PrivateKey.generate()))


def without(*names: str) -> Callable[[Setting], Bundle]:
    """Left out, and the depositor's list made anew without them."""

    def build(s: Setting) -> Bundle:
        members = disclosed()(s)
        return {name: data for name, data in members.items() if name not in names}

    return build


def cases() -> list[Case]:
    found = Cases("disclosure")
    found.passes("on-record", "for a court and a purpose, on record in the log", disclosed())
    found.passes(
        "never-recorded",
        "signed by the depositor, but not on record",
        without(DISCLOSURE_EVENT, DISCLOSURE_PROOF),
        absent=(_CODE,),
    )
    found.passes(
        "taken-away",
        "the bundle names a recipient and carries no disclosure",
        without(DISCLOSURE, DISCLOSURE_EVENT, DISCLOSURE_PROOF),
        absent=(_CODE,),
    )
    found.passes(
        "log-key-unknown",
        "on record by a key that nobody knows as the log's",
        disclosed(proof=_by_a_new_key),
        open=(_CODE,),
    )

    def fails(name: str, why: str, build: Callable[[Setting], Bundle]) -> None:
        found.fails(name, why, _CODE, build)

    fails("for-another", "made for another court", disclosed(recipient="另一法院"))
    fails("for-another-purpose", "made for another case", disclosed(purpose="另案"))
    fails("of-another-deposit", "of another deposit", disclosed(envelope_sha256="00" * 32))
    fails("of-other-records", "of another record", disclosed(paths=(OPENED[1],), originals=()))
    fails("of-more-records", "of more records than are opened", disclosed(paths=OPENED))
    fails("without-the-file", "a file is handed over that it does not name", disclosed(originals=()))
    fails("by-another-key", "signed by another company's key", disclosed(signed_by=_stranger))
    fails(
        "event-of-another-document",
        "the event is about another document",
        disclosed(event=lambda deposit, _: _event(deposit, b"another")),
    )
    fails(
        "proof-of-another-entry",
        "the proof is that of the entry before",
        disclosed(proof=lambda _, log, index: log.proof(index - 1)),
    )
    fails("before-its-deposit", "it stands in the log before its deposit", disclosed(before=True))
    fails("event-missing", "on record, says the proof, but its event is missing", without(DISCLOSURE_EVENT))
    fails("proof-missing", "an event without the proof that it is on record", without(DISCLOSURE_PROOF))
    fails("document-missing", "the proof of a disclosure that is not there", without(DISCLOSURE))
    return found.all
