"""What an access log says, for programs and people: who asked, who allowed, who saw what, until when."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mizheng.cli.access.desk import Desk
from mizheng.cli.access.looking import permit_of
from mizheng.cli.access.people import is_confirmed
from mizheng.cli.access.store import AccessLog, Line
from mizheng.cli.terminal.language import _
from mizheng.verifier.access import Access, Approval, Document, Refusal, Request, Signed, Withdrawal
from mizheng.verifier.permit import NotPermittedError

if TYPE_CHECKING:
    from mizheng.cli.disclosing.store import Kept

_STATES = {"not-enough": "pending", "nothing": "pending"}


def describe_requests(desk: Desk, now: int) -> list[dict[str, Any]]:
    """Every request with all that became of it, the oldest first."""
    return [describe_request(desk, number, item, now) for number, item in enumerate(desk.requests(), 1)]


def describe_request(desk: Desk, number: int, request: Signed, now: int) -> dict[str, Any]:
    """One request; `state` is approved, pending, refused, withdrawn, not-yet or expired, at `now`."""
    asked = request.document
    assert isinstance(asked, Request)  # noqa: S101 - a desk's requests are
    lines = list(desk.log.documents())
    decided = [(line, item) for line, item in lines if is_on(item.document, request.sha256)]
    allowed, reason = "approved", None
    try:
        permit = permit_of(desk, request, now)
        until = permit.ends_at
    except NotPermittedError as error:
        allowed, reason, until = _STATES.get(error.reason, error.reason), error, None
    return {
        "number": number,
        **describe_document(request),
        "confirmed": is_confirmed(desk.session.home, asked.public_key),
        "state": allowed,
        "reason": _(reason.message, **reason.values) if reason else None,
        "until": until,
        "needed": desk.session.config.approvals_needed,
        "approvals": [
            {**describe_document(item), **_kept(line), "withdrawn": _withdrawn(lines, item.sha256)}
            for line, item in decided
            if isinstance(item.document, Approval)
        ],
        "refusals": [
            {**describe_document(item), **_kept(line)}
            for line, item in decided
            if isinstance(item.document, Refusal)
        ],
        "looks": [
            {**describe_document(item), **_kept(line)}
            for line, item in decided
            if isinstance(item.document, Access)
        ],
        **{name: value for name, value in _kept(_line_of(lines, request)).items() if name != "names"},
    }


def describe_document(signed: Signed) -> dict[str, Any]:
    """Any document: its own fields, what kind it is, its digest, whose key signed it."""
    document = signed.document
    value: dict[str, Any] = {
        "kind": document.KIND,
        "sha256": signed.sha256,
        "keyid": document.public_key.keyid,
    }
    for name in (*document.TYPES, "created_at"):
        found = getattr(document, name)
        value[name] = list(found) if isinstance(found, tuple) else found
    if isinstance(document, Access):
        value["approvals"] = [
            {"sha256": item.sha256, "person": item.person, "keyid": item.keyid} for item in document.approvals
        ]
    return value


def describe_look(kept: Kept, log: AccessLog) -> dict[str, Any] | None:
    """Why somebody was shown something: of a disclosure made on a request. None where nobody had to ask."""
    if kept.request is None:
        return None
    lines = list(log.documents())
    digest = hashlib.sha256(kept.document).hexdigest()
    requests = [item.document for _line, item in lines if item.sha256 == kept.request]
    looks = [
        item.document
        for _line, item in lines
        if isinstance(item.document, Access) and item.document.disclosure_sha256 == digest
    ]
    if not looks or not requests or not isinstance(requests[0], Request):
        # A run that died before its look was kept; what was shown without one, `check_looks` has refused.
        return None
    asked, look = requests[0], looks[0]
    return {
        "request_sha256": kept.request,
        "matter": asked.matter,
        "basis": asked.basis,
        "requester": {"name": asked.name, "role": asked.role, "organisation": asked.organisation},
        "approvers": [item.person for item in look.approvals],
        "until": look.ends_at,
        "looked_at": look.created_at,
        "withdrawals": [
            found for item in look.approvals if (found := _withdrawn(lines, item.sha256)) is not None
        ],
    }


def is_on(document: Document, request_sha256: str) -> bool:
    """Whether it decides on this request or is a look that was given on it."""
    return isinstance(document, (Approval, Refusal, Access)) and document.request_sha256 == request_sha256


def _withdrawn(lines: list[tuple[Line, Signed]], approval_sha256: str) -> dict[str, Any] | None:
    for _line, item in lines:
        document = item.document
        if isinstance(document, Withdrawal) and document.approval_sha256 == approval_sha256:
            return {"person": document.person, "at": document.created_at, "reason": document.reason}
    return None


def _line_of(lines: list[tuple[Line, Signed]], signed: Signed) -> Line:
    return next(line for line, item in lines if item.sha256 == signed.sha256)


def _kept(line: Line) -> dict[str, Any]:
    return {
        "names": list(line.names),
        "record_state": line.state,
        "leaf_index": line.answer["leaf_index"] if line.answer else None,
        "received_at": line.answer["received_at"] if line.answer else None,
    }
