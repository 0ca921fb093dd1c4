"""Login by OpenID Connect against a provider that runs, and answers that must not be taken."""

from __future__ import annotations

import base64
import hashlib
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from mizheng.notary.config import load_settings
from mizheng.notary.errors import ConfigurationError
from mizheng.notary.instance import open_instance
from mizheng.notary.people import oidc
from mizheng.notary.people.failures import LoginError
from mizheng.notary.people.permissions import Role
from mizheng.notary.people.setup import PeopleSetup, Provider, parse_people

from tests.notary.people.conftest import ORIGIN, Browser, World
from tests.support.schema import lay_database

MFA = {"amr": ["pwd", "mfa"]}


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    logging.getLogger("oidc-provider-mock").setLevel(logging.CRITICAL)
    now = int(time.time())
    users = [
        oidc_provider_mock.User(sub="zhang", claims={**MFA, "auth_time": now}),
        oidc_provider_mock.User(sub="li", claims={"amr": ["pwd"], "auth_time": now}),
        oidc_provider_mock.User(sub="wang", claims={"acr": "urn:example:loa3", "auth_time": now}),
        oidc_provider_mock.User(sub="zhao", claims=MFA),
        oidc_provider_mock.User(sub="zhou", claims={**MFA, "auth_time": now - 600}),
        oidc_provider_mock.User(sub="wu", claims={"amr": [{"a": 1}]}),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, provider_url: str) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("oidc")
    secret = folder / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    database = lay_database(folder / "notary")
    table = {
        "url": ORIGIN,
        "oidc": {
            "unit": {
                "title": "示例单位统一身份认证",
                "issuer": provider_url,
                "client_id": "mizheng",
                "client_secret_file": str(secret),
                "strong_acr": ["urn:example:loa3"],
            }
        },
    }
    settings = load_settings({"MIZHENG_DATA_DIR": str(database.parent)})
    instance = open_instance(replace(settings, people=table, pages={"per_minute": 0}))
    yield World(instance)
    instance.engine.dispose()


def authorize(url: str, subject: str) -> str:
    """What the person does at the provider; where the browser is sent."""
    answer = httpx.post(url, data={"sub": subject}, trust_env=False)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def come_back(browser: Browser, location: str) -> httpx.Response:
    assert location.startswith(f"{ORIGIN}/login/oidc/callback?")
    return browser.get(location.removeprefix(ORIGIN))


def join(world: World, subject: str, *roles: Role, company: int | None = None) -> Browser:
    _, code = world.add(*roles, company=company)
    browser = world.browser()
    browser.post("/join", code=code)
    assert "示例单位统一身份认证" in browser.page
    begun = browser.post("/join/oidc/unit")
    assert come_back(browser, authorize(begun.headers["location"], subject)).status_code == 303
    browser.get("/account")
    return browser


def log_in(browser: Browser, subject: str) -> httpx.Response:
    begun = browser.post("/login/oidc/unit")
    answer = come_back(browser, authorize(begun.headers["location"], subject))
    browser.get("/account")
    return answer


@pytest.fixture(scope="module")
def zhang(world: World) -> Browser:
    """Invited once, by way of the provider."""
    return join(world, "zhang", Role.CLERK)


def test_invited_then_logged_in_with_two_factors(world: World, zhang: Browser) -> None:
    zhang.post("/logout")
    assert zhang.get("/account").status_code == 303
    assert log_in(zhang, "zhang").headers["location"] == "/account"
    assert zhang.get("/account/passkeys").status_code == 200


def test_one_factor_is_too_little_for_a_judicial_role(world: World) -> None:
    browser = join(world, "li", Role.APPRAISER)
    assert browser.get("/account").status_code == 200
    assert browser.get("/account/passkeys").status_code == 403


def test_an_acr_that_the_operator_trusts(world: World) -> None:
    browser = join(world, "wang", Role.APPRAISER)
    assert browser.get("/account/passkeys").status_code == 200


def test_a_login_that_the_provider_had_open_changes_no_account(world: World) -> None:
    """`prompt=login` stands in an address, out of which anybody at the screen can take it."""
    browser = join(world, "zhou", Role.CLERK)
    assert browser.get("/requests").status_code == 200, "two factors they were"
    answer = browser.get("/account/passkeys")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?again=1")
    assert "身份服务没有说明您是刚刚登录的" in browser.get("/login?again=1").text


def test_a_logout_ends_the_provider_s_session_as_well(world: World, provider_url: str) -> None:
    browser = join(world, "zhao", Role.CLERK)
    location = browser.post("/logout").headers["location"]
    assert location.startswith(f"{provider_url}/oauth2/end_session?")
    assert parse_qs(urlsplit(location).query) == {
        "client_id": ["mizheng"],
        "post_logout_redirect_uri": [f"{ORIGIN}/login"],
    }
    assert httpx.get(location, trust_env=False).status_code == 200
    assert browser.get("/account").status_code == 303
    with_passkey = world.enter(Role.CLERK)[1]
    assert with_passkey.post("/logout").headers["location"] == "/login"


@pytest.mark.parametrize(
    "endpoint", [None, 1, "https://id.example.evil/end", "https://other.example/end", "javascript:x"]
)
def test_an_end_that_is_not_the_provider_s_is_not_gone_to(setup: PeopleSetup, endpoint: object) -> None:
    provider = replace(setup.providers["unit"], issuer="https://id.example")
    assert oidc._logout_url(setup, provider, {"end_session_endpoint": endpoint}) is None


def test_an_account_of_nobody(world: World) -> None:
    browser = world.browser()
    assert log_in(browser, "nobody").status_code == 403
    assert browser.get("/account").status_code == 303


def test_one_account_is_one_member(world: World, zhang: Browser) -> None:
    """So that nobody is two of the notary's three by one account."""
    _, code = world.add(Role.SECURITY_ADMIN)
    browser = world.browser()
    browser.post("/join", code=code)
    begun = browser.post("/join/oidc/unit")
    assert come_back(browser, authorize(begun.headers["location"], "zhang")).status_code == 403
    assert browser.get("/account").status_code == 303


# Answers that are not to this login


def begin(world: World) -> tuple[Browser, str]:
    browser = world.browser()
    return browser, browser.post("/login/oidc/unit").headers["location"]


def test_what_is_sent_to_the_provider(world: World) -> None:
    _, url = begin(world)
    asked = parse_qs(urlsplit(url).query)
    assert asked["response_type"] == ["code"]
    assert asked["scope"] == ["openid"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) == len(asked["nonce"][0]) == len(asked["code_challenge"][0]) == 43
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["60"])
    assert "s3cret" not in url


def test_the_answer_to_somebody_else_s_login(world: World, zhang: Browser) -> None:
    """Login CSRF: the victim's browser brings an answer that the attacker's login got."""
    _, attackers = begin(world)
    victim, _ = begin(world)
    assert come_back(victim, authorize(attackers, "zhang")).status_code == 403


def test_a_browser_that_began_no_login(world: World) -> None:
    _, url = begin(world)
    assert come_back(world.browser(), authorize(url, "zhang")).status_code == 403


def test_an_answer_works_once(world: World, zhang: Browser) -> None:
    browser, url = begin(world)
    location = authorize(url, "zhang")
    assert come_back(browser, location).status_code == 303
    assert come_back(browser, location).status_code == 403


@pytest.mark.parametrize("changed", ["state", "code"])
def test_a_changed_answer(world: World, changed: str) -> None:
    browser, url = begin(world)
    location = authorize(url, "zhang")
    value = parse_qs(urlsplit(location).query)[changed][0]
    assert come_back(browser, location.replace(value, value[:-1] + "_")).status_code == 403


@pytest.mark.parametrize(
    "query", ["", "?error=access_denied&state=x", "?code=x", "?state=x", "?code=x&iss=https://other"]
)
def test_answers_that_are_none(world: World, query: str) -> None:
    browser, _ = begin(world)
    assert browser.get("/login/oidc/callback" + query).status_code == 403


def test_a_provider_that_does_not_exist(world: World) -> None:
    assert world.browser().post("/login/oidc/other").status_code == 404


# The id token, and what is fetched


@pytest.fixture
def setup(world: World) -> PeopleSetup:
    found = parse_people(world.instance.settings.people)
    assert found is not None
    return found


def finish(setup: PeopleSetup, provider: Provider, url: str, kept: dict[str, str | int]) -> oidc.Identity:
    query = parse_qs(urlsplit(authorize(url, "zhang")).query)
    return oidc.finish_login(setup, provider, kept, {name: values[0] for name, values in query.items()})


def test_who_the_provider_names(setup: PeopleSetup) -> None:
    provider = setup.providers["unit"]
    begun = oidc.begin_login(setup, provider)
    found = finish(setup, provider, begun.url, begun.data)
    assert (found.issuer, found.subject) == (provider.issuer, "zhang")
    assert found.is_strong and found.is_fresh


def test_claims_of_another_kind(world: World) -> None:
    browser, url = begin(world)
    assert come_back(browser, authorize(url, "wu")).status_code == 403


@pytest.mark.parametrize("field", ["nonce", "state"])
def test_a_token_for_another_login(setup: PeopleSetup, field: str) -> None:
    provider = setup.providers["unit"]
    begun = oidc.begin_login(setup, provider)
    with pytest.raises(LoginError):
        finish(setup, provider, begun.url, {**begun.data, field: "other"})


def test_the_verifier_is_that_of_the_challenge(setup: PeopleSetup) -> None:
    """RFC 7636 §4.2; the provider of these tests does not check it."""
    begun = oidc.begin_login(setup, setup.providers["unit"])
    digest = hashlib.sha256(str(begun.data["verifier"]).encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert parse_qs(urlsplit(begun.url).query)["code_challenge"] == [challenge]


def test_a_token_for_another_client(setup: PeopleSetup) -> None:
    """A provider that serves many: what it says to one of them is nothing to another."""
    provider = setup.providers["unit"]
    begun = oidc.begin_login(setup, replace(provider, client_id="another"))
    with pytest.raises(LoginError):
        finish(setup, provider, begun.url, begun.data)


def test_a_provider_that_says_it_is_another(setup: PeopleSetup) -> None:
    unit = setup.providers["unit"]
    other = replace(unit, issuer=unit.issuer + "/")
    with pytest.raises(LoginError) as error:
        oidc.begin_login(setup, other)
    assert error.value.reason == "oidc-other-issuer"


def test_a_provider_that_is_down(setup: PeopleSetup) -> None:
    with pytest.raises(LoginError) as error:
        oidc.begin_login(setup, replace(setup.providers["unit"], issuer="http://localhost:9"))
    assert error.value.reason == "oidc-unreachable"


def test_the_secret_is_in_no_repr(setup: PeopleSetup) -> None:
    assert setup.providers["unit"].client_secret == "s3cret"
    assert "s3cret" not in repr(setup)


def test_a_secret_that_others_may_read_is_not_used(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o640)
    table: dict[str, Any] = {
        "url": ORIGIN,
        "oidc": {"unit": {**world.instance.settings.people["oidc"]["unit"]}},
    }
    table["oidc"]["unit"]["client_secret_file"] = str(secret)
    with pytest.raises(ConfigurationError) as error:
        parse_people(table)
    assert "s3cret" not in str(error.value)
    secret.chmod(0o600)
    parse_people(table)
