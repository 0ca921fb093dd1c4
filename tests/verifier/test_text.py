"""The report in words: what a bundle holds cannot speak for the report, in either language."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from mizheng.verifier.report import Check, ProvenTime, Report, Status, Verdict
from mizheng.verifier.statement import Depositor
from mizheng.verifier.text import NOT_PROVEN, clean, format_time, render
from mizheng.verifier.words import translator

from tests.support.world import ACME, Company, World, judge

ENGLISH, CHINESE = translator("en"), translator("zh_CN")
FACTS = {
    "trust_sha256": "ab" * 32,
    "depositor": "公司",
    "depositor_id": "CN-USCC 1",
    "depositor_is_enrolled": True,
    "claimed_at": "2026-11-23T02:00:00Z",
    "envelope_sha256": "cd" * 32,
    "tree_size": 5,
}
CHECKS = (
    Check(
        "log.inclusion", Status.PASS, "heads/5.tlog-proof", "entry {index} of {size}", {"index": 2, "size": 5}
    ),
    Check("trust.current", Status.NOT_CHECKED, "", "no trust file was given", {}),
    Check("original.match", Status.FAIL, "x", "", {}),
    Check("token.valid", Status.NOT_PROVIDED, "", "", {}),
)
TIME = ProvenTime(1_800_000_000, "block {number} of {chain}", {"number": 7, "chain": "main"})
REPORT = Report(CHECKS, Verdict.VALID, (), False, None, TIME, True, (), FACTS)
LANGUAGES = [ENGLISH, CHINESE]
# Escape sequences, overrides of direction, invisible and line-breaking characters, a lone surrogate.
HOSTILE = "A\x1b[2J\x9b31m\r\n\u202eB\u2066\u200b\u2028\u2029\ufeff\u00ad\U000e0041\ud800C"


def test_the_verdict_stands_in_the_first_line() -> None:
    for verdict in Verdict:
        line = render(replace(REPORT, verdict=verdict), ENGLISH).split("\n")[0]
        assert line.startswith(f"{str(verdict).upper()} ")


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("language", LANGUAGES, ids=["en", "zh"])
def test_trial_stands_before_every_verdict(verdict: Verdict, language: object) -> None:
    report = replace(REPORT, verdict=verdict, is_trial=True)
    first = render(report, ENGLISH).split("\n")[0]
    assert first.startswith("TRIAL, no evidential value: ")
    assert str(verdict).upper() in first
    chinese = render(report, CHINESE)
    assert "TRIAL" in chinese.split("\n")[0]
    assert "TRIAL" not in render(REPORT, ENGLISH)


def test_times_are_beijing_time_with_utc_beside() -> None:
    assert format_time(1_800_000_000) == "2027-01-15 16:00:00 UTC+8 (2027-01-15T08:00:00Z)"
    assert format_time(0) == "1970-01-01 08:00:00 UTC+8 (1970-01-01T00:00:00Z)"


@pytest.mark.parametrize("seconds", [0, 253402300799])
def test_the_first_and_the_last_instant_can_be_said(seconds: int) -> None:
    """In Beijing the last year with four digits ends eight hours earlier."""
    report = replace(REPORT, latest=ProvenTime(seconds, "x", {}), earliest=ProvenTime(seconds, "x", {}))
    for language in LANGUAGES:
        assert render(report, language)


def is_harmless(text: str) -> bool:
    return all(char in "\n " or unicodedata.category(char)[0] not in "CZ" for char in text)


def test_clean_escapes_whatever_cannot_be_seen() -> None:
    cleaned = clean(HOSTILE)
    assert is_harmless(cleaned)
    assert cleaned.startswith("A\\u001b[2J\\u009b31m\\u000d\\u000a\\u202eB")
    assert cleaned.endswith("C")
    assert clean("武汉 a-b") == "武汉 a-b"
    assert clean(7) == "7"


@pytest.mark.parametrize("language", LANGUAGES, ids=["en", "zh"])
def test_nothing_of_a_bundle_reaches_the_terminal_unescaped(language: object) -> None:
    check = Check("record.content", Status.PASS, HOSTILE, "a record of kind {kind}", {"kind": HOSTILE})
    facts = FACTS | {"depositor": HOSTILE, "depositor_id": HOSTILE}
    time = replace(TIME, values={"number": 7, "chain": HOSTILE})
    report = replace(REPORT, checks=(check,), facts=facts, latest=time)
    for text in (render(report, ENGLISH), render(report, CHINESE)):
        assert is_harmless(text)
        assert "\\u202e" in text


@pytest.mark.parametrize("text", ["{0}", "{x.__class__}", "%s", "{", "}", "{}"])
def test_nothing_of_a_bundle_is_a_format(text: str) -> None:
    check = Check("record.content", Status.PASS, text, "a record of kind {kind}", {"kind": text})
    assert f"a record of kind {text}" in render(replace(REPORT, checks=(check,)), ENGLISH)


def test_both_languages_say_the_same_things() -> None:
    english, chinese = render(REPORT, ENGLISH), render(REPORT, CHINESE)
    for check in CHECKS:
        assert check.code in english and check.code in chinese
    for value in ("ab" * 32, "cd" * 32, "2026-11-23T02:00:00Z", format_time(TIME.at), "heads/5.tlog-proof"):
        assert value in english and value in chinese
    assert sum("\u4e00" <= char <= "\u9fff" for char in chinese) > 200
    assert not any("\u4e00" <= char <= "\u9fff" for char in english.replace("公司", ""))


@pytest.mark.parametrize("language", LANGUAGES, ids=["en", "zh"])
def test_what_is_not_proven_is_always_said(language: object) -> None:
    for verdict in Verdict:
        text = render(replace(REPORT, verdict=verdict), ENGLISH)
        assert all(item in text for item in NOT_PROVEN)
        chinese = render(replace(REPORT, verdict=verdict), CHINESE)
        assert all(CHINESE(item) in chinese for item in NOT_PROVEN)


def test_what_is_missing_is_named_unless_it_is_valid() -> None:
    missing = replace(REPORT, verdict=Verdict.UNDETERMINED, missing=("anchor.canonical", "token.valid"))
    assert "anchor.canonical, token.valid" in render(missing, ENGLISH)
    assert "Still needed" not in render(REPORT, ENGLISH)


def test_a_name_nobody_vouches_for_reads_claimed() -> None:
    assert "(enrolled)" in render(REPORT, ENGLISH)
    claimed = replace(REPORT, facts=FACTS | {"depositor_is_enrolled": False})
    assert "(claimed)" in render(claimed, ENGLISH)


def test_a_report_without_anything_can_be_said() -> None:
    empty = Report((), Verdict.INVALID, (), False, None, None, False, (), {"trust_sha256": None})
    for language in LANGUAGES:
        assert render(empty, language)


def test_it_is_never_called_what_only_licensed_bodies_issue() -> None:
    for language in LANGUAGES:
        text = render(REPORT, language)
        assert "司法鉴定意见书" not in text
        assert "公证书" not in text


def test_a_whole_bundle_with_a_hostile_name(tmp_path: Path) -> None:
    """Format characters are no control characters in a statement; on a terminal they are as good as those."""
    world = World(tmp_path)
    hostile = Depositor(ACME.name + "\u202e\u200b\x9b31m", ACME.id_scheme, ACME.id + "\u2066")
    company = world.enrol(Company(hostile))
    path = "密\u202eexe.txt\x1b[2J\nVALID"
    deposit = world.deposit(company, {path: b"x"})
    report = judge(world.bundle(deposit, [world.anchor()], (path,)), world.trust())
    assert report.verdict is Verdict.VALID
    for language in LANGUAGES:
        assert is_harmless(render(report, language))
