"""The page on OWASP ASVS: every chapter of 5.0 has its line, and no line claims without a test."""

import re

from tests.tools.layout import ROOT

CHAPTERS = 17
PAGE = (ROOT / "docs" / "security" / "asvs.md").read_text("utf-8")


def rows() -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "| V" in line
    ]


def test_every_chapter_has_a_line() -> None:
    numbers = [int(found[1]) for row in rows() if (found := re.match(r"V(\d+) ", row[0]))]
    assert numbers == list(range(1, CHAPTERS + 1))


def test_what_is_met_is_met_by_a_test() -> None:
    # That the tests are there, test_documents holds for all pages.
    missing = [row[0] for row in rows() if row[1] != "not used" and "::test_" not in row[2]]
    assert not missing
