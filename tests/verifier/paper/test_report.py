"""The report on paper: all that was found is on it, nothing is filled in that is not ours to say."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from mizheng.verifier.canonical import parse_instant
from mizheng.verifier.paper.answers import SelfTest, answer_requirements
from mizheng.verifier.paper.challenges import answer_challenges
from mizheng.verifier.paper.court import REQUIREMENTS
from mizheng.verifier.paper.report import (
    MATERIAL_BUNDLE,
    MATERIAL_ORIGINAL,
    Examination,
    Material,
    _opened,
    make_report,
)
from mizheng.verifier.report import Check, Report, Status
from mizheng.verifier.text import status_word
from mizheng.verifier.trust import parse_trust
from mizheng.verifier.verify import verify_bundle
from mizheng.verifier.words import translator

from tests.support import vectors
from tests.support.pictures import read_text, take_pictures
from tests.support.world import FILES
from tests.tools.layout import ROOT

from .samples import digest

EXAMPLES = ROOT / "docs" / "spec" / "examples"
NOW = 1_795_485_722
EVIL = "图纸\u202egwd.#panic[x]"


@pytest.fixture(scope="module")
def report() -> Report:
    trust = parse_trust((EXAMPLES / "trust.toml").read_bytes())
    return verify_bundle(EXAMPLES / "bundle.zip", trust, now=NOW)


@pytest.fixture(scope="module", params=["zh_CN", "en"])
def paper(request: pytest.FixtureRequest, report: Report) -> tuple[str, str]:
    """Language and text, pages drawn."""
    pdf = make_report(make_examination(report), translator(request.param), request.param)
    take_pictures(f"report-{request.param}", pdf)
    return request.param, read_text(pdf)


def make_examination(report: Report) -> Examination:
    return Examination(
        report=report,
        materials=[
            Material(MATERIAL_BUNDLE, "bundle.zip", 19_017, digest("a"), digest("b"), True),
            Material(MATERIAL_ORIGINAL, EVIL, 5, digest("c"), digest("d"), False),
        ],
        software="mizheng 0.1.0",
        software_digest=digest("software"),
        environment=[("system", "Linux 6.1 x86_64")],
        command="mizheng verify bundle.zip --report out.pdf",
        examined_at=NOW,
    )


def joined(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_all_findings_are_on_it(paper: tuple[str, str], report: Report) -> None:
    text = joined(paper[1])
    values = {str(value) for check in report.checks for value in check.values.values()}
    assert not [value for value in values if joined(value) not in text]
    assert not [check.code for check in report.checks if check.code not in text]
    assert digest("software") in text


def test_its_words_are_in_one_language(paper: tuple[str, str], report: Report) -> None:
    language, text = paper
    _ = translator(language)
    for message in (
        *("Technical verification report", "Was it backdated?", "What a court asks for"),
        *("1. Unchanged since anchoring (Online Litigation Rules Art. 16)", "after the check: the same"),
        *("AFTER THE CHECK: CHANGED", "The appraiser's alone. Left blank; no software fills it in."),
    ):
        assert joined(_(message)) in joined(text), message
    for item in answer_challenges(report, _):
        assert joined(item.question) in joined(text)


def test_hidden_characters_and_markup_of_a_name(paper: tuple[str, str]) -> None:
    assert "图纸[U+202E]gwd.#panic[x]" in joined(paper[1])


def test_trial_stands_in_the_first_line(report: Report) -> None:
    _ = translator("en")
    pages = read_text(make_report(make_examination(report), _, "en"), as_laid_out=True).split("\f")[:-1]
    assert all("TRIAL" in page.strip().splitlines()[0] for page in pages)
    earnest = dataclasses.replace(report, is_trial=False)
    assert "TRIAL" not in read_text(make_report(make_examination(earnest), _, "en"))


def test_same_findings_same_bytes(report: Report) -> None:
    one, two = (make_report(make_examination(report), translator("en"), "en") for _ in range(2))
    assert one == two


def test_a_bundle_that_cannot_be_read_has_a_report_too() -> None:
    report = verify_bundle(b"no ZIP", None)
    text = joined(read_text(make_report(make_examination(report), translator("en"), "en")))
    assert "INVALID" in text
    assert "bundle.structure" in text


def test_a_failed_check_stands_against(report: Report) -> None:
    failed = Check("anchor.contract", Status.FAIL, "anchors/0001.json", "no matter", {})
    changed = dataclasses.replace(
        report, checks=(*(check for check in report.checks if check.code != failed.code), failed)
    )
    before, after = (answer_challenges(item, translator("en"))[1] for item in (report, changed))
    assert not before.speaks_against
    assert any("anchor.contract" in line for line in before.speaks_for)
    assert any("anchor.contract" in line for line in after.speaks_against)
    assert not any("anchor.contract" in line for line in after.speaks_for)


def test_what_was_not_looked_at_speaks_for_nobody(report: Report) -> None:
    """Codes that read NOT_CHECKED or NOT_PROVIDED stand under open, never under for."""
    silent = {check.code for check in report.checks} - {
        check.code for check in report.checks if check.status is Status.PASS
    }
    for item in answer_challenges(report, translator("en")):
        assert not [line for line in item.speaks_for for code in silent if f"({code})" in line]


def test_the_courts_list_is_whole(report: Report) -> None:
    assert [item.number for item in REQUIREMENTS] == list(range(1, 24))
    lines = answer_requirements(report, frozenset({"environment", "file"}), translator("en"))
    states = {line.number: line.states for line in lines}
    assert states[9] == ("record environment: given",)
    assert states[7] == ("record source: NOT_PROVIDED",)
    assert states[17][0] == "custody.chain PASS"
    # A company needs no certificate of a CA.
    assert states[3][-1] == "depositor.x509 NOT_PROVIDED"
    assert states[19] == (
        "platform.facts PASS",
        "platform fact filing: given",
        "platform fact protection: given",
        "platform fact cryptography: NOT_PROVIDED",
    )
    assert "platform fact keys: given" in states[20]
    assert "platform fact shareholding: NOT_PROVIDED" in states[20]
    assert "observation.signature PASS ×4" in states[16]
    assert states[11] == ("record unreadable: NOT_PROVIDED", "self-test: NOT_CHECKED")
    assert states[18] == ("custody event storage: NOT_PROVIDED", "custody event inspection: NOT_PROVIDED")


def states_of(name: str, kinds: frozenset[str] = frozenset()) -> dict[int, tuple[str, ...]]:
    vector = vectors.read(name)
    trust = None if vector.trust is None else parse_trust(vector.trust)
    report = verify_bundle(vector.bundle, trust, now=parse_instant(vector.now))
    return {line.number: line.states for line in answer_requirements(report, kinds, translator("en"))}


def test_what_was_not_given_is_told_from_what_was_not_looked_at() -> None:
    """A check that has nothing to be about was not left out; and who could not read blames nobody."""
    given = states_of("sound/token-only")
    assert set(given[15]) == {"anchor.contract NOT_PROVIDED", "anchor.header NOT_PROVIDED"}
    assert {state.split()[1] for state in given[17]} == {"NOT_PROVIDED"}
    broken = states_of("anchor/header-cut")
    assert broken[15] == ("anchor.contract NOT_CHECKED", "anchor.header FAIL")
    unbelieved = states_of("platform/by-a-stranger")
    assert unbelieved[19][:2] == ("platform.facts NOT_CHECKED", "platform fact filing: NOT_CHECKED")
    run_out = states_of("platform/run-out")
    assert run_out[19][:3] == (
        "platform.facts PASS",
        "platform fact filing: NOT_PROVIDED",
        "platform fact protection: given, but it has run out",
    )
    unreadable = states_of("file/empty")
    assert not [state for states in unreadable.values() for state in states if "NOT_PROVIDED" in state]
    one_record_unread = states_of("record-content/no-kind")
    assert one_record_unread[9] == ("record environment: NOT_CHECKED",)


def test_events_of_the_keeping_are_told() -> None:
    assert states_of("custody/kept")[18] == (
        "custody event storage: given",
        "custody event inspection: NOT_PROVIDED",
    )


@pytest.mark.parametrize(
    ("result", "state", "text"),
    [
        (None, "self-test: NOT_CHECKED", "not carried out with this report"),
        (SelfTest(786, 786, digest("v")), "self-test: PASS 786/786", "786 of 786 published vectors"),
        (SelfTest(786, 785, digest("v")), "self-test: FAIL 785/786", "785 of 786 published vectors"),
        (SelfTest(0, 0, digest("v")), "self-test: FAIL 0/0", "0 of 0 published vectors"),
    ],
)
def test_the_self_test_has_its_place(report: Report, result: SelfTest | None, state: str, text: str) -> None:
    examination = dataclasses.replace(make_examination(report), self_test=result)
    paper = joined(read_text(make_report(examination, translator("en"), "en")))
    assert joined(state) in paper
    assert joined(text) in paper


def test_a_file_beside_the_bundle_is_told_with_its_record(tmp_path: Path) -> None:
    """In the table of what is opened, not among the checks alone."""
    vector = vectors.read("sound/no-original")
    assert vector.trust is not None
    trust, now = parse_trust(vector.trust), parse_instant(vector.now)
    data = FILES["配方.txt"]
    (tmp_path / "other.txt").write_bytes(data)
    for files, word in (((), "NOT_PROVIDED"), ((tmp_path / "other.txt",), "PASS")):
        found = verify_bundle(vector.bundle, trust, now=now, files=files)
        (line,) = _opened(found, lambda text: text)
        assert line["original"] == status_word(Status(word))


def test_a_long_report_keeps_what_failed_in_sight(report: Report) -> None:
    """Of many checks of one code the annex tells most; one that failed stands where it is looked for."""
    many = [Check("record.inclusion", Status.PASS, f"records/{n:04}.json", "", {}) for n in range(1, 200)]
    wrong = Check("record.inclusion", Status.FAIL, "records/0200.json", "", {"index": 7})
    changed = dataclasses.replace(report, checks=(*many, wrong))
    text = read_text(make_report(make_examination(changed), translator("en"), "en"))
    checks, annex = text.split("Annex A: raw values", 1)
    assert "records/0200.json" in checks
    assert "records/0150.json" not in checks
    assert "records/0150.json" in annex
    assert "and 194 more in annex A" in checks
