"""Pages of company and appraiser: what each sees, what each can do, and nothing of another's."""

from __future__ import annotations

import hashlib
import secrets

from mizheng.notary.people.permissions import Role
from mizheng.verifier.access import Access, Counted, parse_access
from mizheng.verifier.signature import PrivateKey

from tests.notary.access.conftest import LawfulWorld
from tests.support.custody import Chain, party
from tests.support.lawful import AT, BASIS, END, LEAVES, make_refusal, make_withdrawal

MATTER = "(2026)示01民初9号"


def test_from_the_request_to_the_disclosure(world: LawfulWorld) -> None:
    company = world.has[0]
    _appraiser, expert = world.enter(Role.APPRAISER)
    _admin, admin = world.enter(Role.COMPANY_OPERATOR, company=company.number)
    request = world.ask(company, matter=MATTER, ends_at="2099-01-01T00:00:00Z")
    sha256 = hashlib.sha256(request).hexdigest()
    expert.get("/requests")
    assert "Content of the request file" in world.enter(Role.CLERK)[1].get("/en/requests").text
    lodged = expert.post("/requests", document=request.decode())
    assert (lodged.status_code, lodged.headers["location"]) == (303, f"/requests/{sha256}")
    assert MATTER in expert.get("/requests").text
    seen = admin.get(f"/en/requests/{sha256}").text
    for text in (MATTER, BASIS, "鉴定人甲", "不复制", world.asking.public.keyid, "open"):
        assert text in seen
    approval = company.decide(request, conditions="不得带出")
    assert admin.post(f"/requests/{sha256}", document=f"\r\n{approval.decode()}\r\n").status_code == 303
    assert "不得带出" in expert.get(f"/requests/{sha256}").text
    key = PrivateKey.generate()
    look = Access(
        key.public,
        AT,
        secrets.token_bytes(32),
        sha256,
        (Counted(hashlib.sha256(approval).hexdigest(), "张三", company.approver.public.keyid),),
        1,
        "cd" * 32,
        LEAVES[:2],
        (),
        END,
    ).sign(key)
    assert admin.post(f"/requests/{sha256}", document=look.decode()).status_code == 303
    gone = make_withdrawal(company.approver, parse_access(approval)).sign(company.approver)
    assert admin.post(f"/requests/{sha256}", document=gone.decode()).status_code == 303
    told = admin.get("/en/disclosures").text
    for text in (MATTER, BASIS, "鉴定人甲", "张三", END, "withdrawn", AT):
        assert text in told
    event = Chain(company.deposit).event("opening", party(key, "保管人乙")).sign(key)
    assert world.api(company, "POST", "/documents", event).status_code == 201
    listed = admin.get("/en/deposits").text
    assert company.deposit[:16] in listed
    whole = admin.get(f"/en/deposits/{company.deposit}").text
    for text in (MATTER, "保管人乙", "looked at", "custody", "deposited"):
        assert text in whole
    assert "active" in admin.get("/en/keys").text


def test_nobody_sees_anothers(world: LawfulWorld) -> None:
    owner, other = world.has
    _lodger, expert = world.enter(Role.APPRAISER)
    request = world.ask(owner, matter="(2026)只此一家1号")
    sha256 = hashlib.sha256(request).hexdigest()
    expert.get("/requests")
    assert expert.post("/requests", document=request.decode()).status_code == 303
    for browser in (
        world.enter(Role.APPRAISER)[1],
        world.enter(Role.CLERK)[1],
        world.enter(Role.COMPANY_ADMIN, company=other.number)[1],
    ):
        assert "只此一家" not in browser.get("/requests").text
        missing = browser.get(f"/requests/{'ab' * 32}")
        assert (browser.get(f"/requests/{sha256}").status_code, missing.status_code) == (404, 404)
    _admin, stranger = world.enter(Role.COMPANY_ADMIN, company=other.number)
    assert stranger.get(f"/deposits/{owner.deposit}").status_code == 404
    stranger.get("/requests")
    assert stranger.post(f"/requests/{sha256}", document=owner.decide(request).decode()).status_code == 404
    # An appraiser decides nothing, a company asks nothing.
    expert.get(f"/requests/{sha256}")
    assert expert.post(f"/requests/{sha256}", document=owner.decide(request).decode()).status_code == 404
    assert stranger.post("/requests", document=request.decode()).status_code == 404


def test_what_is_pasted_wrong_is_said(world: LawfulWorld) -> None:
    company = world.has[0]
    _appraiser, expert = world.enter(Role.APPRAISER)
    _admin, admin = world.enter(Role.COMPANY_ADMIN, company=company.number)
    expert.get("/en/requests")
    nonsense = expert.post("/en/requests", document="<script>alert(1)</script>")
    assert nonsense.status_code == 422
    assert "not the content of a file" in nonsense.text
    assert "<script>alert" not in nonsense.text
    first, second = world.ask(company), world.ask(company, name="<b>甲</b>")
    for request in (first, second):
        assert expert.post("/en/requests", document=request.decode()).status_code == 303
    page = f"/en/requests/{hashlib.sha256(second).hexdigest()}"
    assert "<b>甲" not in admin.get(page).text
    refusal = make_refusal(company.approver, parse_access(first)).sign(company.approver)
    wrong = admin.post(page, document=refusal.decode())
    assert wrong.status_code == 422
    assert "not a decision on this request" in wrong.text
