"""Members' pages in a real Chromium with its virtual authenticator: invited, logged in, and looked at."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest
from mizheng.verifier.access import Access, Counted, parse_access
from mizheng.verifier.signature import PrivateKey
from playwright.sync_api import Browser, Page

from tests.notary.depositor import TestDepositor
from tests.support.browser import Visit, visit
from tests.support.lawful import AT, END, LEAVES, make_approval, make_request
from tests.support.notary import NotaryServer

_WIDTHS = ((1280, 900), (360, 740))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    """A notary that people log in to; its host has a name, for passkeys are bound to one."""
    data_dir = tmp_path_factory.mktemp("members") / "data"
    data_dir.mkdir()
    server = NotaryServer(data_dir)
    settings = f'[pages]\nper_minute = 0\n[people]\nurl = "http://localhost:{server.port}"\n'
    (data_dir / "notary.toml").write_text(settings, "utf-8")
    with server as running:
        running.add_org("示例精密机械有限公司")
        yield running


def authenticator(page: Page) -> None:
    """WebAuthn Testing API: a device of this machine that verifies its user."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def invitation(place: NotaryServer, name: str, *options: str) -> str:
    """The link that the operator's command prints."""
    found = re.search(r"http://localhost:\d+/join#[\w-]+", place.run("members", "add", name, *options).stdout)
    assert found
    return found[0]


def look(window: Visit, name: str) -> None:
    """A picture in both widths; nothing too wide, nothing that a screen reader stumbles over."""
    for width, height in _WIDTHS:
        window.page.set_viewport_size({"width": width, "height": height})
        window.picture(f"members-{name}-{width}")
        assert not window.is_too_wide(), name
    assert window.judge_accessibility() == []
    assert window.complaints == []


def enter(window: Visit, link: str) -> None:
    page = window.page
    authenticator(page)
    page.goto(link)
    # Read from behind the #, and gone from the address.
    assert page.input_value("#code") == link.partition("#")[2]
    assert "#" not in page.url
    page.click("main button")
    page.wait_for_selector("form[data-passkey=create]")
    page.click("form[data-passkey] button")
    page.wait_for_url("**/account")


def test_a_company_s_administrator_from_invitation_to_api_key(browser: Browser, place: NotaryServer) -> None:
    link = invitation(place, "工号 0042", "--org", "1", "--role", "company-admin")
    with visit(browser, link.partition("#")[0]) as window:
        look(window, "join")
        enter(window, link)
        page = window.page
        look(window, "account")
        page.click("nav .inline button")
        page.wait_for_url("**/login")
        look(window, "login")
        page.click("form[data-passkey] button")
        page.wait_for_url("**/account")
        page.goto(page.url.replace("/account", "/members"))
        page.fill("#name", "经办人乙")
        page.click("section button")
        page.wait_for_selector(".once")
        look(window, "members")
        page.goto(page.url.replace("/members", "/api-keys"))
        page.check("input[name=read]")
        page.click("section button")
        assert page.inner_text(".once code").startswith("mzk_")
        look(window, "api-keys")
        page.goto(page.url.replace("/api-keys", "/account/passkeys"))
        look(window, "enrol")
        page.goto(page.url.replace("/account/passkeys", "/en/account"))
        look(window, "account-en")


def test_what_a_company_sees_of_its_matters(browser: Browser, place: NotaryServer) -> None:
    """A deposit, and a request for it that one person has approved."""
    depositor = TestDepositor(place.url, *place.add_org("示例泵业有限公司"))
    depositor.enrol()
    envelope, _answer = depositor.deposit()
    deposit = hashlib.sha256(envelope).hexdigest()
    key = PrivateKey.generate()
    asked = make_request(key, envelope_sha256=deposit, ends_at="2099-01-01T00:00:00Z")
    request = asked.sign(key)
    approval = make_approval(depositor.key, parse_access(request), conditions="不得带出").sign(depositor.key)
    shown = parse_access(approval)
    look_at = Access(
        depositor.key.public,
        AT,
        bytes(32),
        parse_access(request).sha256,
        (Counted(shown.sha256, "张三", depositor.key.public.keyid),),
        1,
        "cd" * 32,
        LEAVES[:2],
        (),
        END,
    ).sign(depositor.key)
    for path, document in (("requests", request), ("documents", approval), ("documents", look_at)):
        assert depositor.client.post(f"/v1/access/{path}", content=document).status_code == 201
    sha256 = hashlib.sha256(request).hexdigest()
    link = invitation(place, "工号 0043", "--org", "2", "--role", "company-operator")
    with visit(browser, link.partition("#")[0]) as window:
        enter(window, link)
        for path in (
            "deposits",
            f"deposits/{deposit}",
            "requests",
            f"requests/{sha256}",
            "disclosures",
            "keys",
        ):
            window.page.goto(f"http://localhost:{place.port}/{path}")
            assert window.page.inner_text("h1") != "此处没有内容"
            look(window, path.replace("/" + deposit, "-one").replace("/" + sha256, "-one"))


def test_the_audit_administrator_reads(browser: Browser, place: NotaryServer) -> None:
    link = invitation(place, "审计员", "--role", "audit-admin")
    with visit(browser, link.partition("#")[0]) as window:
        enter(window, link)
        window.page.goto(window.page.url.replace("/account", "/audit-log"))
        assert "organisation.add" in window.page.inner_text("table")
        look(window, "audit-log")
        window.page.goto(window.page.url.replace("/audit-log", "/members"))
        assert window.page.inner_text("h1") == "此处没有内容"
        window.picture("members-refused")


def test_a_passkey_that_is_not_there(browser: Browser, place: NotaryServer) -> None:
    """The device has none for this site: the page says so and stays."""
    with visit(browser, f"http://localhost:{place.port}/login") as window:
        authenticator(window.page)
        window.page.click("form[data-passkey] button")
        window.page.wait_for_selector("[role=alert]:not([hidden])")
        look(window, "login-failed")
