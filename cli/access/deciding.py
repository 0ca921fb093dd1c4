"""What people of the company decide on a request: approve in part or whole, refuse, take an approval back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mizheng.cli.access.desk import Desk, company_person
from mizheng.cli.access.people import load_approvers, personal_entry, require_confirmed, unlock_personal
from mizheng.cli.bundling.make import Opening, open_records
from mizheng.cli.bundling.selecting import Selection
from mizheng.cli.errors import DataFault, PermissionFault, UsageFault
from mizheng.cli.keys.signing import unlock
from mizheng.cli.terminal.text import printable
from mizheng.verifier.access import Approval, Document, Refusal, Request, Signed, Withdrawal
from mizheng.verifier.canonical import format_instant, parse_instant
from mizheng.verifier.errors import FormatError, LimitError
from mizheng.verifier.event import NONCE_BYTES
from mizheng.verifier.merkle import leaf_hash
from mizheng.verifier.permit import same_person

if TYPE_CHECKING:
    from mizheng.verifier.signature import PrivateKey


@dataclass(frozen=True, slots=True)
class Terms:
    """What an approval is to say."""

    patterns: Sequence[str]
    """What may be opened, as `bundle --open` takes it."""
    like: Approval | None = None
    """Instead: exactly what this approval of the same request allows."""
    with_originals: bool = False
    with_environment: bool = True
    starts_at: str | None = None
    """None: from now on."""
    ends_at: str | None = None
    """None: until the request's own term ends."""
    conditions: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, signed."""

    data: bytes
    document: Document
    names: tuple[str, ...] = ()
    """Of the records it lists."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, by which key."""

    name: str
    key: PrivateKey


def deciding_person(desk: Desk, named: str | None, *, elsewhere: bool) -> Person:
    """Whose decision this is. `elsewhere`: it is taken to another machine, which knows the company's people.

    PermissionFault when this person may not decide here; UsageFault when the name is not his.
    """
    home = desk.session.home
    appointed = load_approvers(home)
    if not appointed and not elsewhere:
        name = company_person(desk.session)
        if named is not None and not same_person(named, name):
            raise _other_name(name)
        return Person(name, unlock(home, desk.session.active_key))
    entry = personal_entry(home)
    if elsewhere and not appointed:
        name = named or desk.session.config.operator
        if not name:
            raise UsageFault("say who you are: --by NAME", "as the company's list of approvers has you")
        return Person(name, unlock_personal(home))
    found = [item for item in appointed if entry is not None and item.public_key == entry.public_key]
    if not found:
        raise PermissionFault(
            "your key is not among those that may approve here",
            "the company adds it: mizheng access approvers add NAME KEY; mizheng access key prints yours",
        )
    if named is not None and not same_person(named, found[0].person):
        raise _other_name(found[0].person)
    return Person(found[0].person, unlock_personal(home))


def approve(desk: Desk, request: Signed, person: Person, terms: Terms, fingerprint: str | None) -> Decided:
    """Sign an approval; PermissionFault for the requester himself, or while his key was not confirmed."""
    asked = _asked(request)
    if person.key.public == asked.public_key or same_person(person.name, asked.name):
        raise PermissionFault("nobody approves his own request")
    if terms.with_originals and not asked.wants_originals:
        raise UsageFault("the request does not ask for originals", "approve without --with-originals")
    now = format_instant(int(time.time()))
    ends_at = terms.ends_at or asked.ends_at
    if parse_instant(ends_at) > parse_instant(asked.ends_at):
        raise UsageFault(
            "the request itself ends at {at}", "approve until then at the latest", at=asked.ends_at
        )
    if parse_instant(ends_at) <= parse_instant(now):
        raise UsageFault("the term ended at {at} already", at=ends_at)
    # Last of what can be asked beforehand, because it is kept.
    require_confirmed(desk.session.home, asked.public_key, fingerprint)
    if terms.like is not None:
        records, originals = terms.like.records, terms.like.originals
        names = _names_of(desk, records)
    else:
        opening = open_records(
            desk.content, Selection(terms.patterns), unasked=unasked(terms.with_environment)
        )
        records = _leaves(opening, range(len(opening.records)))
        files = [place for place, record in enumerate(opening.records) if record.kind == "file"]
        originals = _leaves(opening, files) if terms.with_originals else ()
        names = tuple(printable(record.name) for record in opening.records)
    approval = Approval(
        person.key.public,
        now,
        secrets.token_bytes(NONCE_BYTES),
        request.sha256,
        person.name,
        records,
        originals,
        terms.starts_at or now,
        ends_at,
        terms.conditions,
    )
    return Decided(sign(approval, person.key), approval, names)


def refuse(request: Signed, person: Person, reason: str) -> Decided:
    """Sign a refusal."""
    _asked(request)
    now, nonce = format_instant(int(time.time())), secrets.token_bytes(NONCE_BYTES)
    refusal = Refusal(person.key.public, now, nonce, request.sha256, person.name, reason)
    return Decided(sign(refusal, person.key), refusal)


def withdraw(desk: Desk, request: Signed, person: Person, reason: str, *, everybody: bool) -> list[Decided]:
    """Sign a withdrawal of this person's approvals on the request, or of everybody's; UsageFault for none."""
    documents = [(signed.sha256, signed.document) for _line, signed in desk.log.documents()]
    gone = {item.approval_sha256 for _sha256, item in documents if isinstance(item, Withdrawal)}
    now = format_instant(int(time.time()))
    made: list[Decided] = []
    for sha256, item in documents:
        if not isinstance(item, Approval) or item.request_sha256 != request.sha256 or sha256 in gone:
            continue
        if everybody or item.public_key == person.key.public:
            made.append(_withdrawal(sha256, person, reason, now))
    if not made:
        raise UsageFault(
            "there is no approval of yours on this request that still stands",
            "--everybody withdraws those of others as well",
        )
    return made


def withdraw_elsewhere(approval: Signed, person: Person, reason: str) -> Decided:
    """Sign a withdrawal of this person's own approval, where its log is not; UsageFault for another's."""
    if approval.document.public_key != person.key.public:
        raise UsageFault("this approval is by another key than yours")
    return _withdrawal(approval.sha256, person, reason, format_instant(int(time.time())))


def sign(document: Document, key: PrivateKey) -> bytes:
    """Signed bytes; UsageFault for texts that cannot stand in it."""
    try:
        return document.sign(key)
    except (FormatError, LimitError) as error:
        raise UsageFault(str(error)) from error


def unasked(with_environment: bool) -> dict[str, bool]:
    """The environment record is opened by default, as in every bundle."""
    return {"environment": with_environment}


def records_of(desk: Desk, leaves: Collection[str]) -> list[bytes]:
    """The records with these leaf hashes, in the order of the seal; DataFault when any is not in it."""
    wanted = [record for record in desk.content.records() if leaf_hash(record).hex() in leaves]
    if len(wanted) != len(leaves):
        raise DataFault("the approval lists records that this seal does not have")
    return wanted


def _withdrawal(approval_sha256: str, person: Person, reason: str, now: str) -> Decided:
    nonce = secrets.token_bytes(NONCE_BYTES)
    withdrawal = Withdrawal(person.key.public, now, nonce, approval_sha256, person.name, reason)
    return Decided(sign(withdrawal, person.key), withdrawal)


def _names_of(desk: Desk, leaves: Collection[str]) -> tuple[str, ...]:
    from mizheng.verifier.record import parse_record

    return tuple(printable(parse_record(record).name) for record in records_of(desk, leaves))


def _leaves(opening: Opening, places: Collection[int]) -> tuple[str, ...]:
    return tuple(sorted(leaf_hash(opening.opened[place].record).hex() for place in places))


def _asked(request: Signed) -> Request:
    assert isinstance(request.document, Request)  # noqa: S101 - Desk.find_request gives nothing else
    return request.document


def _other_name(name: str) -> UsageFault:
    return UsageFault("your key is that of {person}", "leave --by out", person=name)
