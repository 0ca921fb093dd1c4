"""Refused requests are in the audit log: who asked, for what, and why not; and they fill nothing."""

from __future__ import annotations

import pytest
from mizheng.notary.auditing.checking import check_audit_log
from mizheng.notary.auditing.refusals import PER_MINUTE, Refusals
from mizheng.notary.companies.organisations import issue_api_key
from mizheng.notary.database import reading, writing
from mizheng.notary.people.permissions import Role
from mizheng.notary.people.sessions import open_session

from tests.notary.people.conftest import World


def refused(actor: str, subject: str, reason: str) -> tuple[str, str, str, str]:
    return ("request.refuse", actor, subject, f'{{"reason":"{reason}"}}')


def test_a_page_that_is_not_for_his_role(world: World) -> None:
    member, browser = world.enter(Role.COMPANY_OPERATOR, company=world.companies[0])
    browser.get("/members")
    assert world.acts(1) == [refused(member.actor, "action:members.view", "no-right")]
    browser.get("/account")
    browser.post("/members", name="不该有的人")
    assert world.acts(1) == [refused(member.actor, "action:member.add", "no-right")]


@pytest.mark.parametrize(
    ("path", "action"),
    [(f"/deposits/{'ab' * 32}", "company.view"), (f"/requests/{'ab' * 32}", "access.view")],
)
def test_what_is_not_there_or_somebody_else_s(world: World, path: str, action: str) -> None:
    """Whoever tries other companies' numbers is seen, though nobody tells him whether he hit one."""
    member, browser = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    browser.get(path)
    assert world.acts(1) == [refused(member.actor, f"action:{action}", "not-there")]


@pytest.mark.parametrize("last", ["disable", "invite", "grant"])
def test_a_member_of_another_company(world: World, last: str) -> None:
    foreign, _ = world.enter(Role.COMPANY_OPERATOR, company=world.companies[1])
    member, browser = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    browser.get("/members")
    browser.post(f"/members/{foreign.pseudonym}/{last}", role="company-admin")
    ((action, actor, subject, detail),) = world.acts(1)
    assert (action, actor, detail) == ("request.refuse", member.actor, '{"reason":"not-there"}')
    assert subject.startswith("action:")


def test_a_role_that_is_not_his_to_give(world: World) -> None:
    other, _ = world.enter(Role.COMPANY_OPERATOR, company=world.companies[0])
    member, browser = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    browser.get("/members")
    assert browser.post(f"/members/{other.pseudonym}/grant", role="audit-admin").status_code == 404
    assert world.acts(1) == [refused(member.actor, "action:role.change", "not-there")]


def test_with_one_factor(world: World) -> None:
    member, _ = world.add(Role.AUDIT_ADMIN)
    with writing(world.instance.engine) as connection:
        token = open_session(connection, member, "oidc", is_strong=False, replaces=None)
    browser = world.browser()
    browser.client.cookies.set("__Host-mizheng", token, domain="notary.example")
    browser.get("/audit-log")
    assert world.acts(1) == [refused(member.actor, "action:audit-log.read", "one-factor")]


def test_a_form_of_another_site_or_another_session(world: World) -> None:
    member, browser = world.enter(Role.CLERK)
    browser.post("/logout", origin="https://evil.example")
    assert world.acts(1) == [refused(member.actor, "action:session.end", "other-site")]
    browser.post("/logout", csrf="0" * 64)
    assert world.acts(1) == [refused(member.actor, "action:session.end", "other-form")]
    world.browser().post("/join", origin="https://evil.example", code="x")
    assert world.acts(1) == [refused("nobody", "login", "other-site")]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/deposits"), ("POST", "/v1/deposits")])
def test_an_api_key_that_may_not(world: World, method: str, path: str) -> None:
    company = world.companies[0]
    with writing(world.instance.engine) as connection:
        key = issue_api_key(connection, company, 1, ["webhooks"])
    client = world.browser().client
    assert client.request(method, path, headers={"Authorization": f"Bearer {key.secret}"}).status_code == 403
    ((action, actor, subject, detail),) = world.acts(1)
    wanted = "deposit" if method == "POST" else "deposits.read"
    assert (action, actor) == ("request.refuse", f"organisation:{company}")
    assert (subject.split(":")[0], detail) == ("api-key", f'{{"reason":"scope-missing {wanted}"}}')
    assert key.secret not in str(world.acts(5))


@pytest.mark.parametrize("path", ["/v1/deposits", "/v1/organisation"])
def test_an_api_key_that_nobody_has(world: World, path: str) -> None:
    client = world.browser().client
    before = world.acts(1)
    assert client.get(path).status_code == 401
    assert world.acts(1) == before, "who sent none has tried nothing"
    assert client.get(path, headers={"Authorization": "Bearer mzk_" + "x" * 43}).status_code == 401
    assert world.acts(1) == [("api-key.refuse", "nobody", "notary", '{"reason":"api-key-wrong"}')]


def test_a_flood_fills_nothing_and_hides_nobody(world: World) -> None:
    member, browser = world.enter(Role.CLERK)
    now = [0.0]
    refusals = world.service.refusals = Refusals(world.instance.engine, clock=lambda: now[0])
    before = len(world.acts(10_000))
    stranger = world.browser()
    for _ in range(PER_MINUTE + 5):
        stranger.post("/join", code="wrong")
    assert len(world.acts(10_000)) - before == PER_MINUTE
    browser.get("/members")
    assert world.acts(1) == [refused(member.actor, "action:members.view", "no-right")]
    now[0] = 60.0
    refusals.note("login.fail", "notary", reason="again")
    assert world.acts(1)[0][3] == '{"reason":"again","unwritten":5}'
    with reading(world.instance.engine) as connection:
        check_audit_log(connection)
