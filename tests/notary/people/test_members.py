"""Pages of members, API keys and the audit log, and what tenants learn of each other there: nothing."""

from __future__ import annotations

import re

import pytest
from mizheng.notary.companies.api_keys import authenticate
from mizheng.notary.companies.organisations import issue_api_key
from mizheng.notary.database import reading, writing
from mizheng.notary.errors import Problem
from mizheng.notary.models import api_keys
from mizheng.notary.people.members import invite
from mizheng.notary.people.permissions import SCOPES, Action, Role
from sqlalchemy import select

from tests.notary.people.conftest import Browser, World


def invited(browser: Browser) -> str:
    """The code of the invitation that the page shows."""
    found = re.search(r"https://notary\.example(?:/en)?/join#([\w-]+)", browser.page)
    assert found, browser.page
    return found[1]


def test_a_company_s_administrator_brings_in_a_colleague(world: World) -> None:
    company = world.companies[0]
    _, admin = world.enter(Role.COMPANY_ADMIN, company=company, name="管理员")
    admin.get("/members")
    assert admin.post("/members", name="工号 0042").status_code == 200
    colleague = world.browser()
    assert colleague.join(invited(admin)).status_code == 303
    pseudonym = re.search(r"<code>(\w{12})</code>", colleague.page)
    assert pseudonym
    assert colleague.get("/members").status_code == 404
    base = f"/members/{pseudonym[1]}"
    assert admin.post(f"{base}/grant", role="company-admin").status_code == 303
    assert colleague.get("/members").status_code == 200
    assert admin.post(f"{base}/revoke", role="company-admin").status_code == 303
    assert colleague.get("/members").status_code == 404
    assert admin.post(f"{base}/log-out").status_code == 303
    assert colleague.get("/account").status_code == 303
    assert admin.post(f"{base}/disable").status_code == 303
    assert colleague.log_in().status_code == 403
    assert admin.post(f"{base}/enable").status_code == 303
    assert colleague.log_in().status_code == 303


def test_the_notary_s_three_at_work(world: World) -> None:
    """One makes the account, another gives the right, the third reads of both."""
    maker, system = world.enter(Role.SYSTEM_ADMIN)
    giver, security = world.enter(Role.SECURITY_ADMIN)
    _, audit = world.enter(Role.AUDIT_ADMIN)
    system.get("/members")
    system.post("/members", name="鉴定人 07", company="")
    appraiser = world.browser()
    appraiser.join(invited(system))
    pseudonym = re.search(r"<code>(\w{12})</code>", appraiser.page)
    assert pseudonym
    base = f"/members/{pseudonym[1]}"
    assert system.post(f"{base}/grant", role="appraiser").status_code == 404
    security.get("/members")
    assert security.post("/members", name="x").status_code == 404
    assert security.post(f"{base}/grant", role="appraiser").status_code == 303
    assert security.post(f"{base}/grant", role="audit-admin").status_code == 404
    page = audit.get("/audit-log").text
    assert maker.actor in page and giver.actor in page and "role.grant" in page
    assert world.acts(1)[0][0] == "audit-log.read"
    for browser in (system, security):
        assert browser.get("/audit-log").status_code == 404


@pytest.mark.parametrize("last", ["disable", "invite", "grant", "revoke", "enable"])
def test_nobody_changes_himself(world: World, last: str) -> None:
    member, browser = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    browser.get("/members")
    answer = browser.post(f"/members/{member.pseudonym}/{last}", role="company-operator")
    assert answer.status_code in (404, 422)
    assert world.reload(member).roles == {Role.COMPANY_ADMIN}


@pytest.mark.parametrize("role", [Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN])
@pytest.mark.parametrize("last", ["disable", "invite", "log-out", "grant", "revoke"])
def test_none_of_the_three_has_power_over_another(world: World, role: Role, last: str) -> None:
    other, theirs = world.enter(role)
    for own in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
        _, browser = world.enter(own)
        browser.get("/members")
        answer = browser.post(f"/members/{other.pseudonym}/{last}", role=role.value)
        assert answer.status_code == 404
    assert theirs.get("/account").status_code == 200


def test_who_makes_accounts_cannot_become_somebody_with_rights(world: World) -> None:
    """An invitation makes its holder the member, with all his roles."""
    appraiser, _ = world.enter(Role.APPRAISER)
    company, _ = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    nobody, _ = world.add()
    _, system = world.enter(Role.SYSTEM_ADMIN)
    system.get("/members")
    answers = [
        system.post(f"/members/{member.pseudonym}/invite").status_code
        for member in (appraiser, company, nobody)
    ]
    assert answers == [404, 404, 200]


def test_a_right_is_given_to_who_is_there_and_ends_open_invitations(world: World) -> None:
    """Otherwise whoever made the account could use its code once it is worth something."""
    member, code = world.add()
    _, security = world.enter(Role.SECURITY_ADMIN)
    security.get("/members")
    grant = f"/members/{member.pseudonym}/grant"
    assert security.post(grant, role="clerk").status_code == 422
    assert world.browser().join(code).status_code == 303
    with writing(world.instance.engine) as connection:
        kept = invite(connection, member)
    assert security.post(grant, role="clerk").status_code == 303
    assert world.browser().post("/join", code=kept).status_code == 422


# Tenants


@pytest.mark.parametrize("last", ["disable", "enable", "invite", "grant", "revoke", "log-out"])
def test_a_member_of_another_company_is_as_if_he_were_not(world: World, last: str) -> None:
    foreign, theirs = world.enter(Role.COMPANY_OPERATOR, company=world.companies[1], name="别家的人")
    _, admin = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    assert "别家的人" not in admin.get("/members").text
    answers = [
        admin.post(f"/members/{pseudonym}/{last}", role="company-admin")
        for pseudonym in (foreign.pseudonym, "nobodynobody")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text.replace(foreign.pseudonym, "nobodynobody") == answers[1].text
    assert {**answers[0].headers, "content-length": ""} == {**answers[1].headers, "content-length": ""}
    assert theirs.get("/account").status_code == 200
    assert world.reload(foreign).roles == {Role.COMPANY_OPERATOR}


def test_a_company_cannot_put_somebody_into_another(world: World) -> None:
    _, admin = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    admin.get("/members")
    assert admin.post("/members", name="内应", company=str(world.companies[1])).status_code == 200
    _, other = world.enter(Role.COMPANY_ADMIN, company=world.companies[1])
    assert "内应" not in other.get("/members").text
    assert "内应" in admin.get("/members").text


def test_nobody_makes_accounts_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, admin = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    _, other = world.enter(Role.COMPANY_ADMIN, company=world.companies[1])
    monkeypatch.setattr("mizheng.notary.people.members.MAX_MEMBERS", 1)
    admin.get("/members")
    assert admin.post("/members", name="再一个").status_code == 422
    assert "再一个" not in other.get("/members").text + admin.get("/members").text


def test_another_company_s_api_key(world: World) -> None:
    with writing(world.instance.engine) as connection:
        key = issue_api_key(connection, world.companies[1], 1)
        number = connection.execute(select(api_keys.c.id).where(api_keys.c.prefix == key.prefix)).scalar_one()
    _, admin = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    assert key.prefix not in admin.get("/api-keys").text
    name = admin.handle("api-key", number)
    answers = [admin.post(f"/api-keys/{handle}/end") for handle in (name, "nobodys")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text.replace(f"/{name}/", "/nobodys/") == answers[1].text
    with reading(world.instance.engine) as connection:
        authenticate(connection, f"Bearer {key.secret}")


# API keys


def test_an_api_key_with_scopes_from_the_page(world: World) -> None:
    _, admin = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    admin.get("/api-keys")
    for scope in SCOPES:
        assert f'name="{scope.value}"' in admin.page, (
            "what the page does not offer is had on the command line alone"
        )
    assert admin.post("/api-keys", days="30").status_code == 422
    assert admin.post("/api-keys", days="0", read="1").status_code == 422
    made = admin.post("/api-keys", days="30", read="1")
    secret = re.search(r"mzk_[\w-]{43}", made.text)
    assert secret
    assert secret[0] not in admin.get("/api-keys").text
    with reading(world.instance.engine) as connection:
        caller = authenticate(connection, f"Bearer {secret[0]}")
        row = connection.execute(select(api_keys).where(api_keys.c.id == caller.api_key_id)).one()
    assert row.expires_at - row.created_at == 30 * 86400
    caller.require(Action.DEPOSITS_READ)
    with pytest.raises(Problem) as error:
        caller.require(Action.DEPOSIT)
    assert error.value.code == "scope-missing"
    assert admin.post(f"/api-keys/{admin.handle('api-key', caller.api_key_id)}/end").status_code == 303
    with reading(world.instance.engine) as connection, pytest.raises(Problem):
        authenticate(connection, f"Bearer {secret[0]}")


def test_a_key_of_before_there_were_scopes_does_everything(world: World) -> None:
    with writing(world.instance.engine) as connection:
        key = issue_api_key(connection, world.companies[0], None)
        row = connection.execute(select(api_keys).where(api_keys.c.prefix == key.prefix)).one()
        caller = authenticate(connection, f"Bearer {key.secret}")
    assert row.scopes is None
    for action in (Action.DEPOSIT, Action.DEPOSITS_READ, Action.KEY_ENROL):
        caller.require(action)
