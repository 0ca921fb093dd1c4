"""The clerk's pages as clerks use them, in Chromium."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mizheng.verifier.certificate_number import make_number, show_grouped
from playwright.sync_api import Page

from tests.browser.pages.conftest import EXAMPLES, NAME, Open
from tests.support.browser import Visit
from tests.support.certificates import Issued
from tests.support.notary import NotaryServer

WIDTHS = (360, 768, 1440)


@contextmanager
def published(issued: Issued) -> Iterator[None]:
    issued.show("published")
    try:
        yield
    finally:
        issued.show("masked")


def look_up(page: Page, text: str) -> None:
    page.fill("#q", text)
    page.press("#q", "Enter")
    page.wait_for_load_state()


def transaction_of(issued: Issued) -> str:
    return str(issued.depositor.status(issued.id)["anchors"][0]["transaction_hash"])


def test_from_number_and_code_to_the_pdf(at: Open, issued: Issued, tmp_path: Path) -> None:
    with at("/") as found:
        page = found.page
        # As a person may type it.
        look_up(page, f"  {issued.number.lower().replace('-', ' ')} ")
        assert page.url.endswith("/certificates/" + issued.number)
        text = page.inner_text("main")
        assert "已遮盖" in text
        assert issued.depositor.org.name not in text
        page.fill("#code", "0000-0000-0000")
        page.press("#code", "Enter")
        assert "查询码不符" in page.inner_text("[role=alert]")
        page.fill("#code", issued.code.lower())
        page.press("#code", "Enter")
        page.wait_for_selector(".buttons")
        text = page.inner_text("main")
        for fact in (issued.depositor.org.name, issued.id, "最终确认", "欧阳娜娜", NAME, "试用", "已签名"):
            assert fact in text
        # The code is in no address.
        assert issued.code not in page.url
        for label, ending in (("证书（PDF）", ".pdf"), ("公开证明（ZIP）", ".zip")):
            with page.expect_download() as download:
                page.click(f"button:has-text('{label}')")
            path = tmp_path / download.value.suggested_filename
            download.value.save_as(path)
            assert path.suffix == ending
            if ending == ".pdf":
                assert path.read_bytes() == issued.pdf


def test_published_needs_no_code(at: Open, issued: Issued) -> None:
    with published(issued), at("/en") as found:
        look_up(found.page, hashlib.sha256(issued.pdf).hexdigest())
        assert issued.depositor.org.name in found.page.inner_text("main")
        with found.page.expect_download() as download:
            found.page.click("button:has-text('Certificate (PDF)')")
        assert Path(download.value.path()).read_bytes() == issued.pdf


def test_unknown_and_withheld_are_one_page(at: Open, issued: Issued) -> None:
    pages = []
    issued.show("withheld")
    try:
        for number in (issued.number, show_grouped(make_number())):
            with at("/certificates/" + number) as found:
                pages.append(found.page.content().replace(number, "N"))
    finally:
        issued.show("masked")
    assert pages[0] == pages[1]
    assert "未显示任何证书" in pages[0]


def test_a_digest_without_code_finds_nothing_that_is_not_published(at: Open, issued: Issued) -> None:
    with at("/") as found:
        look_up(found.page, issued.id)
        assert "未显示任何证书" in found.page.inner_text("h1")
        found.page.fill("#code", issued.code)
        found.page.press("#code", "Enter")
        found.page.wait_for_selector(".buttons")
        assert issued.depositor.org.name in found.page.inner_text("main")


def test_a_transaction_leads_to_its_anchor(at: Open, issued: Issued) -> None:
    with at("/") as found:
        look_up(found.page, "0x" + transaction_of(issued))
        text = found.page.inner_text("main")
        assert "上链记录" in text
        for hidden in (issued.number, issued.id, issued.depositor.org.name):
            assert hidden not in text


@pytest.mark.parametrize(
    "typed", ["hello", "<script>alert(1)</script>", "‮8QK3", "证" * 200, "8QK3-ZM2H-T4XD-0VNB-7RKE"]
)
def test_what_is_no_number_is_said_in_words(at: Open, typed: str) -> None:
    with at("/") as found:
        look_up(found.page, typed)
        alert = found.page.inner_text("[role=alert]")
        assert "编号" in alert
        # It stands in its field again, as text.
        assert found.page.input_value("#q") == typed[:200]


def test_english_and_back(at: Open) -> None:
    with at("/check") as found:
        found.page.click("text=English")
        assert found.page.url.endswith("/en/check")
        assert found.page.get_attribute("html", "lang") == "en"
        found.page.click("text=中文")
        assert found.page.url.endswith("/check")
        assert found.page.get_attribute("html", "lang") == "zh-CN"


def test_a_bundle_is_checked_in_the_page_and_leaves_it_not(at: Open, site: NotaryServer) -> None:
    with at("/check") as found:
        page = found.page
        page.clock.set_fixed_time("2026-11-23T12:00:00Z")
        page.wait_for_selector("#mizheng-file-bundle", state="attached")
        before = len(found.requests)
        page.set_input_files("#mizheng-file-bundle", EXAMPLES / "bundle.zip")
        page.click("#mizheng-check")
        page.wait_for_selector(".verdict")
        assert "VALID" in page.inner_text(".verdict")
        # Only its own script again, for the workers; nothing is sent anywhere.
        later = found.requests[before:]
        assert all(re.fullmatch(site.url + r"/static/[0-9a-f]{16}/check\.js", url) for url in later)


def test_only_the_site_itself_is_asked_and_no_cookie_is_set(
    at: Open, issued: Issued, site: NotaryServer
) -> None:
    for path in ("/", "/check", "/certificates/" + issued.number, "/anchors/" + transaction_of(issued)):
        with at(path) as found:
            assert all(url.startswith(site.url + "/") for url in found.requests)
            assert found.page.context.cookies() == []
            assert found.complaints == []


def show_whole(found: Visit, issued: Issued) -> None:
    found.page.fill("#code", issued.code)
    found.page.press("#code", "Enter")
    found.page.wait_for_selector(".buttons")


# Address, what it is, and at which widths it is looked at.
LOOKS = [
    ("home", "light", WIDTHS),
    ("masked", "light", (360,)),
    ("whole", "light", WIDTHS),
    ("whole-en", "light", (768,)),
    ("missing", "light", (360,)),
    ("anchor", "light", (360, 1440)),
    ("check", "light", WIDTHS),
    ("home", "dark", (1440,)),
    ("whole", "dark", (768,)),
    ("check", "dark", (360,)),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_looks_and_accessibility(at: Open, issued: Issued, scheme: str) -> None:
    """At phone, tablet and desk width nothing is cut off, and axe-core finds nothing serious."""
    paths = {
        "home": "/",
        "masked": "/certificates/" + issued.number,
        "whole": "/certificates/" + issued.number,
        "whole-en": "/en/certificates/" + issued.number,
        "missing": "/certificates/" + show_grouped(make_number()),
        "anchor": "/anchors/" + transaction_of(issued),
        "check": "/check",
    }
    for name, _, widths in [look for look in LOOKS if look[1] == scheme]:
        with at(paths[name], color_scheme=scheme) as found:
            if name.startswith("whole"):
                show_whole(found, issued)
            for width in widths:
                found.page.set_viewport_size({"width": width, "height": 900})
                assert not found.is_too_wide(), f"{name} at {width}"
                found.picture(f"site-{name}-{scheme}-{width}")
            assert found.judge_accessibility() == [], name
            if (name, scheme) == ("whole", "light"):
                found.page.emulate_media(media="print")
                found.page.set_viewport_size({"width": 794, "height": 1123})
                found.picture("site-whole-print")
                assert not found.page.is_visible("nav")
