"""What the pages answer, byte for byte and header for header; how they look is tests/browser/'s."""

from __future__ import annotations

import httpx
from mizheng.notary.pages.remembering import RememberedPages

from tests.support.certificates import Issued


def test_a_remembered_page_does_not_outlive_its_publication(issued: Issued, anybody: httpx.Client) -> None:
    path, name = "/certificates/" + issued.number, issued.depositor.org.name
    for visibility, status, is_named in (
        ("masked", 200, False),
        ("published", 200, True),
        ("masked", 200, False),
        ("withheld", 404, False),
        ("published", 200, True),
    ):
        issued.show(visibility)
        for _ in range(2):
            answer = anybody.get(path)
            assert (answer.status_code, name in answer.text) == (status, is_named), visibility


def test_what_a_code_opens_is_not_remembered_for_others(issued: Issued, anybody: httpx.Client) -> None:
    path, name = "/certificates/" + issued.number, issued.depositor.org.name
    assert name in anybody.post(path, data={"code": issued.code}).text
    assert name not in anybody.get(path).text
    assert name not in anybody.post(path, data={"code": "0000-0000-0000"}).text
    pdf = anybody.post(path + "/certificate.pdf", data={"code": issued.code})
    assert pdf.content == issued.pdf
    for wrong in (anybody.get(path + "/certificate.pdf"), anybody.get(path + "/proof.zip")):
        assert wrong.status_code == 404


def test_headers_let_nothing_in(issued: Issued, anybody: httpx.Client) -> None:
    for path in ("/", "/en", "/check", "/certificates/" + issued.number, "/digests/" + "00" * 32):
        headers = anybody.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe-inline" not in policy
        assert "connect-src" not in policy
        assert ("script-src" in policy) == (path == "/check")
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers


def test_static_files_are_named_by_their_content(anybody: httpx.Client) -> None:
    page = anybody.get("/").text
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in anybody.get(style).headers["cache-control"]
    assert anybody.get(style.replace(style.split("/")[2], "0" * 16)).status_code == 404
    assert anybody.get("/static/x/../../etc/passwd").status_code == 404


def test_memory_of_pages_is_bounded() -> None:
    pages = RememberedPages(limit=3)
    for number in range(10):
        pages.remember((number,), b"%d" % number)
    assert [pages.find((number,)) for number in (6, 7, 9)] == [None, b"7", b"9"]
