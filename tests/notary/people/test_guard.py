"""What every page of members has in common: forms of our own pages, headers, cookies, limits."""

from __future__ import annotations

import pytest
from mizheng.notary.app import create_app
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import Instance
from mizheng.notary.pages.people.routes import ROUTES
from mizheng.notary.people.permissions import Role
from mizheng.notary.people.setup import parse_people
from mizheng.notary.service import Service
from mizheng.notary.visitors import Visitors

from tests.notary.people.conftest import ORIGIN, Browser, World
from tests.support.appclient import AppClient


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", ORIGIN + ".evil.example", "http://notary.example"]
)
def test_a_form_of_another_site(world: World, origin: str | None) -> None:
    _, browser = world.enter(Role.CLERK)
    assert browser.post("/logout", origin=origin).status_code == 403
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize("csrf", ["", "0" * 64])
def test_a_form_without_the_session_s_token(world: World, csrf: str) -> None:
    _, browser = world.enter(Role.CLERK)
    assert browser.post("/logout", csrf=csrf).status_code == 403
    assert browser.get("/account").status_code == 200


def test_the_token_of_another_session(world: World) -> None:
    _, first = world.enter(Role.CLERK)
    _, second = world.enter(Role.CLERK)
    assert first.post("/logout", csrf=second.csrf).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        "&".join(f"field{number}=1" for number in range(40)),
        "csrf=%E4%B8%AD&credential=%E4%B8%AD",
        "csrf=%00&code=%00&q=%00",
        "&".join(["csrf=1"] * 40),
        "a=" + "%41" * 9000,
    ],
)
def test_a_form_that_no_page_of_ours_has(world: World, body: str) -> None:
    """Answered as one that lacks what it should have."""
    _, browser = world.enter(Role.CLERK)
    headers = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
    for path, status in (
        ("/logout", 403),
        ("/login/passkey", 403),
        ("/join", 422),
        ("/en/find", 422),
        ("/certificates/x", 422),
    ):
        assert browser.client.post(path, content=body, headers=headers).status_code == status, path


def test_no_change_by_a_get(world: World) -> None:
    _, browser = world.enter(Role.CLERK)
    shown = {page.path for page in ROUTES if page.method == "GET"}
    for page in ROUTES:
        if page.path not in shown:
            assert browser.get(page.path.replace("{handle}", "1")).status_code == 405


def test_cookies_are_of_this_host_alone_and_closed_to_scripts(world: World) -> None:
    _, code = world.add(Role.CLERK)
    browser = world.browser()
    browser.get("/join")
    step = browser.post("/join", code=code)
    joined = browser.post("/join/passkey", credential=browser.authenticator.create(browser.options))
    cookies = step.headers.get_list("set-cookie") + joined.headers.get_list("set-cookie")
    assert len(cookies) == 3
    for cookie in cookies:
        name, *attributes = [part.strip().lower() for part in cookie.split(";")]
        assert name.startswith("__host-")
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(attributes)
        assert not any(part.startswith("domain") for part in attributes)


def test_headers(world: World) -> None:
    _, browser = world.enter(Role.CLERK)
    for path in ("/login", "/account", "/account/sessions/x/end"):
        answer = browser.get(path) if not path.endswith("end") else browser.post(path)
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"


def test_no_page_has_a_script_or_a_style_in_it(world: World) -> None:
    """The policy would stop them; here is nothing to stop."""
    _, browser = world.enter(Role.COMPANY_ADMIN, company=world.companies[0])
    for path in ("/login", "/join", "/account", "/account/passkeys", "/members", "/api-keys"):
        page = browser.get(path).text
        assert "style=" not in page and "<style" not in page and "onclick" not in page
        assert page.count("<script") == page.count('<script src="/static/')


def test_names_are_shown_as_text(world: World) -> None:
    company = world.companies[0]
    world.add(company=company, name='<script>alert("x")</script>')
    _, browser = world.enter(Role.COMPANY_ADMIN, company=company)
    page = browser.get("/members").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_one_address_does_not_try_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.service, "visitors", Visitors(5))
    browser = world.browser()
    answers = [browser.post("/join", code="wrong") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0


def test_without_the_table_there_are_no_such_pages(instance: Instance) -> None:
    browser = Browser(AppClient(create_app(Service(instance)), ORIGIN))
    assert browser.get("/login").status_code == 404
    assert "/account" not in browser.get("/").text


@pytest.mark.parametrize(
    "table",
    [
        {"url": "http://notary.example"},
        {"url": "https://notary.example/path"},
        {"url": "https://name@notary.example"},
        {"url": 1},
        {"oidc": {}},
        {"url": ORIGIN, "other": 1},
        {"url": ORIGIN, "oidc": {"x": {"issuer": "https://id.example"}}},
        {"url": ORIGIN, "oidc": {"X Y": {}}},
    ],
)
def test_settings_that_cannot_be(table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        parse_people(table)
