"""What a company has at the notary: deposits and how far they have come, keys, and looks that it shows."""

from __future__ import annotations

import re
from typing import Any

from mizheng.notary.access import finding, kept
from mizheng.notary.certificates.tables import certificates
from mizheng.notary.database import reading
from mizheng.notary.errors import Problem
from mizheng.notary.intake.listing import list_entries, state_at
from mizheng.notary.models import company_keys, deposits, entries
from mizheng.notary.pages.people.guard import Call
from mizheng.notary.pages.people.requests import STATE_NAMES, describe, party_of
from mizheng.verifier.access import Withdrawal
from mizheng.verifier.certificate_number import show_grouped
from mizheng.verifier.words import N_
from sqlalchemy import Connection, select
from starlette.responses import Response

_PAGE = 50
_LOOKS = 200
_PLACE = re.compile(r"0|[1-9][0-9]{0,17}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

REACHED = {"deposited": N_("deposited"), "anchored": N_("anchored"), "final": N_("final")}


def show_deposits(call: Call) -> Response:
    """In the order of the log, fifty at a time."""
    text = call.query.get("after", "")
    after = int(text) if _PLACE.fullmatch(text) else None
    company = company_of(call)
    with reading(call.visit.service.engine) as connection:
        found = list_entries(connection, deposits, company, state=None, after=after, limit=_PAGE + 1)
        numbers = _certificates(connection, [item["leaf_index"] for item in found])
        asked = finding.count_requests(connection, company, [item["id"] for item in found])
    rows = [
        {
            **item,
            "state": REACHED[item["state"]],
            "certificate": numbers.get(item["leaf_index"]),
            "requests": asked.get(item["id"], 0),
        }
        for item in found[:_PAGE]
    ]
    following = found[_PAGE - 1]["leaf_index"] if len(found) > _PAGE else None
    return call.show("deposits.html", place="deposits", rows=rows, following=following)


def show_deposit(call: Call) -> Response:
    """One deposit: its requests, and the time line of what the company shows."""
    company, digest = company_of(call), call.visit.places["digest"]
    if not _DIGEST.fullmatch(digest):
        raise Problem("not-found")
    wanted = entries.c.envelope_sha256 == bytes.fromhex(digest)
    query = (
        select(deposits.c.leaf_index, deposits.c.received_at)
        .select_from(deposits.join(entries, entries.c.leaf_index == deposits.c.leaf_index))
        .where(wanted, deposits.c.organisation_id == company)
    )
    with reading(call.visit.service.engine) as connection:
        row = connection.execute(query).first()
        if row is None:
            raise Problem("not-found")
        requests = finding.list_requests(connection, kept.Party(company), deposit=digest)
        states = finding.states_of(connection, requests)
        shown = finding.documents_of_deposit(connection, company, digest)
        state = state_at(connection, row.leaf_index)
        number = _certificates(connection, [row.leaf_index]).get(row.leaf_index)
    return call.show(
        "deposit.html",
        place="deposits",
        digest=digest,
        leaf_index=row.leaf_index,
        received_at=row.received_at,
        state=REACHED[state],
        certificate=number,
        requests=[(item, STATE_NAMES[states[item.id]]) for item in requests],
        events=[describe(item) for item in shown],
    )


def show_disclosures(call: Call) -> Response:
    """Who saw what, when, why, until when: of the looks that the company shows here."""
    with reading(call.visit.service.engine) as connection:
        looks = finding.looks_of(connection, company_of(call), _LOOKS)
        rows = []
        for look, request in looks:
            documents = finding.documents_of(connection, request)
            gone = [describe(item) for item in documents if item.kind == Withdrawal.KIND]
            rows.append({"look": describe(look), "asked": request.request, "lodged": request, "gone": gone})
    return call.show("disclosures.html", place="disclosures", rows=rows)


def show_keys(call: Call) -> Response:
    """Keys that sign for the company; the private parts are on its own machines."""
    query = select(company_keys).where(company_keys.c.organisation_id == company_of(call))
    with reading(call.visit.service.engine) as connection:
        rows = list(connection.execute(query.order_by(company_keys.c.enrolment_index)))
    return call.show("keys.html", place="keys", rows=rows)


def company_of(call: Call) -> int:
    """The member's company; as if nothing were there for who has none."""
    number = party_of(call).organisation_id
    if number is None:
        raise Problem("not-found")
    return number


def _certificates(connection: Connection, places: list[int]) -> dict[int, str]:
    """Numbers of issued certificates, by the deposit's place."""
    query = select(certificates.c.leaf_index, certificates.c.number).where(
        certificates.c.leaf_index.in_(places), certificates.c.number.is_not(None)
    )
    rows: list[Any] = list(connection.execute(query))
    return {row.leaf_index: show_grouped(row.number) for row in rows}
