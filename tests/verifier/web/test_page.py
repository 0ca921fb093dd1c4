"""The committed page is what the sources give, and small; its digest is recognized, wherever it came from."""

from __future__ import annotations

import re

import pytest
from mizheng.verifier.canonical import format_instant
from mizheng.verifier.page import bundle_copy, page_digests, page_parts, read_page
from mizheng.verifier.trust import Release, Trust, dump_trust

from tests.support.webbuild import PAGE, make_page
from tests.support.webverifier import outcomes, shared
from tests.support.world import NOW, Company, World, judge, pack, statuses
from tests.verifier.attacks.scene import Members, relist

MAX_BYTES = 250_000
MEMBER = "verify.html"


def test_the_page_is_what_the_sources_give() -> None:
    # To show where a quarter of a megabyte differs would take minutes.
    is_fresh = make_page() == PAGE.read_bytes()
    assert is_fresh, "stale: make page"


def test_the_page_is_small() -> None:
    assert len(read_page()) <= MAX_BYTES


def test_the_page_names_no_address() -> None:
    """Nothing in it could be loaded: no source, no link, no address but those of namespaces and of texts."""
    text = read_page().decode("utf-8")
    assert re.findall(r"<(?:link|img|iframe|object|embed|script src)[^>]*>", text) == []
    assert "default-src 'none'" in text
    assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}


def test_the_copy_for_bundles_differs_in_one_word() -> None:
    assert bundle_copy() != read_page()
    assert len(set(page_digests())) == 2
    assert bundle_copy().replace(b'data-copy="bundle"', b'data-copy="office"') == read_page()


def test_parts_for_another_page() -> None:
    parts = page_parts()
    assert "mizheng-verify" in parts.script
    assert ".mizheng" in parts.style


@pytest.fixture(scope="module")
def enclosed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Members, World]:
    """A bundle with a page in it."""
    world = World(tmp_path_factory.mktemp("page"))
    company = world.enrol(Company())
    deposit = world.deposit(company)
    members = world.bundle(deposit, [world.anchor()])
    return relist({**members, MEMBER: bundle_copy()}, company), world


@pytest.mark.parametrize(
    ("releases", "status"),
    [((), "NOT_CHECKED"), (("ab" * 32,), "NOT_CHECKED"), (page_digests(), "PASS")],
    ids=["none", "another", "published"],
)
def test_an_enclosed_page(enclosed: tuple[Members, World], releases: tuple[str, ...], status: str) -> None:
    members, world = enclosed
    trust: Trust = world.trust(releases=tuple(Release("verify.html", digest) for digest in releases))
    report = judge(members, trust)
    assert statuses(report, "page.digest") == [status]
    # A convenience: it makes no bundle better or worse.
    assert report.verdict == "valid"
    theirs = shared().verify(pack(members), dump_trust(trust), now=format_instant(NOW))
    assert outcomes(theirs) == outcomes(report.to_json())
