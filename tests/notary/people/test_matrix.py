"""Role × route: every route of the application is in the list, and each role gets what the list says.

A route that somebody adds has to be put here, with who may have it; until then the first test fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from mizheng.notary.companies.organisations import issue_api_key
from mizheng.notary.database import reading, writing
from mizheng.notary.pages.people.routes import ROUTES, PeopleRoute
from mizheng.notary.people.members import Member
from mizheng.notary.people.permissions import (
    COMPANY_ROLES,
    MEMBER_ROLES,
    STRONG_ROLES,
    Action,
    Actor,
    Role,
    decide,
)
from mizheng.notary.people.sessions import csrf_token, open_session
from mizheng.notary.people.tables import passkeys
from sqlalchemy import select
from starlette.routing import Route

from tests.notary.people.conftest import ORIGIN, Browser, World

ANYBODY, ANY_KEY = "anybody", "any API key"
# Who may have a route of the API: a scope, any key, or anybody.
API: dict[tuple[str, str], str | Role] = {
    ("POST", "/v1/deposits"): Role.SCOPE_DEPOSIT,
    ("POST", "/v1/deposits:batch"): Role.SCOPE_DEPOSIT,
    ("GET", "/v1/deposits/{deposit_id}"): Role.SCOPE_READ,
    ("GET", "/v1/deposits/{deposit_id}/evidence"): Role.SCOPE_READ,
    ("POST", "/v1/deposits/{deposit_id}/urgent"): Role.SCOPE_DEPOSIT,
    ("POST", "/v1/deposits/{deposit_id}/certificate"): Role.SCOPE_DEPOSIT,
    ("GET", "/v1/deposits/{deposit_id}/certificate"): Role.SCOPE_READ,
    ("GET", "/v1/deposits/{deposit_id}/certificate.pdf"): Role.SCOPE_READ,
    ("PUT", "/v1/deposits/{deposit_id}/certificate/visibility"): Role.SCOPE_DEPOSIT,
    ("POST", "/v1/events"): Role.SCOPE_DEPOSIT,
    ("POST", "/v1/keys"): Role.SCOPE_KEYS,
    ("POST", "/v1/webhooks"): Role.SCOPE_WEBHOOKS,
    ("GET", "/v1/webhooks"): Role.SCOPE_WEBHOOKS,
    ("GET", "/v1/webhooks/{webhook}"): Role.SCOPE_WEBHOOKS,
    ("DELETE", "/v1/webhooks/{webhook}"): Role.SCOPE_WEBHOOKS,
    ("POST", "/v1/webhooks/{webhook}/secret"): Role.SCOPE_WEBHOOKS,
    ("POST", "/v1/webhooks/{webhook}/resume"): Role.SCOPE_WEBHOOKS,
    ("POST", "/v1/webhooks/{webhook}/test"): Role.SCOPE_WEBHOOKS,
    ("GET", "/v1/webhooks/{webhook}/deliveries"): Role.SCOPE_WEBHOOKS,
    ("POST", "/v1/webhooks/{webhook}/deliveries/{delivery}/retry"): Role.SCOPE_WEBHOOKS,
    ("POST", "/v1/mailbox"): Role.SCOPE_MAILBOX,
    ("GET", "/v1/mailbox"): Role.SCOPE_MAILBOX,
    ("PUT", "/v1/mailbox/{item}/parts/{number}"): Role.SCOPE_MAILBOX,
    ("POST", "/v1/mailbox/{item}/complete"): Role.SCOPE_MAILBOX,
    ("POST", "/v1/mailbox/{item}/withdrawal"): Role.SCOPE_MAILBOX,
    ("GET", "/v1/mailbox/{item}/acceptance"): Role.SCOPE_MAILBOX,
    # Whoever has the item's token, or an addressee's key with the scope.
    ("GET", "/v1/mailbox/{item}"): ANYBODY,
    ("GET", "/v1/mailbox/{item}/parts/{number}"): ANYBODY,
    ("GET", "/v1/mailbox/{item}/withdrawal"): ANYBODY,
    ("POST", "/v1/mailbox/{item}/acceptance"): ANYBODY,
    ("GET", "/v1/deposits"): Role.SCOPE_READ,
    ("GET", "/v1/events"): Role.SCOPE_READ,
    ("GET", "/v1/organisation/certificates"): Role.SCOPE_READ,
    ("GET", "/v1/lookup"): ANYBODY,
    ("POST", "/v1/access/requests"): Role.SCOPE_ACCESS,
    ("GET", "/v1/access/requests"): Role.SCOPE_ACCESS,
    ("GET", "/v1/access/requests/{request}"): Role.SCOPE_ACCESS,
    ("POST", "/v1/access/documents"): Role.SCOPE_ACCESS,
    ("GET", "/v1/organisation"): ANY_KEY,
    ("GET", "/v1/beacon"): ANY_KEY,
    ("GET", "/v1/certificates"): ANYBODY,
    ("GET", "/v1/certificates/{number}"): ANYBODY,
    ("GET", "/v1/certificates/{number}/certificate.pdf"): ANYBODY,
    ("GET", "/v1/certificates/{number}/proof.zip"): ANYBODY,
    ("GET", "/v1/anchors/{transaction_hash}"): ANYBODY,
    ("GET", "/v1/log-keys"): ANYBODY,
    ("GET", "/checkpoint"): ANYBODY,
    ("GET", "/tile/{path:path}"): ANYBODY,
    ("GET", "/healthz"): ANYBODY,
    ("GET", "/readyz"): ANYBODY,
    ("GET", "/metrics"): ANYBODY,
    ("GET", "/openapi.json"): ANYBODY,
    ("GET", "/static/{digest}/{name}"): ANYBODY,
}
# The clerk's pages, in both languages: for anybody.
PAGES = {
    ("GET", ""),
    ("POST", "/find"),
    ("GET", "/check"),
    ("GET", "/anchors/{hash}"),
    *((method, "/digests/{digest}") for method in ("GET", "POST")),
    *(
        (method, f"/certificates/{{number}}{last}")
        for method in ("GET", "POST")
        for last in ("", "/certificate.pdf", "/proof.zip")
    ),
}


def walk(routes: Any) -> Iterator[tuple[str, str]]:
    for route in routes:
        # Some releases of FastAPI keep an included router as one.
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from walk(inner.routes)
        else:
            assert isinstance(route, Route), route
            yield from ((method, route.path) for method in route.methods or () if method != "HEAD")


def test_every_route_is_in_the_list(world: World) -> None:
    pages = {(method, (prefix + path) or "/") for method, path in PAGES for prefix in ("", "/en")}
    people = {
        (page.method, prefix + page.path)
        for page in ROUTES
        for prefix in ("", "/en")
        if (prefix, page.path) != ("/en", "/login/oidc/callback")
    }
    found = list(walk(world.app.routes))
    assert set(found) == {*API, *pages, *people}
    assert len(found) == len(set(found))


# API keys


@pytest.fixture(scope="module")
def keys(world: World) -> dict[Role | None, str]:
    """A key with each scope, and one of before there were scopes."""
    with writing(world.instance.engine) as connection:
        company = world.companies[0]
        made = {
            scope: issue_api_key(connection, company, 1, [scope.value]).secret
            for scope in Role
            if scope.name.startswith("SCOPE")
        }
        return {None: issue_api_key(connection, company, 1).secret, **made}


@pytest.mark.parametrize(("method", "path"), [item for item in API if item[1].startswith("/v1")])
def test_which_key_opens_which_route(
    world: World, keys: dict[Role | None, str], method: str, path: str
) -> None:
    allowed = API[method, path]
    url = re.sub(r"\{\w+\}", "0" * 64, path)
    client = world.browser().client
    body = {"json": {"is_published": True, "public_key": "x", "proof": "x"}} if method != "GET" else {}
    if allowed != ANYBODY:
        assert client.request(method, url, **body).status_code == 401
    for scope, secret in keys.items():
        answer = client.request(method, url, headers={"Authorization": f"Bearer {secret}"}, **body)
        is_in = allowed in (ANYBODY, ANY_KEY) or scope is None or scope is allowed
        assert answer.status_code != 401
        assert ("scope-missing" in answer.text) == (not is_in), scope


# People


def put_in(world: World, member: Member, *, is_strong: bool = True) -> Browser:
    """A browser with a session, made past the login."""
    with writing(world.instance.engine) as connection:
        token = open_session(connection, member, "passkey", is_strong=is_strong, replaces=None)
    browser = world.browser()
    browser.client.cookies.set("__Host-mizheng", token, domain="notary.example")
    browser.page = f'name="csrf" value="{csrf_token(token)}"'
    return browser


NOBODYS = "9" * 24


def url_of(world: World, page: PeopleRoute, member: Member, other: Member, browser: Browser) -> str:
    """The route, about what the role would reach: a member of the first company, and one's own things."""
    handle = NOBODYS
    if "passkeys" in page.path:
        with reading(world.instance.engine) as connection:
            query = select(passkeys.c.id).where(passkeys.c.member_id == member.id)
            number = connection.execute(query).scalar()
        handle = NOBODYS if number is None else browser.handle("passkey", number)
    return (
        page.path.replace("{handle}", handle)
        .replace("{digest}", "9" * 64)
        .replace("{pseudonym}", other.pseudonym)
    )


CASES = [page for page in ROUTES if page.action is not None]


@pytest.mark.parametrize("page", CASES, ids=[f"{page.method} {page.path}" for page in CASES])
def test_what_each_role_gets(world: World, page: PeopleRoute) -> None:
    """With two factors, and without any role."""
    for role in (*MEMBER_ROLES, None):
        answer, actor, is_missing = ask_for(world, page, role, is_strong=True)
        assert page.action is not None
        is_in = decide(actor, page.action)
        assert (answer.status_code in (200, 303, 422)) == (is_in and not is_missing), (
            role,
            answer.status_code,
        )
        assert answer.status_code in (200, 303, 404, 422)


@pytest.mark.parametrize("page", CASES, ids=[f"{page.method} {page.path}" for page in CASES])
def test_what_one_factor_gets(world: World, page: PeopleRoute) -> None:
    """Of roles that want two: what the account itself needs, and else no more than a reason."""
    for role in STRONG_ROLES:
        answer, actor, is_missing = ask_for(world, page, role, is_strong=False)
        assert page.action is not None
        if decide(actor, page.action):
            assert page.action in (Action.ACCOUNT_VIEW, Action.SESSION_END)
            assert answer.status_code == (404 if is_missing else 303 if page.method == "POST" else 200)
        else:
            could = decide(replace(actor, is_strong=True), page.action)
            assert answer.status_code == (403 if could else 404), role


def ask_for(
    world: World, page: PeopleRoute, role: Role | None, *, is_strong: bool
) -> tuple[httpx.Response, Actor, bool]:
    """What a member of this role is answered, who he is, and whether what he asks for is nobody's."""
    company = world.companies[0]
    own = None if role is not None and role not in COMPANY_ROLES else company
    member, _ = world.add(*(() if role is None else (role,)), company=own)
    other, _ = world.add(company=company)
    browser = put_in(world, member, is_strong=is_strong)
    url = url_of(world, page, member, other, browser)
    answer = browser.get(url) if page.method == "GET" else browser.post(url, role="company-operator")
    actor = Actor(frozenset({role or Role.MEMBER}), own, member.id, is_strong)
    return answer, actor, NOBODYS in url


@pytest.mark.parametrize("page", CASES, ids=[f"{page.method} {page.path}" for page in CASES])
def test_who_is_not_logged_in_is_led_to_the_login(world: World, page: PeopleRoute) -> None:
    other, _ = world.add(company=world.companies[0])
    browser = world.browser()
    url = url_of(world, page, other, other, browser)
    answer = browser.get(url) if page.method == "GET" else browser.post(url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_who_is_logged_in_with_one_factor_is_told_so(world: World) -> None:
    member, _ = world.add(Role.AUDIT_ADMIN)
    with writing(world.instance.engine) as connection:
        token = open_session(connection, member, "oidc", is_strong=False, replaces=None)
    browser = world.browser()
    browser.client.cookies.set("__Host-mizheng", token, domain="notary.example")
    assert browser.get("/audit-log").status_code == 403
    assert browser.get("/account/passkeys").status_code == 403
    assert browser.get("/members").status_code == 404
    assert browser.get("/account").status_code == 200
    assert ORIGIN.startswith("https")
