"""Requests to see records: an appraiser or a court lodges one, its company shows what it decided.

What needs a key is made on the command line: a page takes what `mizheng access` signed, and shows it.
"""

from __future__ import annotations

from typing import Any

from mizheng.notary.access import finding, kept
from mizheng.notary.auditing.recording import record
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.pages.people.guard import Call
from mizheng.verifier.access import Access, Approval, Refusal, Withdrawal
from mizheng.verifier.custody import Custody
from mizheng.verifier.words import N_
from sqlalchemy import Connection
from starlette.responses import Response

# The newest of them; programs page through all.
_SHOWN = 200

STATE_NAMES = {
    "open": N_("open"),
    "approved": N_("approved"),
    "refused": N_("refused"),
    "withdrawn": N_("withdrawn"),
    "expired": N_("expired"),
}
KIND_NAMES = {
    Approval.KIND: N_("approved"),
    Refusal.KIND: N_("refused"),
    Withdrawal.KIND: N_("withdrawn"),
    Access.KIND: N_("looked at"),
    kept.CUSTODY: N_("custody"),
}
ROLE_WORDS = {
    "court": N_("court"),
    "appraiser": N_("appraiser"),
    "authority": N_("authority"),
    "lawyer": N_("lawyer"),
    "other": N_("other"),
}


def party_of(call: Call) -> kept.Party:
    """A company's member sees what is his company's, another what he lodged himself."""
    member = call.known.member
    if member.organisation_id is not None:
        return kept.Party(organisation_id=member.organisation_id)
    return kept.Party(member_id=member.id)


def show_requests(call: Call, said: str = "", status: int = 200) -> Response:
    """By matter, the newest first."""
    with reading(call.visit.service.engine) as connection:
        found = finding.list_newest_requests(connection, party_of(call), _SHOWN)
        states = finding.states_of(connection, found)
    matters: dict[str, list[dict[str, Any]]] = {}
    for item in found:
        told = {"lodged": item, "asked": item.request, "state": STATE_NAMES[states[item.id]]}
        matters.setdefault(item.request.matter, []).append(told)
    return call.show(
        "requests.html",
        status,
        place="requests",
        matters=matters,
        roles=ROLE_WORDS,
        said=call.visit.say(said) if said else "",
    )


def lodge(call: Call) -> Response:
    """Take a request file's content."""
    member = call.known.member
    try:
        with writing(call.visit.service.engine) as connection:
            found, is_new = kept.lodge(connection, _pasted(call), kept.Party(member_id=member.id))
            if is_new:
                record(connection, "access.lodge", f"request:{found.sha256[:16]}", actor=member.actor)
    except Problem as problem:
        return show_requests(call, _words(problem), 422)
    return call.go(f"/requests/{found.sha256}")


def show_request(call: Call, said: str = "", status: int = 200) -> Response:
    """One request with all that its company shows of it."""
    with reading(call.visit.service.engine) as connection:
        found = _find(call, connection)
        shown = finding.documents_of(connection, found)
    return call.show(
        "request.html",
        status,
        place="requests",
        lodged=found,
        asked=found.request,
        keyid=found.request.public_key.keyid,
        role=ROLE_WORDS[found.request.role],
        state=STATE_NAMES[finding.state_of(found, shown)],
        events=[describe(item) for item in shown],
        said=call.visit.say(said) if said else "",
    )


def show_decision(call: Call) -> Response:
    """Take what somebody of the company decided, and show it to whoever lodged the request."""
    member = call.known.member
    with reading(call.visit.service.engine) as connection:
        found = _find(call, connection)
    if member.organisation_id is None:
        raise Problem("not-found")
    try:
        with writing(call.visit.service.engine) as connection:
            shown, is_new = kept.show_document(
                connection, member.organisation_id, _pasted(call), request_id=found.id
            )
            if is_new:
                record(connection, "access.show", f"document:{shown.sha256[:16]}", actor=member.actor)
    except Problem as problem:
        return show_request(call, _words(problem), 422)
    return call.go(f"/requests/{found.sha256}")


def describe(shown: kept.Shown) -> dict[str, Any]:
    """One document in a time line."""
    document = shown.document
    lines: list[tuple[str, object]] = []
    if isinstance(document, Custody):
        who, at, key = document.by.name, document.at, document.by.public_key
        lines = [(N_("what"), document.what), (N_("why"), document.why)]
        if document.to is not None:
            lines.append((N_("taken by"), document.to.name))
        return {"kind": KIND_NAMES[shown.kind], "who": who, "at": at, "keyid": key.keyid, "lines": lines}
    if isinstance(document, (Access, Approval)):
        lines = [
            (N_("records"), len(document.records)),
            (N_("of them with originals"), len(document.originals)),
        ]
    if isinstance(document, Access):
        who = ", ".join(item.person for item in document.approvals)
        lines.append((N_("until"), document.ends_at))
    elif isinstance(document, Approval):
        who = document.person
        lines += [(N_("from"), document.starts_at), (N_("until"), document.ends_at)]
        if document.conditions is not None:
            lines.append((N_("on condition"), document.conditions))
    else:
        assert isinstance(document, (Refusal, Withdrawal))  # noqa: S101 - all others were told
        who = document.person
        lines = [(N_("reason"), document.reason)]
    return {
        "kind": KIND_NAMES[shown.kind],
        "who": who,
        "at": document.created_at,
        "keyid": document.public_key.keyid,
        "lines": lines,
    }


def _pasted(call: Call) -> bytes:
    """The file's content; browsers and editors put line breaks to it."""
    return call.form.get("document", "").strip().encode("utf-8", "replace")


def _find(call: Call, connection: Connection) -> kept.Lodged:
    try:
        return finding.find_request(connection, party_of(call), call.visit.places["digest"])
    except Problem:
        raise Problem("not-found") from None


def _words(problem: Problem) -> str:
    return {
        "access-request-elsewhere": N_("Somebody else has lodged this request already."),
        "access-limit": N_("Too many in one day. Try again tomorrow."),
        "deposit-unknown": N_("No deposit of this notary is named in it."),
        "access-request-unknown": N_("It is not a decision on this request."),
    }.get(problem.code, N_("This is not the content of a file that mizheng access made."))
