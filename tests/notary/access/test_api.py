"""Requests lodged and answered by programs: who sees what, and what is refused."""

from __future__ import annotations

import base64

import pytest
from mizheng.notary.access import kept
from mizheng.notary.database import writing
from mizheng.notary.errors import Problem
from mizheng.notary.people.permissions import Role
from mizheng.verifier.access import parse_access
from mizheng.verifier.signature import PrivateKey

from tests.notary.access.conftest import LawfulWorld
from tests.support.custody import Chain, party
from tests.support.lawful import make_refusal, make_request, make_withdrawal


def test_lodged_listed_answered(world: LawfulWorld) -> None:
    """A court's system, which has a key of its own, asks; the company fetches it and shows its decision."""
    court, company = world.has[1], world.has[0]
    request = world.ask(company, matter="(2026)示01民初7号", ends_at="2099-01-01T00:00:00Z")
    lodged = world.api(court, "POST", "/requests", request)
    assert lodged.status_code == 201, lodged.text
    sha256 = lodged.json()["sha256"]
    assert world.acts(1) == [("access.lodge", f"organisation:{court.number}", f"request:{sha256[:16]}", "{}")]
    assert world.api(court, "POST", "/requests", request).status_code == 200
    listed = world.api(company, "GET", "/requests?limit=200").json()["items"]
    assert [item["matter"] for item in listed if item["sha256"] == sha256] == ["(2026)示01民初7号"]
    whole = world.api(company, "GET", f"/requests/{sha256}").json()
    assert base64.b64decode(whole["document"]) == request
    assert (whole["state"], whole["shown"]) == ("open", [])

    approval = company.decide(request)
    shown = world.api(company, "POST", "/documents", approval)
    assert (shown.status_code, shown.json()["kind"]) == (201, "access-approval")
    assert world.api(company, "POST", "/documents", approval).status_code == 200
    seen = world.api(court, "GET", f"/requests/{sha256}").json()
    assert seen["state"] == "approved"
    assert [base64.b64decode(item["document"]) for item in seen["shown"]] == [approval]
    withdrawal = make_withdrawal(company.approver, parse_access(approval)).sign(company.approver)
    assert world.api(company, "POST", "/documents", withdrawal).status_code == 201
    assert world.api(court, "GET", f"/requests/{sha256}").json()["state"] == "withdrawn"


def test_another_company_sees_and_answers_nothing(world: LawfulWorld) -> None:
    """Not even that there is a request; a number that nobody has is answered in the same words."""
    owner, other = world.has
    request = world.ask(owner, scope="别家看不到")
    clerk = world.add(Role.CLERK)[0]
    with writing(world.instance.engine) as connection:
        found, _new = kept.lodge(connection, request, kept.Party(member_id=clerk.id))
    nobodys = world.api(other, "GET", f"/requests/{'ab' * 32}")
    others = world.api(other, "GET", f"/requests/{found.sha256}")
    assert (others.status_code, others.json()) == (404, nobodys.json())
    assert not [
        i for i in world.api(other, "GET", "/requests").json()["items"] if i["sha256"] == found.sha256
    ]
    for document in (
        owner.decide(request),
        make_refusal(other.approver, parse_access(request)).sign(other.approver),
    ):
        answer = world.api(other, "POST", "/documents", document)
        assert (answer.status_code, answer.json()["type"]) == (
            404,
            "urn:mizheng:problem:access-request-unknown",
        )
    assert world.api(owner, "GET", f"/requests/{found.sha256}").json()["shown"] == []


def test_what_became_of_a_request_is_told_to_whoever_lodged_it(world: LawfulWorld) -> None:
    """Another company that has its bytes is not told whether it was approved, nor by whom it was lodged."""
    owner, other = world.has
    request = world.ask(owner, scope="经手人也有一份")
    appraiser, browser = world.enter(Role.APPRAISER)
    with writing(world.instance.engine) as connection:
        kept.lodge(connection, request, kept.Party(member_id=appraiser.id))
    assert world.api(owner, "POST", "/documents", owner.decide(request)).status_code == 201
    answer = world.api(other, "POST", "/requests", request)
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:mizheng:problem:access-request-elsewhere",
    )
    assert "approved" not in answer.text
    assert world.api(owner, "POST", "/requests", request).json()["state"] == "approved"
    browser.get("/requests")
    assert browser.post("/requests", document=request.decode()).status_code == 303
    colleague = world.enter(Role.APPRAISER)[1]
    colleague.get("/requests")
    assert colleague.post("/requests", document=request.decode()).status_code == 422


def test_a_custody_event_is_shown_of_ones_own_deposit_alone(world: LawfulWorld) -> None:
    owner, other = world.has
    key = PrivateKey.generate()
    event = Chain(owner.deposit).event("opening", party(key, "保管人")).sign(key)
    assert world.api(other, "POST", "/documents", event).status_code == 404
    assert world.api(owner, "POST", "/documents", event).json()["kind"] == "custody"


@pytest.mark.parametrize("broken", ["nothing", "changed", "approval", "unknown deposit", "other file"])
def test_what_is_no_request_is_refused(world: LawfulWorld, broken: str) -> None:
    company = world.has[0]
    request = world.ask(company)
    body = {
        "nothing": b"",
        "changed": request.replace(b'"sig":"', b'"sig":"A', 1),
        "approval": company.decide(request),
        "unknown deposit": make_request(world.asking, envelope_sha256="cd" * 32).sign(world.asking),
        "other file": b"{}",
    }[broken]
    answer = world.api(company, "POST", "/requests", body)
    expected = (404, "deposit-unknown") if broken == "unknown deposit" else (422, "access-document-wrong")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == expected


def test_nobody_fills_a_companys_list(world: LawfulWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    company = world.has[0]
    party = kept.Party(member_id=world.add(Role.APPRAISER)[0].id)
    monkeypatch.setattr(kept, "MAX_REQUESTS_A_DAY", 2)
    with writing(world.instance.engine) as connection:
        for _ in range(2):
            kept.lodge(connection, world.ask(company), party)
        with pytest.raises(Problem) as caught:
            kept.lodge(connection, world.ask(company), party)
    assert caught.value.code == "access-limit"


def test_pages_of_the_list_follow_one_another(world: LawfulWorld) -> None:
    company = world.has[1]
    lodged = [world.api(company, "POST", "/requests", world.ask(company)).json()["sha256"] for _ in range(3)]
    first = world.api(company, "GET", "/requests?limit=2").json()
    second = world.api(company, "GET", f"/requests?limit=2&after={first['next']}").json()
    assert [item["sha256"] for item in (*first["items"], *second["items"])] == lodged
    assert second["next"] is None
    # Nothing in it tells how many requests others have; and another one's is none.
    assert first["next"] == lodged[1]
    other = world.api(world.has[0], "GET", f"/requests?after={lodged[1]}")
    assert (other.status_code, other.json()["type"]) == (422, "urn:mizheng:problem:cursor-wrong")
    assert world.api(company, "GET", "/requests?after=1").status_code == 422
