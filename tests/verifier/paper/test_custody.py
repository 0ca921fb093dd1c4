"""The timeline of custody in words, on paper and in a terminal: all that was said, and no more than is so."""

from __future__ import annotations

import dataclasses
import re

import pytest
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.custody import WHAT
from mizheng.verifier.paper.custody import custody_data
from mizheng.verifier.paper.report import make_report
from mizheng.verifier.report import Report
from mizheng.verifier.text import render
from mizheng.verifier.timeline import LIMIT, WHAT_WORDS
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle
from mizheng.verifier.words import translator

from tests.support import vectors
from tests.support.pictures import read_text, take_pictures

from .test_report import make_examination


def judge(name: str) -> Report:
    vector = vectors.read(f"custody/{name}")
    assert vector.trust is not None
    return verify_bundle(vector.bundle, parse_trust(vector.trust), now=parse_instant(vector.now))


def joined(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_every_sort_of_event_has_a_word() -> None:
    assert tuple(WHAT_WORDS) == WHAT


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_it_is_on_paper_and_in_the_terminal(language: str) -> None:
    report, _ = judge("there-and-back"), translator(language)
    pdf = make_report(make_examination(report), _, language)
    take_pictures(f"report-custody-{language}", pdf)
    for text in (joined(read_text(pdf)), joined(render(report, _))):
        for line in report.custody:
            assert joined(f"{line.number}.") in text
            for said in (
                _(WHAT_WORDS[line.what]),
                line.where,
                line.why,
                line.by.name,
                line.at,
                line.note or "",
            ):
                assert joined(said) in text, said
        assert joined(_(LIMIT)) in text


def test_an_event_that_does_not_hold_is_marked_and_the_last() -> None:
    report = judge("content-changed-between")
    assert [line.holds for line in report.custody] == [True, True, False]
    assert render(report, translator("en")).count("[does not hold]") == 1
    assert "not on record" not in render(report, translator("en"))


def test_without_events_there_is_no_section() -> None:
    report = dataclasses.replace(judge("kept"), custody=())
    assert custody_data(report, translator("en")) is None
    assert "Custody, as" not in render(report, translator("en"))


def test_of_thousands_the_first_and_the_last_are_set() -> None:
    report = judge("kept")
    many = tuple(dataclasses.replace(report.custody[0], number=number) for number in range(1, 1001))
    data = custody_data(dataclasses.replace(report, custody=many), translator("en"))
    assert data is not None
    numbers = [event["number"] for event in data["events"]]
    assert numbers == [*range(1, 51), *range(851, 1001)]
    assert data["left_out"] == 800
