"""What a request, its approvals, refusals and withdrawals allow together, at one moment.

1. The request is of this deposit, and nobody refused it.
2. An approval counts if it names this request, its key is one that the company lets approve, and it names
   the person that the company knows that key as; the requester approves nothing. Of one person the last one
   counts.
3. It counts no longer once it is withdrawn.
4. At this moment as many persons with as many keys as are needed have an approval whose term it is, and the
   request's own term has not ended.
5. What is allowed is what every one of these allows, for as long as all of them do.

A refusal and a withdrawal count whoever may approve now: who left the company does not make them undone.
Whose they were is looked at when they are taken in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .access import Approval, Counted, Refusal, Request, Signed, Withdrawal
from .canonical import parse_instant
from .errors import ProofError


class NotPermittedError(ProofError):
    """Nothing may be shown on this request now. `reason` is a word for programs."""

    def __init__(self, reason: str, message: str, **values: object) -> None:
        super().__init__(message, "", **values)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be shown."""

    request: Request
    records: frozenset[str]
    """Leaf hashes, hex."""
    originals: frozenset[str]
    ends_at: str
    approvals: tuple[Counted, ...]
    conditions: tuple[str, ...]


def judge(
    request: Signed,
    decisions: Iterable[Signed],
    *,
    envelope_sha256: str,
    approvers: Mapping[str, str],
    needed: int,
    now: int,
) -> Permit:
    """The permit; NotPermittedError when there is none.

    `decisions`: in the order in which they came. `approvers`: keyid to person, as the company has them.
    `needed`: how many different persons have to approve. `now`: seconds since 1970.
    """
    asked = request.document
    if not isinstance(asked, Request):
        raise NotPermittedError("no-request", "this is no request")
    if asked.envelope_sha256 != envelope_sha256:
        raise NotPermittedError("other-deposit", "the request is for another deposit")
    decided = list(decisions)
    for item in decided:
        if isinstance(item.document, Refusal) and item.document.request_sha256 == request.sha256:
            raise NotPermittedError("refused", "the request was refused by {person}", person=_person(item))
    given = _approvals(request, asked, decided, approvers)
    withdrawn = {item.document.approval_sha256 for item in decided if isinstance(item.document, Withdrawal)}
    standing = {name: item for name, item in given.items() if item.sha256 not in withdrawn}
    _require(len(standing), needed, is_withdrawn=len(given) >= needed)
    if now >= parse_instant(asked.ends_at):
        raise NotPermittedError("expired", "the request's term ended at {at}", at=asked.ends_at)
    current = [item for item in standing.values() if _is_current(item.document, now)]
    if len(current) < needed:
        _refuse_outside(standing.values(), now)
    approvals = [item.document for item in current if isinstance(item.document, Approval)]
    records = frozenset.intersection(*(frozenset(item.records) for item in approvals))
    originals = frozenset.intersection(*(frozenset(item.originals) for item in approvals))
    if not records:
        raise NotPermittedError("nothing", "the approvals have no record in common")
    return Permit(
        asked,
        records,
        originals if asked.wants_originals else frozenset(),
        min(asked.ends_at, *(item.ends_at for item in approvals), key=parse_instant),
        tuple(Counted(item.sha256, _person(item), item.document.public_key.keyid) for item in current),
        tuple(item.conditions for item in approvals if item.conditions is not None),
    )


def same_person(one: str, other: str) -> bool:
    """Whether two names are one to a reader: case, width, spaces at the ends, what cannot be seen."""
    return _folded(one) == _folded(other)


def _approvals(
    request: Signed, asked: Request, decided: list[Signed], approvers: Mapping[str, str]
) -> dict[str, Signed]:
    """The last approval of each person. A key is one person's only, because `approvers` has it once."""
    given: dict[str, Signed] = {}
    for item in decided:
        key = item.document.public_key
        if not isinstance(item.document, Approval) or item.document.request_sha256 != request.sha256:
            continue
        known = approvers.get(key.keyid)
        if known is None or not same_person(known, item.document.person):
            continue
        if key == asked.public_key or same_person(item.document.person, asked.name):
            continue
        given[_folded(item.document.person)] = item
    return given


def _require(count: int, needed: int, *, is_withdrawn: bool) -> None:
    if count >= needed:
        return
    if is_withdrawn:
        raise NotPermittedError("withdrawn", "an approval was withdrawn: too few are left")
    raise NotPermittedError(
        "not-enough",
        "{count} of {needed} approvals by different persons with different keys",
        count=count,
        needed=needed,
    )


def _is_current(document: object, now: int) -> bool:
    assert isinstance(document, Approval)  # noqa: S101 - only approvals are asked about
    return parse_instant(document.starts_at) <= now < parse_instant(document.ends_at)


def _refuse_outside(approvals: Iterable[Signed], now: int) -> None:
    documents = [item.document for item in approvals if isinstance(item.document, Approval)]
    later = [item.starts_at for item in documents if parse_instant(item.starts_at) > now]
    if later:
        raise NotPermittedError("not-yet", "an approval holds only from {at} on", at=max(later))
    ended = [item.ends_at for item in documents if parse_instant(item.ends_at) <= now]
    raise NotPermittedError("expired", "an approval's term ended at {at}", at=min(ended))


def _person(item: Signed) -> str:
    assert isinstance(item.document, (Approval, Refusal))  # noqa: S101 - only these are asked about
    return item.document.person


def _folded(name: str) -> str:
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(seen.split())).casefold()
